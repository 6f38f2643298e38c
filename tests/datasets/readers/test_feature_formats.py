import os

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.encoders import open_encoder

FEATURES = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
LABELS = np.repeat([3, 7, 10], 4)
NAMES = np.array(["cat", "dog", "emu"])[np.arange(12) % 3]


def refused(spec) -> str:
    messages = set()
    for opener in (open_data, open_encoder):
        with pytest.raises(InputError) as caught:
            opener(spec)
        messages.add(str(caught.value))
    (message,) = messages
    assert "\n" not in message
    return message


def npz(folder, features, labels):
    np.savez(folder / "x.npz", features=features, labels=labels)
    return f"features:{folder}/x.npz"


def npy(folder, features, labels):
    np.save(folder / "x.npy", features)
    np.save(folder / "y.npy", labels)
    return f"features:{folder}/x.npy?labels={folder}/y.npy"


def safetensors(folder, features, labels):
    save_file({"labels": labels, "features": features}, folder / "x.safetensors")
    return f"features:{folder}/x.safetensors"


def parquet_lists(folder, features, labels):
    pd.DataFrame({"features": list(features), "labels": labels}).to_parquet(folder / "x.parquet")
    return f"features:{folder}/x.parquet"


def parquet_columns(folder, features, labels):
    columns = {f"f{i}": features[:, i].astype(np.float32) for i in range(features.shape[1])}
    pd.DataFrame({"kind": labels} | columns).to_parquet(folder / "x.parquet", row_group_size=5)
    return f"features:{folder}/x.parquet?label=kind"


FORMATS = [npz, npy, safetensors, parquet_lists, parquet_columns]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_format_gives_the_same_rows(tmp_path, write, dtype):
    spec = write(tmp_path, FEATURES.astype(dtype), LABELS)
    data, encoder = open_data(spec), open_encoder(spec)
    np.testing.assert_array_equal(
        np.stack([data[i][0] for i in range(12)]), FEATURES.astype(dtype).astype(np.float32)
    )
    assert [data.classes[label] for label in data.labels] == LABELS.astype(str).tolist()
    assert list(data.classes) == ["3", "7", "10"]
    np.testing.assert_array_equal(encoder.rows_for(data), data.features)
    assert encoder.name == data.name == "x"


@pytest.mark.parametrize("write", [npz, npy, parquet_lists, parquet_columns])
def test_labels_may_be_names(tmp_path, write):
    data = open_data(write(tmp_path, FEATURES, NAMES))
    assert [data.classes[label] for label in data.labels] == NAMES.tolist()


@pytest.mark.parametrize("write", FORMATS)
def test_the_digest_follows_rows_and_labels(tmp_path, write):
    changes = [(FEATURES, LABELS), (FEATURES + 1, LABELS), (FEATURES, LABELS[::-1].copy())]
    assert len({open_data(write(tmp_path, *change)).digest for change in changes}) == 3


@pytest.mark.parametrize("write", [npy, safetensors])
def test_rows_stay_on_disk(tmp_path, write):
    data = open_data(write(tmp_path, FEATURES.astype(np.float16), LABELS))
    assert isinstance(data.features, np.memmap)
    assert data.features.dtype == np.float16


@pytest.mark.parametrize("write", FORMATS)
def test_what_is_wrong_with_the_arrays_is_said(tmp_path, write):
    broken = FEATURES.copy()
    broken[7, 2] = np.inf
    assert "first in row 7; drop such rows" in refused(write(tmp_path, broken, LABELS))
    endless = np.where(np.arange(len(LABELS)) == 4, np.inf, LABELS)
    assert "holds a number that is not finite" in refused(write(tmp_path, FEATURES, endless))


@pytest.mark.parametrize("write", [npz, npy, safetensors])
def test_arrays_of_another_shape_are_refused(tmp_path, write):
    assert "12 features and 11 labels" in refused(write(tmp_path, FEATURES, LABELS[:11].copy()))
    assert "features has shape (12,)" in refused(write(tmp_path, FEATURES[:, 0].copy(), LABELS))
    assert "features has shape (0, 5)" in refused(write(tmp_path, FEATURES[:0], LABELS[:0]))
    assert "features has shape (12, 5) of bool" in refused(write(tmp_path, FEATURES > 0, LABELS))


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("write", [npz, npy])
@pytest.mark.parametrize("which", ["features", "labels"])
def test_a_pickle_inside_runs_nothing(tmp_path, write, which):
    canary = tmp_path / "canary"
    evil = np.array([Canary(canary)] * 12, dtype=object)
    arrays = {"features": FEATURES, "labels": LABELS} | {which: evil}
    message = refused(write(tmp_path, arrays["features"], arrays["labels"]))
    assert "holds Python objects, which could run code; nothing was run" in message
    assert not canary.exists()


def test_damaged_files_are_refused(tmp_path):
    for write, kind in ((npz, "npz"), (npy, "npy"), (safetensors, "safetensors"), (parquet_lists, "parquet")):
        spec = write(tmp_path, FEATURES, LABELS)
        path = tmp_path / f"x.{kind}"
        whole = path.read_bytes()
        for content in (whole[:-40], b"features", b""):
            path.write_bytes(content)
            assert f"{path}: " in refused(spec)
        path.unlink()
        assert f"{path}: no such file" in refused(spec)


def test_what_is_missing_in_a_file_is_named(tmp_path):
    save_file({"w": FEATURES, "labels": LABELS}, tmp_path / "x.safetensors")
    assert "no tensor 'features' (it has labels, w)" in refused(f"features:{tmp_path}/x.safetensors")
    table = pd.DataFrame({"f0": FEATURES[:, 0], "path": NAMES, "label": LABELS})
    table.to_parquet(tmp_path / "x.parquet")
    spec = f"features:{tmp_path}/x.parquet"
    assert "column 'path' holds " in refused(spec)
    assert "no column 'lable'; nearest: f0, path or label" in refused(f"{spec}?label=lable")
    table[["label"]].to_parquet(tmp_path / "x.parquet")
    assert "no column beside 'label'" in refused(spec)
    rows = [row[: 3 + i % 2] for i, row in enumerate(FEATURES)]
    pd.DataFrame({"features": rows, "label": LABELS}).to_parquet(tmp_path / "x.parquet")
    assert "rows of column 'features' differ in length" in refused(spec)
    pd.DataFrame({"features": NAMES, "label": LABELS}).to_parquet(tmp_path / "x.parquet")
    assert "it must hold lists of numbers" in refused(spec)


def test_options_belong_to_their_formats(tmp_path):
    spec = npz(tmp_path, FEATURES, LABELS)
    npy(tmp_path, FEATURES, LABELS)
    assert "brings its own labels; labels= is for .npy files" in refused(f"{spec}?labels={tmp_path}/y.npy")
    assert "no array 'a' (it has features, labels)" in refused(f"{spec}?label=a")
    npy_spec = f"features:{tmp_path}/x.npy?labels={tmp_path}/y.npy"
    assert "leave label= and features= out" in refused(f"{npy_spec}&label=a")
    assert "holds no labels; name their file in labels=FILE.npy" in refused(f"features:{tmp_path}/x.npy")
    assert "nowhere.npy: no such file" in refused(f"features:{tmp_path}/x.npy?labels=nowhere.npy")
    np.save(tmp_path / "y.npy", LABELS[:5])
    assert "12 features and 5 labels" in refused(f"features:{tmp_path}/x.npy?labels={tmp_path}/y.npy")


ONE_HOT = np.eye(3)[np.arange(12) % 3]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (LABELS.astype(np.float64), LABELS),
        (LABELS[:, None], LABELS),
        (LABELS[None], LABELS),
        (LABELS.astype(">i8"), LABELS),
        (LABELS.astype(np.int8)[:, None].astype(np.float32), LABELS),
        (ONE_HOT, np.arange(12) % 3),
        (ONE_HOT.astype(bool), np.arange(12) % 3),
        (NAMES.astype("S"), NAMES),
    ],
    ids=["float64", "(n, 1)", "(1, n)", "big-endian", "(n, 1) float32", "one-hot", "one-hot bool", "bytes"],
)
@pytest.mark.parametrize("write", [npz, npy])
def test_labels_as_people_store_them(tmp_path, write, stored, expected):
    data = open_data(write(tmp_path, FEATURES, stored))
    assert [data.classes[label] for label in data.labels] == [str(value) for value in expected]


@pytest.mark.parametrize("dtype", [np.int8, ">f4", ">f8", np.uint16, np.int64])
def test_features_of_any_kind_of_number(tmp_path, dtype):
    whole = np.round(10 * FEATURES) + 60
    data = open_data(npz(tmp_path, whole.astype(dtype), LABELS))
    assert data.features.dtype == np.float32
    np.testing.assert_array_equal(data.features - data.features[0], whole - whole[0])


@pytest.mark.parametrize(
    "names", [("X", "y"), ("embeddings", "targets"), ("feats", "label"), ("data", "class")]
)
def test_arrays_by_their_usual_names_and_by_any_other(tmp_path, names):
    np.savez(
        tmp_path / "x.npz", **dict(zip(names, (FEATURES, LABELS), strict=True)), own=NAMES, w=2 * FEATURES
    )
    data = open_data(f"features:{tmp_path}/x.npz")
    np.testing.assert_array_equal(data.features, FEATURES)
    assert list(data.classes) == ["3", "7", "10"]
    other = open_data(f"features:{tmp_path}/x.npz?features=w&label=own")
    np.testing.assert_array_equal(other.features, 2 * FEATURES)
    assert list(other.classes) == ["cat", "dog", "emu"]
    assert other.digest != data.digest


def test_labels_that_are_no_classes_are_named(tmp_path):
    assert "is not one-hot" in refused(npz(tmp_path, FEATURES, ONE_HOT + np.eye(3)[[1]]))
    assert "not finite" in refused(npz(tmp_path, FEATURES, np.full(12, np.nan)))


def test_a_label_to_ignore_is_an_option_and_a_class_without_it(tmp_path):
    labels = np.where(np.arange(12) % 4 == 0, -1, LABELS)
    spec = npz(tmp_path, FEATURES, labels)
    assert list(open_data(spec).classes) == ["-1", "3", "7", "10"]
    kept = open_data(f"{spec}?ignore=-1")
    assert (list(kept.classes), len(kept)) == (["3", "7", "10"], 9)
    np.testing.assert_array_equal(kept[0][0], FEATURES[1])
