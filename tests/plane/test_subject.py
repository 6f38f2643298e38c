"""What checkpoints share on a data set, in a bounded part of memory."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.estimators.inputs import row_table as tables
from mitools.features.store import FeatureStore
from mitools.plane import subject as room
from mitools.plane.subject import Subject


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(open_data("digits?limit=300"), FeatureStore(tmp_path), None, seed=0)


def test_inputs_are_the_pixels(subject: Subject) -> None:
    image, _ = subject.data[7]
    expected = np.asarray(image, dtype=np.float32).transpose(2, 0, 1).reshape(-1) / 255
    np.testing.assert_allclose(subject.inputs[7], expected, atol=1e-6)


def test_components_are_fitted_on_training_items_alone(subject: Subject) -> None:
    reduced = subject.principal_inputs(3)
    expected = PCA(3, random_state=0).fit(subject.inputs[subject.parts.train]).transform(subject.inputs)
    np.testing.assert_allclose(abs(reduced), abs(expected), atol=1e-3)
    assert subject.principal(np.ones((300, 1), np.float32), 5).shape == (300, 1)


def test_rows_are_reduced_a_bounded_part_at_a_time(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = subject.principal_inputs(3)
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 10 * subject.inputs.shape[1])
    np.testing.assert_allclose(subject.principal(subject.inputs, 3), whole, atol=1e-4)


def test_items_are_so_many_as_fit_and_always_the_same(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_array_equal(subject.items(10, paired=False), np.arange(300))
    monkeypatch.setattr(room, "MOST_ITEMS_PAIRED", 50)
    some = subject.items(10, paired=True)
    assert len(np.unique(some)) == 50
    np.testing.assert_array_equal(some, subject.items(20, paired=True))
    monkeypatch.setattr(room, "NUMBERS_IN_MEMORY", 4 * 10 * 30)
    fewer = subject.items(10, paired=False)
    assert len(fewer) == 30
    assert set(fewer) < set(some)


def test_labels_as_rows_and_their_entropy(subject: Subject) -> None:
    np.testing.assert_array_equal(subject.one_hot.argmax(axis=1), subject.labels)
    assert subject.one_hot.sum() == 300
    share = np.bincount(subject.labels) / 300
    assert subject.pairs(of_labels=True).entropy_nats == pytest.approx(-(share * np.log(share)).sum())
    assert subject.pairs(of_labels=False).entropy_nats is None


def test_one_class_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs two or more"):
        Subject(open_data("digits?classes=3"), FeatureStore(tmp_path), None, seed=0)
