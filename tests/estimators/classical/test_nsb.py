"""Symbols few of whose pairs recur: the truth lies in the interval, or nothing false is claimed."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import JointTable
from mitools.estimators.classical.dirichlet_entropy import entropy_posterior
from mitools.estimators.classical.nsb import NSBEstimator
from mitools.estimators.classical.pair_prior import pair_prior
from mitools.estimators.classical.partners import find_partners


def channel(symbols, error, n, seed):
    joint = JointTable.symmetric_channel(symbols, error)
    return *joint.draw(n, np.random.default_rng(seed)), joint.truth.nats


def shuffled(symbols, error, n, seed):
    """The same channel, with other names on the far side."""
    x, y, truth = channel(symbols, error, n, seed)
    return x, np.random.default_rng(9).permutation(symbols)[y] + 1000, truth


def zipf(symbols, fresh, n, seed):
    rng = np.random.default_rng(seed)
    p = 1 / np.arange(1, symbols + 1)
    p /= p.sum()
    x, other = rng.choice(symbols, n, p=p), rng.choice(symbols, n, p=p)
    joint = fresh * np.outer(p, p) + (1 - fresh) * np.diag(p)
    return x, np.where(rng.random(n) < fresh, other, x), float((joint * np.log(joint / np.outer(p, p))).sum())


def blocks(symbols, block, n, seed):
    """Only the block of x is in y."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, symbols, n)
    return x, x // block * block + rng.integers(0, block, n), float(np.log(symbols / block))


def two_partners(n, seed):
    """Of 100 symbols each goes with itself, with another one, or with any."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 100, n)
    other = np.random.default_rng(77).permutation(100)
    which = rng.random(n)
    y = np.where(which < 0.3, x, np.where(which < 0.6, other[x], rng.integers(0, 100, n)))
    any_one = 0.4 / 100
    conditional = 98 * any_one * np.log(any_one) + 2 * (0.3 + any_one) * np.log(0.3 + any_one)
    return x, y, float(np.log(100) + conditional)


CASES = [
    *[(channel, (20, error, 500)) for error in (0.1, 0.5, 0.9)],
    *[(channel, (100, error, 2000)) for error in (0.1, 0.5, 0.9)],
    *[(channel, (300, error, 2000)) for error in (0.1, 0.5, 0.9)],
    *[(channel, (symbols, 1.0, 2000)) for symbols in (100, 300)],
    *[(shuffled, (100, error, 2000)) for error in (0.1, 0.5, 0.9)],
    (shuffled, (300, 0.5, 500)),
    *[(zipf, (2000, fresh, 2000)) for fresh in (0.1, 0.5, 1.0)],
    (blocks, (100, 10, 2000)),
    (two_partners, (1000,)),
]


@pytest.mark.parametrize(
    ("draw", "arguments"), CASES, ids=[f"{draw.__name__}-{'-'.join(map(str, a))}" for draw, a in CASES]
)
# Intervals that hold the truth in 95% of samples hold it in 24 of 30 or fewer once in 300 cases, those that
# hold it in 80% every second time.
@pytest.mark.parametrize(
    ("seeds", "fewest"), [(range(3), 2), pytest.param(range(3, 33), 25, marks=pytest.mark.slow)]
)
def test_the_interval_holds_the_truth(draw, arguments, seeds, fewest):
    hits = 0
    for seed in seeds:
        x, y, truth = draw(*arguments, seed)
        found = NSBEstimator().estimate(x, y)
        hits += found.interval_nats.low <= truth <= found.interval_nats.high
        assert found.interval_nats.low <= found.nats <= found.interval_nats.high
    assert hits >= fewest


def test_a_copy_with_errors_is_read_closely():
    """Plain counting reads 0.5 nats too much, and the uniform prior 0.4."""
    readings = [NSBEstimator().estimate(*channel(100, 0.5, 2000, seed)[:2]) for seed in range(5)]
    truth = channel(100, 0.5, 10, 0)[2]
    assert np.mean([found.nats for found in readings]) == pytest.approx(truth, abs=0.06)
    assert np.mean([found.interval_nats.high - found.interval_nats.low for found in readings]) < 0.3
    assert {found.settings["partners"] for found in readings} == {"same symbol"}


def test_nothing_is_told_where_next_to_nothing_recurs():
    found = NSBEstimator().estimate(*channel(300, 0.9, 500, 0)[:2])
    assert found.interval_nats is None
    assert found.stderr_nats is None
    assert [warning.word for warning in found.warnings] == ["undersampled"]
    assert "repeat an earlier pair" in found.warnings[0].sentence


def test_what_no_simple_prior_expects_is_warned_of():
    assert NSBEstimator().estimate(*blocks(100, 10, 1000, 0)[:2]).has_warning("undersampled")
    assert not NSBEstimator().estimate(*channel(100, 0.5, 1000, 0)[:2]).warnings


def test_independent_symbols_are_not_told_from_zero():
    found = NSBEstimator().estimate(*channel(100, 1.0, 2000, 0)[:2])
    assert [warning.word for warning in found.warnings] == ["indistinguishable_from_zero"]
    assert not NSBEstimator().estimate(*channel(300, 0.9, 5000, 0)[:2]).warnings


def test_the_centre_of_the_prior_is_a_distribution_with_the_margins_of_the_rows():
    x, y, truth = channel(50, 0.5, 20_000, 0)
    partners = find_partners(x, y, 50, seed=0)
    assert partners.weight == pytest.approx(0.5, abs=0.02)
    assert partners.same_symbols
    prior = pair_prior(x, y, 50, partners)
    counts, shares, symbols = prior.cells
    assert symbols @ shares == pytest.approx(1)
    assert symbols.sum() == pytest.approx(50 * 50)
    assert symbols @ counts == 20_000
    assert prior.nats == pytest.approx(truth, abs=0.03)
    assert entropy_posterior(prior.cells).nats == pytest.approx(sum(prior.entropies) - truth, abs=0.03)


def test_partners_have_to_be_there():
    assert find_partners(*np.random.default_rng(0).integers(0, 50, (2, 2000)), 50, seed=0) is None
    x, y, _ = shuffled(50, 0.1, 2000, 0)
    partners = find_partners(x, y - 1000, 50, seed=0)
    assert not partners.same_symbols
    assert partners.settled
    np.testing.assert_array_equal(partners.of_x, np.random.default_rng(9).permutation(50))


def test_the_same_seed_reads_the_same():
    x, y, _ = shuffled(60, 0.5, 500, 0)
    assert NSBEstimator(3).estimate(x, y).nats == NSBEstimator(3).estimate(x, y).nats


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.linspace(0, 1, 20), np.arange(20), "x are not whole numbers"),
        (np.arange(20), np.arange(21), "x has 20 rows and y has 21"),
        (np.arange(9), np.arange(9), "9 rows are too few"),
    ],
)
def test_bad_requests_name_what_is_wrong(x, y, message):
    with pytest.raises(InputError, match=message):
        NSBEstimator().estimate(x, y)


def test_a_constant_side_shares_nothing():
    found = NSBEstimator().estimate(np.zeros(50, dtype=int), np.arange(50) % 7)
    assert found.nats == pytest.approx(0, abs=1e-6)


def test_a_copy_without_errors_has_the_entropy_of_its_symbols():
    hits = 0
    for seed in range(6):
        x = np.random.default_rng(seed).integers(0, 100, 300)
        found = NSBEstimator().estimate(x, x)
        hits += found.interval_nats.low <= np.log(100) <= found.interval_nats.high
    assert hits >= 5
