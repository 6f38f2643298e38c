"""Composites of labelled rows: which rows are shown, and in which part."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.binary_composites import flip_probability, shared_bits
from mitools.datasets.readers.features import FeatureRows
from mitools.pairing.composites import CompositePool, composite_pool


def features(separation: float, n: int = 400, d: int = 3, seed: int = 0) -> FeatureRows:
    """Two equal classes of normal rows, `separation` apart in the first dimension, and a few of a third."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n) % 2 * 2, np.ones(20, dtype=int)])
    rows = rng.standard_normal((len(labels), d)).astype(np.float32)
    rows[:, 0] += separation * (labels - 1)
    return FeatureRows("blobs", ["no", "maybe", "yes"], rows, labels.astype(np.int64), f"blobs{separation}")


@pytest.fixture
def pool() -> CompositePool:
    return composite_pool(features(3.0), bits=4, n=500)


def test_no_row_is_shown_in_two_parts(pool: CompositePool) -> None:
    x, y = pool.held_out(flip=0.1)
    assert x.shape == y.shape == (500, pool.dimensions) == (500, 12)
    shown = []
    for part in (pool.parts.train, pool.parts.select, pool.parts.report):
        rows = np.concatenate([x[part], y[part]]).reshape(-1, 3)
        shown.append({row.tobytes() for row in rows})
    assert not (shown[0] & shown[1]) | (shown[0] & shown[2]) | (shown[1] & shown[2])
    assert all(shown)


def test_composites_of_every_part_share_the_same_bits(pool: CompositePool) -> None:
    flip = flip_probability(4, 2.0)
    for stream, items in enumerate((pool.item_parts.train, pool.item_parts.report)):
        chosen = pool.choose(items, flip, 20_000, stream)
        np.testing.assert_array_equal(pool.labels[chosen.x_items], chosen.x_bits)
        np.testing.assert_array_equal(pool.labels[chosen.y_items], chosen.y_bits)
        assert set(chosen.x_items.ravel()) == set(items)
        assert shared_bits(4, (chosen.x_bits != chosen.y_bits).mean()) == pytest.approx(2.0, abs=0.05)


def test_the_two_largest_classes_show_the_bits_unless_two_are_named() -> None:
    data = features(3.0)
    found = composite_pool(data, bits=2)
    assert (len(found.rows), found.n) == (400, 400)
    np.testing.assert_array_equal(found.labels, data.labels[:400] == 2)
    named = composite_pool(data, bits=2, classes=("yes", "maybe"))
    assert len(named.rows) == 220
    np.testing.assert_array_equal(named.rows[named.labels == 1], data.features[data.labels == 1])


def test_components_are_those_of_the_training_rows() -> None:
    data = features(3.0)
    found = composite_pool(data, bits=2, components=2)
    train = data.features[:400][found.item_parts.train].astype(np.float64)
    directions = np.linalg.svd(train - train.mean(axis=0), full_matrices=False)[2][:2]
    expected = (data.features[:400] - train.mean(axis=0)) @ directions.T
    np.testing.assert_allclose(np.abs(found.rows), np.abs(expected), atol=1e-4)


def test_one_class_shows_no_bits() -> None:
    data = features(4.0)
    single = FeatureRows("one", ["only"], data.features, np.zeros_like(data.labels), "one")
    with pytest.raises(InputError, match="one has one class"):
        composite_pool(single, bits=2)
