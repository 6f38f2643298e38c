import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.readers.features import FeatureRows
from mitools.encoders import PrecomputedFeatures, open_encoder

FEATURES = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float16)


def open_file(path, labels, features=FEATURES):
    np.savez(path, features=features, labels=np.array(labels))
    return open_encoder(f"features:{path}")


def data(labels, classes):
    labels = np.array(labels)
    return FeatureRows("data", classes, np.zeros((len(labels), 1), np.float32), labels, "digest")


def test_rows_are_given_for_data_with_the_same_labels(tmp_path):
    encoder = open_file(tmp_path / "own.npz", [0, 1, 1, 0] * 2)
    assert isinstance(encoder, PrecomputedFeatures)
    assert encoder.name == "own"
    np.testing.assert_array_equal(encoder.rows_for(data([0, 1, 1, 0] * 2, ["cat", "dog"])), FEATURES)


def test_labels_may_agree_by_name_in_another_order(tmp_path):
    encoder = open_file(tmp_path / "x.npz", ["dog", "cat"] * 4)
    np.testing.assert_array_equal(encoder.rows_for(data([0, 1] * 4, ["dog", "cat"])), FEATURES)


def test_another_number_of_rows_is_refused(tmp_path):
    encoder = open_file(tmp_path / "x.npz", [0, 1] * 4)
    with pytest.raises(InputError, match="8 rows for the 6 items of data"):
        encoder.rows_for(data([0, 1] * 3, ["a", "b"]))


def test_other_labels_are_refused_and_the_row_is_named(tmp_path):
    encoder = open_file(tmp_path / "x.npz", [0, 1] * 4)
    with pytest.raises(InputError, match="row 5 and that item of data differ in label"):
        encoder.rows_for(data([0, 1, 0, 1, 0, 0, 0, 1], ["a", "b"]))


def test_the_digest_follows_the_file(tmp_path):
    digests = {open_file(tmp_path / f"{i}.npz", [0, 1] * 4, FEATURES + i).digest for i in range(3)}
    assert len(digests) == 3


def test_the_file_that_is_data_is_its_own_encoder(tmp_path):
    encoder = open_file(tmp_path / "x.npz", [3, 5] * 4)
    np.testing.assert_array_equal(encoder.rows_for(open_data(f"features:{tmp_path}/x.npz")), FEATURES)
