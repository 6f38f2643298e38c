import os
from pathlib import Path

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(12, 5))
LABELS = np.repeat([3, 7, 4], 4)


def write(path, **arrays):
    np.savez(path, **{"features": FEATURES, "labels": LABELS} | arrays)
    return f"features:{path}"


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_data(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rows_and_labels_come_back(tmp_path, dtype):
    data = open_data(write(tmp_path / "x.npz", features=FEATURES.astype(dtype)))
    assert list(data.classes) == ["3", "4", "7"]
    assert data.labels.tolist() == [0] * 4 + [2] * 4 + [1] * 4
    row, label = data[5]
    assert (row.dtype, label) == (np.float32, 2)
    np.testing.assert_array_equal(row, FEATURES[5].astype(dtype).astype(np.float32))


def test_labels_may_be_names(tmp_path):
    names = np.array(["cat", "dog"] * 6)
    data = open_data(write(tmp_path / "x.npz", labels=names))
    assert [data.classes[label] for label in data.labels] == names.tolist()


def test_digest_follows_rows_and_labels(tmp_path):
    changes = [{}, {"features": FEATURES + 1}, {"labels": LABELS[::-1]}]
    digests = [open_data(write(tmp_path / f"{i}.npz", **change)).digest for i, change in enumerate(changes)]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": FEATURES.astype(complex)}, "features has shape (12, 5) of complex128"),
        ({"features": FEATURES > 0}, "features has shape (12, 5) of bool"),
        ({"features": FEATURES[0]}, "features has shape (5,)"),
        ({"features": FEATURES[:0], "labels": LABELS[:0]}, "features has shape (0, 5)"),
        ({"features": np.where(FEATURES[7, 2] < FEATURES, np.nan, FEATURES)}, "features are not finite"),
        ({"features": FEATURES * 1e300}, "not finite as float32, first in row 0"),
        ({"labels": LABELS[:-1]}, "12 features and 11 labels"),
        ({"labels": np.where(LABELS[0] == LABELS, np.nan, LABELS)}, "holds a number that is not finite"),
        ({"labels": np.stack([LABELS, LABELS], 1)}, "labels has shape (12, 2) and is not one-hot"),
        ({"labels": np.array([None] * 12)}, "labels holds Python objects, which could run code"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, arrays, message):
    assert message in refused(write(tmp_path / "x.npz", **arrays))


def test_the_row_that_is_not_finite_is_named(tmp_path):
    features = FEATURES.copy()
    features[7, 2] = np.inf
    assert "first in row 7" in refused(write(tmp_path / "x.npz", features=features))


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("key", ["features", "labels"])
def test_a_pickle_inside_runs_nothing(tmp_path, key):
    canary = tmp_path / "canary"
    array = np.empty(12, dtype=object)
    array[:] = [Canary(canary)] * 12
    spec = write(tmp_path / "x.npz", **{key: array})
    assert f"{key} holds Python objects, which could run code; nothing was run" in refused(spec)
    assert not canary.exists()


def test_what_is_no_npz_is_refused(tmp_path):
    whole = Path(write(tmp_path / "whole.npz").removeprefix("features:")).read_bytes()
    for name, content in {"cut": whole[:-80], "text": b"features", "empty": b""}.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        assert f"{path}: no readable npz file" in refused(f"features:{path}")
    np.save(tmp_path / "array.npy", FEATURES)
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    assert "no readable npz file" in refused(f"features:{tmp_path}/array.npz")
    np.savez(tmp_path / "other.npz", w=FEATURES)
    assert "no array 'features' (it has w)" in refused(f"features:{tmp_path}/other.npz")
    assert "no such file" in refused(f"features:{tmp_path}/nowhere.npz")
