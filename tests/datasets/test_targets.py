"""Continuous targets and several labels an item, from every reader that has columns of labels."""

import io
import json
import tarfile
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data, require_classes
from mitools.datasets.accepted import as_labelled_data
from mitools.datasets.targets import read_targets, targets_of

N = 30
RNG = np.random.default_rng(0)
AGE = np.round(RNG.uniform(20, 80, N), 2)
BOTH = (RNG.random((N, 2)) < 0.5).astype(int)
TAGS = ["|".join(word for word, has in zip(("cat", "dog"), row, strict=True) if has) or "-" for row in BOTH]
CLIPS = np.arange(N) // 3


def jpeg(place: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (place * 8, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def table() -> pd.DataFrame:
    return pd.DataFrame({"age": AGE, "cat": BOTH[:, 0], "dog": BOTH[:, 1], "tags": TAGS, "clip": CLIPS})


def csv(folder):
    for place in range(N):
        (folder / f"{place}.png").write_bytes(jpeg(place))
    table().assign(path=[f"{place}.png" for place in range(N)]).to_csv(folder / "t.csv", index=False)
    return f"csv:{folder}/t.csv"


def parquet(folder):
    table().assign(image=[jpeg(place) for place in range(N)]).to_parquet(folder / "t.parquet")
    return f"parquet:{folder}/t.parquet"


def hugging_face(folder):
    table().assign(image=[jpeg(place) for place in range(N)]).to_parquet(folder / "test-0.parquet")
    return f"hf-datasets:{folder}"


def webdataset(folder):
    with tarfile.open(folder / "t.tar", "w") as archive:
        for place, row in enumerate(table().to_dict("records")):
            for ending, content in (("png", jpeg(place)), ("json", json.dumps(row).encode())):
                member = tarfile.TarInfo(f"{place:04}.{ending}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return f"webdataset:{folder}/t.tar"


def hdf5(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "t.h5", "w") as file:
        file["images"] = np.stack([np.full((4, 4, 3), place * 8, np.uint8) for place in range(N)])
        for name, column in table().items():
            file[name] = column.to_list()
    return f"hdf5:{folder}/t.h5"


def text(folder):
    table().assign(text=[f"text {place}" for place in range(N)]).to_csv(folder / "t.csv", index=False)
    return f"text:{folder}/t.csv"


def features(folder):
    rows = RNG.standard_normal((N, 3)).astype(np.float32)
    table().drop(columns="tags").assign(features=list(rows)).to_parquet(folder / "t.parquet")
    return f"features:{folder}/t.parquet"


def packed(folder):
    """Put the images of a folder into an archive beside it."""
    with tarfile.open(folder / "images.tar", "w") as archive:
        for path in sorted(folder.glob("*.png")):
            archive.add(path, path.name)
    return folder / "images.tar"


READERS = [csv, parquet, hugging_face, webdataset, hdf5, text, features]


@pytest.mark.parametrize("write", READERS)
def test_a_column_of_fractions_is_a_continuous_target_and_told(tmp_path, write):
    spec = write(tmp_path)
    with pytest.warns(DataNote, match="age is read as continuous; say otherwise with target=class"):
        data = open_data(f"{spec}?label=age&groups=clip&limit=20")
    found = targets_of(data)
    assert (found.kind, found.names, len(data)) == ("continuous", ("age",), 20)
    assert found.values.shape == (20, 1)
    assert set(found.values[:, 0]) <= set(AGE)
    places = [int(np.flatnonzero(value == AGE)[0]) for value in found.values[:, 0]]
    assert [int(group) for group in data.groups] == [CLIPS[place] for place in places]
    assert open_data(f"{spec}?label=age&target=class").classes[0] == str(AGE.min())
    with pytest.raises(InputError, match="has continuous targets"):
        require_classes(data, 2)


def test_a_table_of_paths_gives_images_of_an_archive_their_targets(tmp_path):
    """What ``tar:`` refuses: targets, groups and pixels are those of the unpacked files."""
    spec = csv(tmp_path)
    options = "label=age&target=continuous&groups=clip"
    loose, archived = open_data(f"{spec}?{options}"), open_data(f"{spec}?{options}&root={packed(tmp_path)}")
    assert archived.digest == loose.digest
    np.testing.assert_array_equal(targets_of(archived).values[:, 0], AGE)
    assert archived.groups.tolist() == [str(clip) for clip in CLIPS]
    assert [archived[k][0].getpixel((0, 0)) for k in (0, 7)] == [(0, 0, 0), (56, 0, 0)]


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [
        ("folder:faces", "csv:TABLE.csv?label=COLUMN&target=continuous&root=faces"),
        ("tar:faces.tar.gz", "csv:TABLE.csv?label=COLUMN&target=continuous&root=faces.tar.gz"),
        ("mnist:mnist", "export its images (mitools datasets export) and write paths and targets"),
        ("torchvision:CIFAR10", "export its images"),
        ("digits", "export its images"),
    ],
)
def test_a_source_of_classes_names_the_way_of_other_targets(spec, remedy):
    with pytest.raises(InputError) as caught:
        open_data(f"{spec}?target=continuous")
    assert f"every item of {spec.partition(':')[0]} has a class and no other target" in str(caught.value)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("write", [one for one in READERS if one is not features])
def test_several_columns_are_several_labels_where_that_is_asked_for(tmp_path, write):
    spec = write(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        data = open_data(f"{spec}?label=cat|dog&target=multi-label")
        tagged = targets_of(open_data(f"{spec}?label=tags&target=multi-label"))
    assert targets_of(data).names == ("cat", "dog")
    assert (targets_of(data).values == BOTH).all()
    has = [name in tagged.names for name in ("cat", "dog")]
    assert has == [True, True]
    assert (tagged.values[:, [tagged.names.index("cat"), tagged.names.index("dog")]] == BOTH).all()


@pytest.mark.parametrize("write", [csv, parquet, webdataset])
def test_the_digest_tells_how_labels_are_read(tmp_path, write):
    spec = write(tmp_path)
    digests = {open_data(f"{spec}?label=cat|dog{how}").digest for how in ("", "&target=multi-label")}
    assert len(digests) == 2


def test_damaged_images_leave_with_their_targets(tmp_path):
    spec = csv(tmp_path)
    (tmp_path / "4.png").write_bytes(b"no image")
    with pytest.warns(DataNote):
        data = open_data(f"{spec}?label=age&target=continuous&on_error=skip")
    assert targets_of(data).values[:, 0].tolist() == np.delete(AGE, 4).tolist()


def test_two_parts_keep_their_targets(tmp_path):
    rows = RNG.standard_normal((N, 3)).astype(np.float32)
    for name, part in (("a", slice(0, 20)), ("b", slice(20, N))):
        np.savez(tmp_path / f"{name}.npz", features=rows[part], labels=AGE[part])
    with pytest.warns(DataNote):
        data = open_data(f"features:{tmp_path}/a.npz?train=a.npz&test=b.npz")
    assert targets_of(data).values[:, 0].tolist() == AGE.tolist()
    assert data.test_items.sum() == 10


def test_one_value_of_a_multi_hot_array_is_a_label(tmp_path):
    np.savez(tmp_path / "a.npz", features=np.ones((N, 2), np.float32), labels=BOTH)
    with pytest.warns(DataNote, match="read as several labels an item"):
        found = targets_of(open_data(f"features:{tmp_path}/a.npz"))
    assert (found.kind, found.values.tolist()) == ("multi-label", BOTH.astype(float).tolist())


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (AGE, "continuous"),
        (torch.tensor(AGE)[:, None], "continuous"),
        (np.stack([AGE, -AGE], 1), "continuous"),
        (BOTH, "multi-label"),
        (torch.tensor(BOTH), "multi-label"),
        (np.eye(3)[np.arange(N) % 3], None),
        (np.arange(N) % 3 * 1.0, None),
        ([f"{place % 5}.5" for place in range(N)], None),  # five names, such as half stars
    ],
)
def test_labels_in_memory_are_recognised(labels, kind):
    rows = RNG.standard_normal((N, 3))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        data = as_labelled_data((rows, labels))
    found = targets_of(data)
    assert (None if found is None else found.kind) == kind
    assert bool(told) == (kind is not None)


def test_a_dataset_and_a_table_bring_targets():
    items = [(torch.full((3, 2, 2), float(k)), float(AGE[k])) for k in range(N)]
    several = [(torch.full((3, 2, 2), float(k)), torch.tensor(BOTH[k])) for k in range(N)]
    frame = table().drop(columns="tags")
    assert targets_of(as_labelled_data(items, target="continuous")).values[:, 0].tolist() == AGE.tolist()
    assert (targets_of(as_labelled_data(several, target="multi-label")).values == BOTH).all()
    named = as_labelled_data(frame, label=["cat", "dog"], target="multi-label")
    assert (targets_of(named).names, named.features.shape) == (("cat", "dog"), (N, 2))
    assert targets_of(as_labelled_data(frame, label="age", target="continuous")).names == ("age",)


@pytest.mark.parametrize(
    ("columns", "asked", "said"),
    [
        ([("y", [0.5, float("nan")])], "continuous", "'y' is not finite in row 1"),
        ([("y", ["a", "b"])], "continuous", "holds 'a' in row 0"),
        ([("y", [1.5, 1.5])], "continuous", "target 'y' is the same for all items"),
        ([("a", [0, 1]), ("b", [0, 2])], "multi-label", "column 'b' holds 2 in row 1"),
        ([("a", [0, 1])], "multi-label", "label=a|b"),
        ([("a", [0, 1])], "number", "target=number is none of class, continuous, multi-label"),
    ],
)
def test_what_is_no_such_target_is_refused_in_one_line(columns, asked, said):
    with pytest.raises(InputError) as caught:
        read_targets(columns, asked, "data")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_spec_in_memory_and_sources_of_classes_say_where_targets_come_from(tmp_path):
    with pytest.raises(InputError, match="name it in the spec"):
        as_labelled_data(f"csv:{tmp_path}/t.csv", target="continuous")
    with pytest.raises(InputError, match="target"):
        open_data(f"folder:{tmp_path}?target=continuous")
