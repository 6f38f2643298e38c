"""Groups are thinned as far as their neighbours need, and no further."""

import numpy as np
import pytest

from mitools.estimators import make_estimator
from mitools.estimators.classical.neighbours.thinning import LocalReadings, clumped, read_groups


def normal_groups(rows: int, noise: float, seed: int = 0):
    """200 groups of so many rows: independent x and y, each a group's value and row noise."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(200), rows)
    x, y = (rng.standard_normal(200)[groups] + noise * rng.standard_normal(200 * rows) for _ in range(2))
    return x, y, groups


def test_neighbours_of_one_group_are_a_lump():
    groups = np.repeat(np.arange(1000), 2)
    assert clumped(np.array([[0, 1], [2, 3]]), groups) == 1
    assert clumped(np.array([[0, 1], [2, 4]]), groups) == pytest.approx(0.5, abs=1e-3)
    assert clumped(np.array([[0, 2, 4]]), groups) == 0
    assert clumped(np.array([[0], [1]]), groups) == 0


@pytest.mark.parametrize("sizes", [[500] * 4, [900, 50, 50], [1, 2, 3] * 100])
@pytest.mark.parametrize("k", [2, 5])
def test_neighbours_by_chance_are_none_however_few_the_groups(sizes, k):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(0)
    others = [np.flatnonzero(groups != group) for group in range(len(sizes))]
    drawn = np.array([rng.choice(others[group], k, replace=False) for group in groups])
    assert clumped(drawn, groups) < 0.06


@pytest.mark.parametrize(("noise", "kept"), [(0.0, 1), (0.02, 1), (1.0, 8)])
def test_copies_are_thinned_to_one_and_rows_that_differ_are_kept(noise, kept):
    x, y, groups = normal_groups(8, noise)
    found = make_estimator("ksg").fit(x, y, groups=groups).estimate_
    assert found.settings["rows_per_group"] == kept


@pytest.mark.parametrize("method", ["ksg", "mixed_ksg"])
@pytest.mark.parametrize("rows", [2, 20])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_near_copies_of_independent_pairs_read_nothing(method, rows, k):
    held, nats = 0, []
    for seed in range(5):
        x, y, groups = normal_groups(rows, 0.03, seed)
        if method == "mixed_ksg":
            y = np.random.default_rng(seed).integers(0, 3, 200)[groups]
        found = make_estimator(method).set_params(k=k).fit(x, y, groups=groups).estimate_
        held += found.interval_nats.low <= 0 <= found.interval_nats.high
        nats.append(found.nats)
    assert held >= 4
    assert abs(np.mean(nats)) < 0.12


def test_copies_read_what_the_rows_read_that_were_copied():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400)
    y = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal(400)  # truth: 0.830 nats
    groups = np.repeat(np.arange(400), 6)
    once = make_estimator("ksg").fit(x, y).estimate_
    copied = make_estimator("ksg").fit(x[groups], y[groups], groups=groups).estimate_
    assert copied.nats == pytest.approx(once.nats, abs=0.05)
    assert copied.stderr_nats == pytest.approx(once.stderr_nats, rel=0.25)


def test_the_influence_of_whole_groups_is_worked_out_for_some_of_many_rows():
    groups = np.repeat(np.arange(1000), 7)
    noise = np.random.default_rng(0).standard_normal(1000)[groups]
    seen = []

    def read(rows, sample):
        seen.append(np.bincount(groups[rows[sample]], minlength=1000))
        return LocalReadings(noise[rows], np.zeros(len(sample)), noise[rows], 0.0)

    found = read_groups(groups, read, 3, np.random.default_rng(0))
    assert set(seen[0]) == {0, 7}
    assert 2000 <= seen[0].sum() <= 2007
    assert found.nats == pytest.approx(noise.mean())
    # Of 1,000 independent groups whose rows are alike.
    assert found.stderr == pytest.approx(1 / np.sqrt(1000), rel=0.1)


def test_two_groups_at_the_least_show_an_error():
    groups = np.repeat([0, 1, 2], 3000)

    def read(rows, sample):
        assert len(sample) == 6000
        return LocalReadings(np.arange(9000.0), np.zeros(len(sample)), np.zeros(9000), 0.0)

    assert read_groups(groups, read, 3, np.random.default_rng(0)).stderr > 0
