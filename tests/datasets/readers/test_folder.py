import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import warnings

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data

PACKERS = {".tar": bytes, ".tar.gz": gzip.compress, ".tar.bz2": bz2.compress, ".tar.xz": lzma.compress}


def picture(seed: int, mode: str = "RGB", kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind)
    return stream.getvalue()


FILES = {f"cifar/test/{name}/{i}.png": picture(10 * k + i) for k, name in enumerate("ab") for i in range(4)}


def tar_bytes(files) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def write_tar(path, files=FILES):
    path.write_bytes(tar_bytes(files))
    return f"tar:{path}"


def write_folder(root, files=FILES):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return f"folder:{root / 'cifar' / 'test'}"


def pixels(data):
    return np.stack([np.asarray(data[i][0]) for i in range(len(data))])


def read_all(spec):
    return pixels(open_data(spec))


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        read_all(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_tar_reads_as_the_folder_that_it_was_made_of(tmp_path, ending):
    (tmp_path / f"images{ending}").write_bytes(PACKERS[ending](tar_bytes(FILES)))
    tar, folder = open_data(f"tar:{tmp_path}/images{ending}"), open_data(write_folder(tmp_path))
    assert list(tar.classes) == list(folder.classes) == ["a", "b"]
    assert tar.labels.tolist() == folder.labels.tolist() == [0] * 4 + [1] * 4
    expected = np.stack([np.asarray(Image.open(io.BytesIO(content))) for content in FILES.values()])
    np.testing.assert_array_equal(pixels(tar), expected)
    np.testing.assert_array_equal(pixels(folder), expected)


def test_order_in_the_archive_does_not_matter(tmp_path):
    backwards = dict(reversed(FILES.items()))
    first, second = write_tar(tmp_path / "1.tar"), write_tar(tmp_path / "2.tar", backwards)
    np.testing.assert_array_equal(pixels(open_data(first)), pixels(open_data(second)))


def test_nothing_is_written_beside_a_compressed_archive(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tar_bytes(FILES)))
    before = set(tmp_path.iterdir())
    data = open_data(f"tar:{tmp_path}/x.tar.gz")
    assert len(pixels(data)) == 8
    assert set(tmp_path.iterdir()) == before


def test_several_workers_read_one_archive(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tar_bytes(FILES)))
    data = open_data(f"tar:{tmp_path}/x.tar.gz")
    loader = DataLoader(data, batch_size=1, num_workers=2, collate_fn=lambda items: np.asarray(items[0][0]))
    np.testing.assert_array_equal(np.stack(list(loader)), pixels(data))


def test_an_archive_can_be_sent_to_a_fresh_process(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tar_bytes(FILES)))
    data = open_data(f"tar:{tmp_path}/x.tar.gz")
    np.testing.assert_array_equal(pixels(pickle.loads(pickle.dumps(data))), pixels(data))


def test_other_files_and_hidden_ones_are_left_out(tmp_path):
    extra = {"cifar/test/a/readme.txt": b"text", "cifar/test/a/._0.png": b"mac", ".DS_Store": b""}
    data = open_data(write_tar(tmp_path / "x.tar", FILES | extra))
    assert len(data) == 8


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG")])
def test_every_mode_becomes_rgb(tmp_path, mode, kind):
    data = open_data(write_tar(tmp_path / "x.tar", {f"a/0.{kind.lower()}": picture(0, mode, kind)}))
    assert data[0][0].mode == "RGB"


def test_numbers_that_are_no_16_bits_are_refused_rather_than_clipped(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), 40_000.5, dtype=np.float32)).save(stream, "TIFF")
    spec = write_tar(tmp_path / "x.tar", {"a/deep.tif": stream.getvalue()})
    assert "a/deep.tif: mode F holds numbers that are not 0 to 65535" in refused(spec)


@pytest.mark.parametrize("kind", ["tar", "folder"])
@pytest.mark.parametrize(
    "content", [b"", b"no image", FILES["cifar/test/a/1.png"][:60]], ids=["empty", "text", "cut"]
)
def test_a_damaged_image_is_named(tmp_path, kind, content):
    files = FILES | {"cifar/test/a/1.png": content}
    spec = write_tar(tmp_path / "x.tar", files) if kind == "tar" else write_folder(tmp_path, files)
    assert "a/1.png: cannot be read as an image" in refused(spec)


def test_an_image_that_vanishes_is_named(tmp_path):
    data = open_data(write_folder(tmp_path))
    (tmp_path / "cifar/test/a/2.png").unlink()
    with pytest.raises(InputError, match=r"a/2\.png: cannot be read \(No such file"):
        data[2]


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_gzip_cut_short_is_refused(tmp_path, keep):
    packed = gzip.compress(tar_bytes(FILES))
    (tmp_path / "x.tar.gz").write_bytes(packed[: int(len(packed) * keep)])
    assert "x.tar.gz: damaged or cut short" in refused(f"tar:{tmp_path}/x.tar.gz")


def test_a_plain_tar_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    whole = tar_bytes(FILES)
    end = len(whole.rstrip(b"\0")) // 512 * 512 + 512  # where the last member's data end
    for cut in range(0, end, 256):
        (tmp_path / "x.tar").write_bytes(whole[:cut])
        assert "x.tar: " in refused(f"tar:{tmp_path}/x.tar"), cut


def test_what_is_no_tar_is_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"plain text " * 100)
    assert "no tar archive or a damaged one" in refused(f"tar:{tmp_path}/x.tar")


def test_a_tar_without_images_in_folders_is_refused(tmp_path):
    assert "no images in class folders" in refused(write_tar(tmp_path / "x.tar", {"0.png": picture(0)}))


def test_two_folders_of_one_name_are_refused_until_one_is_chosen(tmp_path):
    both = FILES | {f"cifar/train/a/{i}.png": picture(50 + i) for i in range(2)}
    spec = write_tar(tmp_path / "x.tar", both)
    assert "cifar/test/a and cifar/train/a share their name; choose with under=FOLDER" in refused(spec)
    test, train = open_data(f"{spec}?under=cifar/test"), open_data(f"{spec}?under=cifar/train")
    assert (len(test), len(train)) == (8, 2)
    assert test.digest != train.digest


def test_a_folder_without_classes_is_refused(tmp_path):
    write_folder(tmp_path)
    assert "no images directly inside" in refused(f"folder:{tmp_path}/cifar")
    assert "no class folders inside" in refused(f"folder:{tmp_path}/cifar/test/a")
    assert "no such folder" in refused(f"folder:{tmp_path}/nowhere")


def test_a_tar_digest_follows_content_and_labels_and_not_compression(tmp_path):
    digest = open_data(write_tar(tmp_path / "1.tar")).digest
    (tmp_path / "2.tar.gz").write_bytes(gzip.compress(tar_bytes(FILES)))
    assert open_data(f"tar:{tmp_path}/2.tar.gz").digest == digest
    changed = FILES | {"cifar/test/a/0.png": picture(99)}
    assert open_data(write_tar(tmp_path / "3.tar", changed)).digest != digest
    moved = {name.replace("a/0", "b/9"): content for name, content in FILES.items()}
    assert open_data(write_tar(tmp_path / "4.tar", moved)).digest != digest


def test_a_folder_digest_follows_content_and_name_and_not_time(tmp_path):
    spec = write_folder(tmp_path)
    digest = open_data(spec).digest
    path = tmp_path / "cifar/test/a/0.png"
    os.utime(path, ns=(0, 1))
    assert open_data(spec).digest == digest
    state, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # the same size and the same time
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    changed = open_data(spec).digest
    path.rename(path.with_name("00.png"))
    assert len({digest, changed, open_data(spec).digest}) == 3


def test_links_are_followed_and_told_where_they_lead_out(tmp_path):
    outside = tmp_path / "outside"
    for folder in (outside, tmp_path / "data" / "a", tmp_path / "data" / "b"):
        folder.mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(folder / "x.png")
    (tmp_path / "data" / "a" / "inside.png").symlink_to(tmp_path / "data" / "b" / "x.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        open_data(f"folder:{tmp_path}/data")
    (tmp_path / "data" / "a" / "out.png").symlink_to(outside / "x.png")
    (tmp_path / "data" / "c").symlink_to(outside)
    with pytest.warns(DataNote, match="2 of its folders and files are links that lead out of it"):
        data = open_data(f"folder:{tmp_path}/data")
    assert np.bincount(data.labels).tolist() == [3, 1, 1]


def test_devices_and_pipes_are_no_images(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / label / "x.png")
    (tmp_path / "a" / "endless.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "b" / "waits.png")
    assert len(open_data(f"folder:{tmp_path}")) == 2
