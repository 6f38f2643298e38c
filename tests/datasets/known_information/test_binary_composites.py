import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from mitools.core.errors import InputError
from mitools.datasets.known_information.binary_composites import (
    BinaryComposites,
    draw_composites,
    flip_probability,
    shared_bits,
)
from mitools.datasets.known_information.tasks import sample

FEATURES = np.random.default_rng(0).standard_normal((300, 3)).astype(np.float32)
LABELS = np.repeat([3, 7], [100, 200])


def test_bits_that_survive_the_channel():
    assert shared_bits(10, 0.0) == 10
    assert shared_bits(10, 0.5) == pytest.approx(0, abs=1e-12)
    assert shared_bits(1, 0.11) == pytest.approx(1 + 0.11 * np.log2(0.11) + 0.89 * np.log2(0.89))
    for target in (0, 0.3, 4, 9.99, 10):
        assert shared_bits(10, flip_probability(10, target)) == pytest.approx(target, abs=1e-9)


def test_every_bit_is_shown_by_an_item_of_its_class():
    drawn = draw_composites(LABELS, 6, 0.2, 5000, np.random.default_rng(1))
    np.testing.assert_array_equal(LABELS[drawn.x_items] == 7, drawn.x_bits == 1)
    np.testing.assert_array_equal(LABELS[drawn.y_items] == 7, drawn.y_bits == 1)
    # Every item of a class comes up, evenly: 30,000 bits, half of them from 100 items.
    counts = np.bincount(drawn.x_items.ravel(), minlength=300)
    assert counts.min() > 0
    assert counts[:100].mean() / counts[100:].mean() == pytest.approx(2, abs=0.1)


def test_the_bits_shown_share_what_the_channel_lets_through():
    drawn = draw_composites(LABELS, 5, 0.15, 40_000, np.random.default_rng(2))
    assert (drawn.x_bits != drawn.y_bits).mean() == pytest.approx(0.15, abs=0.005)
    per_bit = [mutual_info_score(drawn.x_bits[:, k], drawn.y_bits[:, k]) for k in range(5)]
    assert sum(per_bit) / np.log(2) == pytest.approx(shared_bits(5, 0.15), abs=0.05)
    # Different bits share nothing.
    assert mutual_info_score(drawn.x_bits[:, 0], drawn.y_bits[:, 1]) < 0.001


def test_rows_stand_side_by_side():
    pool = BinaryComposites(FEATURES, LABELS, bits=4, flip=0.1)
    x, y = pool.draw(20, np.random.default_rng(3))
    drawn = draw_composites(LABELS, 4, 0.1, 20, np.random.default_rng(3))
    assert x.shape == y.shape == (20, pool.d_x) == (20, pool.d_y)
    assert x.dtype == FEATURES.dtype
    np.testing.assert_array_equal(x[:, 3:6], FEATURES[drawn.x_items[:, 1]])
    np.testing.assert_array_equal(y[:, 9:], FEATURES[drawn.y_items[:, 3]])


def test_the_truth_is_exact_only_when_a_row_tells_its_class():
    apart = BinaryComposites(FEATURES, LABELS, 4, 0.1).truth
    shared = BinaryComposites(np.vstack([FEATURES[:-1], FEATURES[:1]]), LABELS, 4, 0.1).truth
    assert apart.bits == pytest.approx(shared_bits(4, 0.1)) == shared.bits
    assert (apart.is_limit, shared.is_limit) == (False, True)


def test_two_classes_out_of_many():
    labels = np.arange(300) % 5
    known = sample(BinaryComposites(FEATURES, labels, 2, 0.0, classes=(4, 2)), 50, seed=0, name="two of five")
    assert known.bits == pytest.approx(2)
    used = {labels[np.flatnonzero((row == FEATURES).all(axis=1))[0]] for row in known.x[:, :3]}
    assert used == {2, 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FEATURES[:, 0], LABELS, 4, 0.1), r"give \(items, d\)"),
        ((FEATURES, LABELS[:-1], 4, 0.1), r"give \(items, d\)"),
        ((FEATURES, LABELS, 0, 0.1), "bits=0 must be at least 1"),
        ((FEATURES, LABELS, 4, 0.7), r"flip=0.7 in \[0, 1/2\]"),
        ((FEATURES, np.arange(300) % 3, 4, 0.1), "there are 3 classes; name the two"),
        ((FEATURES, LABELS, 4, 0.1, (3, 5)), "no item has the label 5"),
        ((FEATURES, LABELS, 4, 0.1, (3, 3)), "cannot show both bits"),
    ],
)
def test_bad_requests_name_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        BinaryComposites(*arguments)


def test_more_bits_than_are_sent_cannot_be_shared():
    with pytest.raises(InputError, match="of 4 bits 5 cannot be shared"):
        flip_probability(4, 5)
