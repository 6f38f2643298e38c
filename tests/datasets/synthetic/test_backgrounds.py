from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets.synthetic import backgrounds
from mitools.datasets.synthetic.backgrounds import open_backgrounds


def write_images(root: Path, classes: dict[str, int], size: tuple[int, int] = (48, 40)) -> None:
    """Images of one colour, each different."""
    shade = 0
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for item in range(count):
            Image.new("RGB", size, (shade, 255 - shade, 7)).save(root / name / f"{item:03d}.png")
            shade += 1


def shades(pool) -> list[int]:
    return pool.images[:, 0, 0, 0].tolist()


def test_textures_are_ten_classes_that_differ_between_the_parts():
    train, test = (open_backgrounds("embedded", part, 96, with_classes=True) for part in ("train", "test"))
    assert len(train.classes) == 10
    assert train.images.shape == (240, 3, 96, 96)
    assert len({image.tobytes() for image in (*train.images, *test.images)}) == 480
    assert (train.images.std(axis=(2, 3)).max(axis=1) > 3).all(), "none is blank"


def test_textures_of_a_class_look_more_like_each_other():
    """Their spectra, which know neither place nor colour, tell the class of the other part's textures."""
    from sklearn.neighbors import KNeighborsClassifier

    def spectra(pool):
        grey = pool.images.mean(axis=1)
        power = np.abs(np.fft.rfft2(grey - grey.mean(axis=(1, 2), keepdims=True)))
        radius = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.rfftfreq(96)[None])
        shells = [
            np.sort(np.log1p(power[:, (radius >= r) & (radius < r + 0.05)]), axis=1)[:, -20:]
            for r in np.arange(0, 0.5, 0.05)
        ]
        return np.concatenate(shells, axis=1)

    train, test = (open_backgrounds("embedded", part, 96, with_classes=True) for part in ("train", "test"))
    labels = np.repeat(np.arange(10), train.counts)
    accuracy = KNeighborsClassifier(3).fit(spectra(train), labels).score(spectra(test), labels)
    assert accuracy > 0.5


def test_sample_photographs_are_cut_from_different_rows_for_each_part():
    train, test = (open_backgrounds("embedded", part, 96, with_classes=False) for part in ("train", "test"))
    assert train.classes == ("photograph",)
    assert train.images.shape == test.images.shape == (128, 3, 96, 96)
    assert not {i.tobytes() for i in train.images} & {i.tobytes() for i in test.images}


def test_class_folders_keep_their_classes_and_every_fifth_image_is_for_testing(tmp_path):
    write_images(tmp_path, {"a": 10, "b": 7})
    train, test = (
        open_backgrounds(f"folder:{tmp_path}", part, 96, with_classes=True) for part in ("train", "test")
    )
    assert train.classes == test.classes == ("a", "b")
    assert test.counts.tolist() == [2, 1]
    assert shades(test) == [4, 9, 14]
    assert sorted(shades(train) + shades(test)) == list(range(17))


def test_a_folder_of_images_is_one_class(tmp_path):
    write_images(tmp_path, {"": 6})
    pool = open_backgrounds(f"folder:{tmp_path}", "train", 64, with_classes=False)
    assert pool.images.shape == (5, 3, 64, 64)
    with pytest.raises(InputError, match="one class of backgrounds"):
        open_backgrounds(f"folder:{tmp_path}", "train", 64, with_classes=True)


def test_images_are_cut_square_about_their_centre(tmp_path):
    wide = np.zeros((40, 80, 3), dtype=np.uint8)
    wide[:, 20:60] = 200
    for k in range(5):
        Image.fromarray(wide).save(tmp_path / f"{k}.png")
    pool = open_backgrounds(f"folder:{tmp_path}", "train", 40, with_classes=False)
    assert (pool.images == 200).all()


def test_many_images_are_thinned_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(backgrounds, "MOST_IMAGES", 8)
    write_images(tmp_path, {"a": 40, "b": 40})
    pool = open_backgrounds(f"folder:{tmp_path}", "train", 32, with_classes=True)
    assert pool.counts.tolist() == [4, 4]
    assert max(shades(pool)[:4]) - min(shades(pool)[:4]) > 20


def test_a_tar_can_be_narrowed_to_a_folder(tmp_path):
    import tarfile

    write_images(tmp_path / "images", {"train/a": 5, "train/b": 5, "test/a": 5})
    with tarfile.open(tmp_path / "images.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "images", "images")
    pool = open_backgrounds(f"tar:{tmp_path}/images.tar.gz?under=images/train", "test", 32, with_classes=True)
    assert pool.classes == ("a", "b")
    assert shades(pool) == [4, 9]


def test_too_few(tmp_path):
    write_images(tmp_path, {"a": 10, "b": 4})
    with pytest.raises(InputError, match="4 images of class 'b' are too few"):
        open_backgrounds(f"folder:{tmp_path}", "train", 96, with_classes=True)
    write_images(tmp_path / "b" / "c", {"": 3})
    with pytest.raises(InputError, match="3 images are too few"):
        open_backgrounds(f"folder:{tmp_path}/b/c", "train", 96, with_classes=False)


def test_where_no_classes_are_asked_for_the_folders_do_not_matter(tmp_path):
    write_images(tmp_path, {"a": 3, "b": 3, "c": 4})
    pool = open_backgrounds(f"folder:{tmp_path}", "test", 96, with_classes=False)
    assert shades(pool) == [4, 9]
    assert len(pool.classes) == 1


def test_tiny(tmp_path):
    write_images(tmp_path, {"a": 10}, size=(64, 31))
    with pytest.raises(InputError, match="64x31 pixels; backgrounds need at least 32x32"):
        open_backgrounds(f"folder:{tmp_path}", "train", 96, with_classes=False)


@pytest.mark.parametrize("inside", ["a", ""])
def test_corrupt(tmp_path, inside):
    write_images(tmp_path, {inside: 10})
    (tmp_path / inside / "003.png").write_bytes((tmp_path / inside / "002.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"003\.png: cannot be read as an image"):
        open_backgrounds(f"folder:{tmp_path}", "train", 96, with_classes=False)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("folder:/nowhere", "no such folder"),
        ("folder", "nothing behind"),
        ("tar:/nowhere.tar", "nowhere.tar"),
        ("stl10:/nowhere", "no STL-10 files"),
        ("imagenet", "unknown source"),
        ("embedded?under=x", "unknown option"),
    ],
)
def test_bad_specs(spec, match):
    with pytest.raises(InputError, match=match):
        open_backgrounds(spec, "train", 96, with_classes=False)


def test_stl10_binary_files(tmp_path, monkeypatch):
    """STL-10's layout: column after column, labels from 1. The published files' checksums cannot be met."""
    from torchvision.datasets import STL10

    monkeypatch.setattr(STL10, "_check_integrity", lambda self: True)
    root = tmp_path / "stl10_binary"
    root.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 96, 96), dtype=np.uint8)
    for part, labels in (("train", [2, 1, 2, 3, 1, 3]), ("test", [1, 1, 2, 2, 3, 3])):
        (root / f"{part}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        (root / f"{part}_y.bin").write_bytes(bytes(labels))
    (root / "class_names.txt").write_text("airplane\nbird\ncar\n")
    pool = open_backgrounds(f"stl10:{tmp_path}", "train", 96, with_classes=True)
    assert pool.classes[:3] == ("airplane", "bird", "car")
    assert np.array_equal(pool.images, images[[1, 4, 0, 2, 3, 5]])
