"""The same ten images in every form that people keep images in: one data set, read the same from each."""

import gzip
import io
import json
import pickle
import shutil
import subprocess
import sys
import tarfile
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from torch.utils.data import DataLoader

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data

h5py = pytest.importorskip("h5py")

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 7, 5, 3), dtype=np.uint8)
NAMES = ["cat", "dog", "cat", "cat", "dog", "dog", "cat", "dog", "dog", "cat"]
LABELS = np.array([name == "dog" for name in NAMES]).astype(int)
CLIPS = ["a", "a", "b", "c", "c", "d", "e", "f", "f", "b"]


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


FILES = [png(pixels) for pixels in PIXELS]


def csv_table(folder, files):
    rows = ["path,label,clip"]
    (folder / "pictures").mkdir()
    for k, content in enumerate(files):
        (folder / "pictures" / f"{k}.png").write_bytes(content)
        rows.append(f"pictures/{k}.png,{NAMES[k]},{CLIPS[k]}")
    (folder / "x.csv").write_text("\n".join(rows))
    return f"csv:{folder}/x.csv"


def csv_elsewhere(folder, files):
    csv_table(folder, files)
    text = (folder / "x.csv").read_text().replace("path,label", "photo,species").replace("pictures/", "")
    (folder / "lists").mkdir()
    (folder / "lists" / "x.csv").write_text(text)
    return f"csv:{folder}/lists/x.csv?image=photo&label=species&root={folder}/pictures"


def csv_of_an_archive(folder, files):
    members = [(f"pictures/{k}.png", content) for k, content in enumerate(files)]
    (folder / "x.tar.gz").write_bytes(gzip.compress(tar_of(members), mtime=0))
    csv_table(folder, files)
    shutil.rmtree(folder / "pictures")
    return f"csv:{folder}/x.csv?root={folder}/x.tar.gz"


def table(files, struct=False, numbers=False, split=slice(None)):
    images = [{"bytes": content, "path": None} for content in files] if struct else files
    columns = {"image": images[split], "label": (LABELS.tolist() if numbers else NAMES)[split]}
    made = pa.table(columns | {"clip": CLIPS[split]})
    if numbers:
        notes = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
        made = made.replace_schema_metadata({"huggingface": json.dumps(notes)})
    return made


def parquet_file(folder, files):
    pq.write_table(table(files), folder / "x.parquet", row_group_size=3)
    return f"parquet:{folder}/x.parquet"


def parquet_files(folder, files):
    for k, part in enumerate((slice(0, 4), slice(4, 10))):
        pq.write_table(table(files, struct=True, numbers=True, split=part), folder / f"test-0000{k}.parquet")
    return f"parquet:{folder}/test-*.parquet"


def parquet_folder(folder, files):
    parquet_files(folder, files)
    return f"hf-datasets:{folder}?split=test"


def saved_to_disk(folder, files):
    """Write what the library's ``save_to_disk`` writes: Arrow streams, and JSON that lists them."""
    (folder / "test").mkdir()
    whole = table(files, struct=True, numbers=True)
    for k, part in enumerate((whole.slice(0, 6), whole.slice(6))):
        with pa.ipc.new_stream(str(folder / "test" / f"data-0000{k}-of-00002.arrow"), whole.schema) as sink:
            sink.write_table(part)
    names = [{"filename": f"data-0000{k}-of-00002.arrow"} for k in range(2)]
    (folder / "test" / "state.json").write_text(json.dumps({"_data_files": names}))
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["test"]}))
    return f"hf-datasets:{folder}?split=test"


def tar_of(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def shards(folder, files):
    for shard, part in enumerate((range(0, 4), range(4, 10))):
        members = []
        for k in part:
            members += [(f"{k:04}.png", files[k]), (f"{k:04}.cls", NAMES[k].encode())]
            members += [(f"{k:04}.json", json.dumps({"clip": CLIPS[k], "caption": "x"}).encode())]
        (folder / f"x-{shard:03}.tar").write_bytes(tar_of(members))
    return f"webdataset:{folder}/x-{{000..001}}.tar"


def packed_shards(folder, files):
    """Write the class as a key of the JSON, in shards that are gzipped."""
    members = []
    for k, content in enumerate(files):
        members += [(f"{k:04}.png", content)]
        members += [(f"{k:04}.json", json.dumps({"species": NAMES[k], "clip": CLIPS[k]}).encode())]
    (folder / "x.tar.gz").write_bytes(gzip.compress(tar_of(members)))
    return f"webdataset:{folder}/*.tar.gz?label=species"


def hdf5_files(folder, files):
    with h5py.File(folder / "x.h5", "w") as file:
        stored = file.create_dataset("images", (10,), h5py.vlen_dtype(np.uint8))
        for k, content in enumerate(files):
            stored[k] = np.frombuffer(content, np.uint8)
        file["labels"], file["clip"] = NAMES, CLIPS
    return f"hdf5:{folder}/x.h5"


def lmdb_keys(folder, files):
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(folder / "x.lmdb"), map_size=1 << 22) as made, made.begin(write=True) as writing:
        for k, content in enumerate(files):
            writing.put(f"{k}".encode(), content)
    rows = ["key,label", *(f"{k},{name}" for k, name in enumerate(NAMES))]
    (folder / "labels.csv").write_text("\n".join(rows))
    return f"lmdb:{folder}/x.lmdb?labels={folder}/labels.csv"


FORMS = [
    csv_table, csv_elsewhere, csv_of_an_archive, parquet_file, parquet_files, parquet_folder, saved_to_disk,
    shards, packed_shards, hdf5_files, lmdb_keys,
]  # fmt: skip
WITH_COLUMNS = [form for form in FORMS if form is not lmdb_keys]


def with_option(spec, option):
    return spec + ("&" if "?" in spec else "?") + option


def pixels(data):
    return np.stack([np.asarray(data[k][0]) for k in range(len(data))])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_images_and_classes(tmp_path, form):
    data = open_data(form(tmp_path, FILES))
    assert list(data.classes) == ["cat", "dog"]
    assert data.labels.tolist() == LABELS.tolist()
    np.testing.assert_array_equal(pixels(data), PIXELS)
    assert [data[k][1] for k in range(10)] == LABELS.tolist()
    np.testing.assert_array_equal(pixels(pickle.loads(pickle.dumps(data))), PIXELS)


@pytest.mark.parametrize("form", WITH_COLUMNS)
def test_groups_come_from_the_data_themselves(tmp_path, form):
    spec = form(tmp_path, FILES)
    data = open_data(with_option(spec, "groups=clip"))
    assert data.groups.tolist() == CLIPS
    few = open_data(with_option(spec, "groups=clip&classes=dog"))
    assert few.groups.tolist() == [clip for clip, name in zip(CLIPS, NAMES, strict=True) if name == "dog"]
    with pytest.raises(InputError, match="nowhere"):
        open_data(with_option(spec, "groups=nowhere"))


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_image_stops_the_reading_or_is_left_out_and_listed(tmp_path, form):
    damaged = [*FILES[:3], FILES[3][:40], *FILES[4:]]
    spec = form(tmp_path, damaged)
    with pytest.raises(InputError, match="cannot be read as an image"):
        pixels(open_data(spec))
    with pytest.warns(DataNote, match="1 of 10 images are damaged and were left out") as told:
        data = open_data(with_option(spec, "on_error=skip"))
    assert len(told) == 1
    kept = [k for k in range(10) if k != 3]
    np.testing.assert_array_equal(pixels(data), PIXELS[kept])
    assert data.labels.tolist() == LABELS[kept].tolist()
    if form in WITH_COLUMNS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grouped = open_data(with_option(spec, "on_error=skip&groups=clip"))
        assert grouped.groups.tolist() == [CLIPS[k] for k in kept]


@pytest.mark.parametrize("form", FORMS)
def test_the_digest_follows_every_byte(tmp_path, form):
    """An image of the same length is put in the place of another; sizes and names stay as they were."""
    for name in ("one", "same", "other"):
        (tmp_path / name).mkdir()
    other = [png(np.ascontiguousarray(PIXELS[0][::-1])), *FILES[1:]]
    specs = [form(tmp_path / "one", FILES), form(tmp_path / "same", FILES), form(tmp_path / "other", other)]
    one, same, changed = (open_data(spec).digest for spec in specs)
    assert one == same
    assert one != changed


@pytest.mark.parametrize("form", [csv_of_an_archive, shards, parquet_file, hdf5_files, lmdb_keys])
def test_several_workers_read_at_once(tmp_path, form):
    data = open_data(form(tmp_path, FILES))
    loader = DataLoader(data, batch_size=1, num_workers=2, collate_fn=lambda items: np.asarray(items[0][0]))
    np.testing.assert_array_equal(np.stack(list(loader)), PIXELS)


def test_paths_in_an_archive_are_normalised_and_the_nearest_member_is_named(tmp_path):
    spec = csv_of_an_archive(tmp_path, FILES)
    expected, text = open_data(spec), (tmp_path / "x.csv").read_text()
    written = text.replace("pictures/0", "pictures//0").replace("pictures/1", "a/../pictures/./1")
    (tmp_path / "x.csv").write_text(written)
    data = open_data(spec)
    for k in (0, 1):
        np.testing.assert_array_equal(np.asarray(data[k][0]), np.asarray(expected[k][0]))
    (tmp_path / "x.csv").write_text(text.replace("pictures/2.png", "2.png"))
    with pytest.raises(InputError, match=r" 2.png: .*has pictures/2.png; write that into the table"):
        open_data(spec)
    (tmp_path / "x.csv").write_text(text.replace("pictures/3.png", "../3.png"))
    with pytest.raises(InputError, match=r" \.\./3.png: the archive has no such member$"):
        open_data(spec)


def test_a_path_that_an_archive_lacks_is_named(tmp_path):
    spec = csv_of_an_archive(tmp_path, FILES)
    (tmp_path / "x.csv").write_text("path,label\npictures/0.png,cat\npictures/70.png,dog\n")
    with pytest.raises(InputError, match=r"x\.tar\.gz: pictures/70\.png: the archive has no such member"):
        open_data(spec)


@pytest.mark.parametrize("shape", ["colours last", "colours first", "grey", "16 bits", "one label a row"])
def test_arrays_of_hdf5_in_every_shape(tmp_path, shape):
    stored = {
        "colours first": PIXELS.transpose(0, 3, 1, 2),
        "grey": PIXELS[..., 0],
        "16 bits": PIXELS.astype(np.uint16) * 257,
    }.get(shape, PIXELS)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["train/images"] = stored
        file["train/y"] = LABELS[:, None] if shape == "one label a row" else LABELS
        file["train/clip"] = CLIPS
    spec = f"hdf5:{tmp_path}/x.h5?image=train/images&label=train/y"
    data = open_data(f"{spec}&groups=train/clip")
    expected = np.repeat(PIXELS[..., :1], 3, -1) if shape == "grey" else PIXELS
    np.testing.assert_array_equal(pixels(data), expected)
    assert data.labels.tolist() == LABELS.tolist()
    assert data.groups.tolist() == CLIPS
    with pytest.raises(InputError, match="no column 'train/x'; nearest"):
        open_data(f"hdf5:{tmp_path}/x.h5?image=train/x&label=train/y")


def test_the_class_of_an_lmdb_stands_in_its_keys(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(tmp_path / "x"), map_size=1 << 22) as made, made.begin(write=True) as writing:
        for k, content in enumerate(FILES):
            writing.put(f"{NAMES[k]}/{k}".encode(), content)
    data = open_data(f"lmdb:{tmp_path}/x")
    order = sorted(range(10), key=lambda k: f"{NAMES[k]}/{k}")
    np.testing.assert_array_equal(pixels(data), PIXELS[order])
    assert data.labels.tolist() == LABELS[order].tolist()


def test_the_class_of_a_shard_may_be_a_number_or_a_folder(tmp_path):
    members = [(f"{NAMES[k]}/{k}.png", FILES[k]) for k in range(10)]
    (tmp_path / "x.tar").write_bytes(tar_of(members))
    assert open_data(f"webdataset:{tmp_path}/x.tar").labels.tolist() == LABELS.tolist()
    parts = [(f"part{k % 2}/{NAMES[k]}/{k}.png", FILES[k]) for k in range(10)]
    (tmp_path / "z.tar").write_bytes(tar_of(parts))
    with pytest.raises(InputError, match="share their name; make them one class with label=folder"):
        open_data(f"webdataset:{tmp_path}/z.tar")
    assert open_data(f"webdataset:{tmp_path}/z.tar?label=folder").labels.tolist() == LABELS.tolist()
    members = [(f"{k}.{end}", what) for k in range(10) for end, what in
               (("png", FILES[k]), ("cls", str(10 + LABELS[k]).encode()))]  # fmt: skip
    (tmp_path / "y.tar").write_bytes(tar_of(members))
    assert list(open_data(f"webdataset:{tmp_path}/y.tar").classes) == ["10", "11"]


@pytest.mark.parametrize("values", [["a", None] * 5, [1, None] * 5, [0.5, float("nan")] * 5])
def test_a_row_without_a_group_is_no_group_of_its_own(tmp_path, values):
    pq.write_table(pa.table({"image": FILES, "label": NAMES, "who": values}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="column 'who': row 1 has none; drop such rows"):
        open_data(f"parquet:{tmp_path}/x.parquet?groups=who")


@pytest.mark.parametrize("form", [csv_table, parquet_file, saved_to_disk, packed_shards, hdf5_files])
def test_two_columns_of_labels_make_the_combinations_that_occur(tmp_path, form):
    spec = form(tmp_path, FILES)
    first = {packed_shards: "species", hdf5_files: "labels"}.get(form, "label")
    base, _, options = spec.partition("?")
    kept = "&".join(part for part in options.split("&") if part and not part.startswith("label"))
    data = open_data(f"{base}?{kept}{'&' if kept else ''}label={first}|clip")
    both = [f"{name}+{clip}" for name, clip in zip(NAMES, CLIPS, strict=True)]
    assert list(data.classes) == sorted(set(both))
    assert [data.classes[label] for label in data.labels] == both
    with pytest.raises(InputError, match="nowhere"):
        open_data(f"{base}?{kept}{'&' if kept else ''}label={first}|nowhere")


def test_labels_that_are_no_class_are_an_option(tmp_path):
    pq.write_table(
        pa.table({"image": FILES, "label": [-1, 0, 0, 0, 1, 1, 1, -1, 0, 1]}), tmp_path / "x.parquet"
    )
    data = open_data(f"parquet:{tmp_path}/x.parquet")
    assert list(data.classes) == ["-1", "0", "1"]
    kept = open_data(f"parquet:{tmp_path}/x.parquet?ignore=-1")
    assert (list(kept.classes), kept.labels.tolist()) == (["0", "1"], [0, 0, 0, 1, 1, 1, 0, 1])
    np.testing.assert_array_equal(pixels(kept), PIXELS[[1, 2, 3, 4, 5, 6, 8, 9]])
    with pytest.raises(InputError, match="ignore=255: x has no such label"):
        open_data(f"parquet:{tmp_path}/x.parquet?ignore=255")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("csv:{}/nowhere.csv", "no such file"),
        ("parquet:{}/nowhere.parquet", "no such Parquet file"),
        ("webdataset:{}/x-{{0..1}}.tar", "x-0.tar: no such shard"),
        ("hdf5:{}/nowhere.h5", "no such file"),
        ("hdf5:{}/damaged", "no readable HDF5 file"),
        ("parquet:{}/damaged", "no readable Parquet file"),
        ("webdataset:{}/damaged", "no tar archive or a damaged one"),
        ("hf-datasets:{}", "neither what save_to_disk writes nor Parquet files"),
        ("parquet:{}/x.parquet?image=label", "holds string, not the bytes of image files"),
        ("parquet:{}/x.parquet?label=lable", "no column 'lable'; nearest: "),
        ("parquet:{}/two.parquet", "columns label and target may be the label; choose with label=COLUMN"),
        ("csv:{}/list.csv", "gone.png: cannot be read"),
        ("csv:{}/bare.csv", "which column is the image\\? name it as image=COLUMN; it has a, label"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, spec, message):
    pq.write_table(table(FILES), tmp_path / "x.parquet")
    pq.write_table(pa.table({"image": FILES, "label": NAMES, "target": NAMES}), tmp_path / "two.parquet")
    (tmp_path / "damaged").write_bytes(b"\0nothing" * 99)
    (tmp_path / "list.csv").write_text("path,label\ngone.png,a\n")
    (tmp_path / "bare.csv").write_text("a,label\n1,2\n")
    where = tmp_path / "empty" if spec == "hf-datasets:{}" else tmp_path
    where.mkdir(exist_ok=True)
    with pytest.raises(InputError, match=message) as caught:
        open_data(spec.format(where))
    assert "\n" not in str(caught.value)


def test_a_library_that_is_missing_is_named_by_its_extra(tmp_path, monkeypatch):
    for package, spec, extra in (
        ("lmdb", f"lmdb:{tmp_path}", "lmdb"),
        ("h5py", f"hdf5:{tmp_path}/x.h5", "hdf5"),
        ("datasets", "hf-datasets:nobody/nothing", "datasets"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(InputError, match=rf'pip install "mitools\[{extra}\]"'):
            open_data(spec)


WRITTEN_BY_THE_LIBRARY = """
import numpy as np, datasets
from PIL import Image
pixels = np.random.default_rng(0).integers(0, 256, (10, 7, 5, 3), dtype=np.uint8)
kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
columns = {"image": [Image.fromarray(one) for one in pixels], "label": [0, 1] * 5}
whole = datasets.Dataset.from_dict(columns, features=kinds)
datasets.DatasetDict({"train": whole, "test": whole.select([1, 3, 5, 7, 8, 9])}).save_to_disk("saved")
whole.to_parquet("x.parquet")
"""


def test_what_the_library_of_hugging_face_writes_is_read_without_it(tmp_path):
    """Beside this repository's folder of that name the library is only found in a process of its own."""
    command = [sys.executable, "-P", "-c", WRITTEN_BY_THE_LIBRARY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "No module named 'datasets'" in done.stderr or "has no attribute 'Features'" in done.stderr:
        pytest.skip("the library datasets is not installed")
    assert done.returncode == 0, done.stderr
    for spec, rows in (
        ("hf-datasets:{}/saved?split=train", range(10)),
        ("hf-datasets:{}/saved?split=test", [1, 3, 5, 7, 8, 9]),
        ("parquet:{}/x.parquet", range(10)),
    ):
        data = open_data(spec.format(tmp_path))
        np.testing.assert_array_equal(pixels(data), PIXELS[list(rows)])
        assert [data.classes[label] for label in data.labels] == [["cat", "dog"][row % 2] for row in rows]
