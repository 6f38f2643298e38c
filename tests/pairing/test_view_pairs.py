"""Pairs of views: of one item, of different views, and shuffled apart within each part."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.pairing.view_pairs import ViewPairs, paired_view
from mitools.views.registry import make_view


@pytest.mark.parametrize("n_views", [2, 3, 5])
@pytest.mark.parametrize("how", ["draw", "independent"])
def test_a_pair_is_two_different_views_of_one_item(n_views: int, how: str) -> None:
    items = np.arange(10, 60)
    source, rng = ViewPairs(100, n_views).within(items), np.random.default_rng(0)
    x, y = source.draw(2000, rng) if how == "draw" else source.independent(rng)
    np.testing.assert_array_equal(x // n_views, y // n_views)
    assert (x % n_views != y % n_views).all()
    assert np.isin(x // n_views, items).all()


def test_every_ordered_pair_of_views_is_equally_likely() -> None:
    x, y = ViewPairs(100, 3).within(np.arange(100)).draw(12_000, np.random.default_rng(0))
    counts = np.zeros((3, 3))
    np.add.at(counts, (x % 3, y % 3), 1)
    assert chisquare(counts[~np.eye(3, dtype=bool)]).pvalue > 0.01
    assert chisquare(np.bincount(x // 3, minlength=100)).pvalue > 0.01


def test_no_item_is_in_two_independent_pairs() -> None:
    x, _ = ViewPairs(100, 4).within(np.arange(5, 100)).independent(np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(x // 4), np.arange(5, 100))


def test_a_batch_holds_no_item_twice_while_there_are_enough() -> None:
    source = ViewPairs(100, 2).within(np.arange(100))
    x, _ = source.draw(100, np.random.default_rng(0))
    assert len(np.unique(x // 2)) == 100


def test_shuffled_apart_views_are_of_different_items_of_one_part() -> None:
    parts = split(1000)
    apart = ViewPairs(1000, 3).permuted(parts, np.random.default_rng(0))
    for part in (parts.train, parts.select, parts.report):
        x, y = apart.within(part).independent(np.random.default_rng(0))
        assert np.isin(y // 3, part).all()
        np.testing.assert_array_equal(np.sort(y // 3), part)
        assert (x // 3 == y // 3).mean() < 0.05
        assert (x % 3 != y % 3).all()


def test_one_view_makes_no_pair() -> None:
    with pytest.raises(InputError, match="at least two views an image, not 1"):
        ViewPairs(10, 1)


def test_rows_are_items_times_views() -> None:
    assert (ViewPairs(10, 4).n_items, ViewPairs(10, 4).n_rows) == (10, 40)
    with pytest.raises(InputError, match="x has 39 rows and the pairing has 40"):
        VariationalEstimator().fit(np.zeros((39, 1)), np.zeros((39, 1)), ViewPairs(10, 4))


def test_noisy_views_of_one_item_share_what_the_noise_leaves() -> None:
    # Views z + e of a standard normal z: correlation 1 / (1 + var e).
    rng = np.random.default_rng(0)
    views = rng.standard_normal((3000, 1, 1)) + 0.5 * rng.standard_normal((3000, 4, 1))
    rows = views.reshape(3000 * 4, 1)  # row i * V + v
    truth = -0.5 * math.log(1 - (1 / 1.25) ** 2)
    estimator = VariationalEstimator(
        hidden=(32, 32), max_steps=300, batch_size=128, learning_rate=0.005, folds=1
    )
    estimate = estimator.fit(rows, rows, ViewPairs(3000, 4)).estimate_
    assert estimate.nats == pytest.approx(truth, abs=3 * (estimate.stderr_nats or 0))
    assert estimate.stderr_nats is not None
    assert estimate.stderr_nats < 0.1 * truth
    assert estimate.n_report == 600
    assert estimate.settings["pairs"] == 600


def test_a_pairing_is_named_after_its_view() -> None:
    assert paired_view("simclr?strength=0.5") == make_view("simclr?strength=0.5")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("simcrl", "unknown pairing 'simcrl'; did you mean simclr"),
        ("simclr?grey=2", "view 'simclr.grey=2': 'grey'"),
        ("image", "pairing 'image': nothing in this view is random"),
        ("python:no_such_module:View", "cannot be imported"),
    ],
)
def test_a_name_that_makes_no_pairs_is_refused(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        paired_view(name, ["same_class"])
