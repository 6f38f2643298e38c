"""The posterior of an entropy: against closed forms, simulation and distributions whose entropy is known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, polygamma

from mitools.estimators.classical.dirichlet_entropy import (
    Cells,
    _dirichlet_entropy,
    entropy_posterior,
    richness,
    richness_deviation,
    uniform_cells,
)

UNIFORM = np.full(500, 1 / 500)
ZIPF = 1 / np.arange(1, 501)
ZIPF /= ZIPF.sum()


def entropy(p):
    return -float(p @ np.log(p))


def counts(p, n, seed):
    found = np.bincount(np.random.default_rng(seed).choice(len(p), n, p=p))
    return found[found > 0]


def test_mean_and_variance_at_one_concentration_are_those_of_simulation():
    alpha = np.array([0.5, 1.5, 3.0, 0.2])
    drawn = np.random.default_rng(0).dirichlet(alpha, 200_000)
    simulated = -(drawn * np.log(np.maximum(drawn, 1e-300))).sum(axis=1)
    mean, variance = _dirichlet_entropy(alpha[None], np.ones(4))
    assert mean[0] == pytest.approx(simulated.mean(), abs=4 * simulated.std() / np.sqrt(200_000))
    assert variance[0] == pytest.approx(simulated.var(), rel=0.02)


def test_two_symbols_by_numerical_integration():
    """With two symbols the prior of Nemenman, Shafee and Bialek can be integrated directly."""
    seen = np.array([3.0, 1.0])

    def weight(beta):
        evidence = gammaln(2 * beta) - gammaln(4 + 2 * beta) + (gammaln(seen + beta) - gammaln(beta)).sum()
        return np.exp(evidence) * (2 * polygamma(1, 2 * beta + 1) - polygamma(1, beta + 1))

    def mean(beta):
        return weight(beta) * float(_dirichlet_entropy((seen + beta)[None], np.ones(2))[0][0])

    def integral(function):
        return quad(lambda log_beta: function(np.exp(log_beta)) * np.exp(log_beta), -20, 14, limit=400)[0]

    found = entropy_posterior(uniform_cells(seen, 2))
    assert found.nats == pytest.approx(integral(mean) / integral(weight), abs=1e-4)


@pytest.mark.parametrize(("p", "n"), [(UNIFORM, 150), (UNIFORM, 1000), (ZIPF, 150), (ZIPF, 1000)])
def test_known_entropies_lie_within_the_deviation(p, n):
    """As the authors show for uniform and Zipf distributions, also with fewer rows than symbols."""
    found = [entropy_posterior(uniform_cells(counts(p, n, seed), len(p))) for seed in range(20)]
    off = np.array([each.nats - entropy(p) for each in found])
    deviation = np.mean([each.deviation for each in found])
    assert np.mean(np.abs(off) < 2.5 * deviation) >= 0.9
    plug_in = np.mean([entropy(counts(p, n, seed) / n) for seed in range(20)])
    assert abs(off.mean()) < 0.5 * abs(plug_in - entropy(p)) + 0.01


def test_rows_that_fit_the_centre_keep_it_and_others_leave_it():
    shares = np.array([0.01] * 10 + [0.9 / 90] * 90)
    fits = Cells(np.full(100, 50.0), shares, np.ones(100))
    found = entropy_posterior(fits)
    assert found.nats == pytest.approx(np.log(100), abs=1e-3)
    assert found.concentration > 1e4
    one_in_ten = Cells(np.where(np.arange(100) < 10, 500.0, 0.0), shares, np.ones(100))
    left = entropy_posterior(one_in_ten)
    assert left.nats == pytest.approx(np.log(10), abs=0.05)
    assert left.concentration < 20


def test_one_symbol_has_no_entropy():
    assert entropy_posterior(uniform_cells([7], 1))[:2] == (0.0, 0.0)


def test_richness_counts_the_unseen_in():
    assert richness([4, 3, 2, 2]) == 4
    # Chao's bias-corrected form: 3 seen once, 1 twice.
    assert richness([1, 1, 1, 2, 5]) == 5 + 3 * 2 / (2 * 2)


def test_the_error_of_the_richness_is_that_of_repetition():
    found = [counts(UNIFORM, 700, seed) for seed in range(60)]
    spread = np.std([richness(each) for each in found])
    assert np.mean([richness_deviation(each) for each in found]) == pytest.approx(spread, rel=0.3)
