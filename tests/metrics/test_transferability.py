"""Transferability scores beside other ways to the same numbers, and on features whose order is known."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from mitools.core.errors import InputError
from mitools.metrics.transferability.h_score import h_score
from mitools.metrics.transferability.leep import leep
from mitools.metrics.transferability.logme import logme
from mitools.metrics.transferability.nleep import nleep
from mitools.metrics.transferability.transrate import transrate

RNG = np.random.default_rng(0)
LABELS = np.arange(240) % 3
NOISE = RNG.standard_normal((240, 5))
GOOD = 2 * np.eye(5)[LABELS] + 0.7 * NOISE
PERFECT = np.eye(5)[LABELS] + 1e-3 * NOISE
COLLAPSED = np.ones((240, 5))


@pytest.mark.parametrize("columns", [5, 100])
def test_logme_is_the_greatest_evidence_that_an_optimiser_finds(columns: int) -> None:
    features = np.hstack([GOOD, 0.3 * RNG.standard_normal((240, 95))])[:60, :columns].astype(np.float32)
    gram = features.astype(np.float64) @ features.T.astype(np.float64)

    def evidence(target: np.ndarray, logs: np.ndarray) -> float:
        """The density of the target, whose covariance is that of weights and of noise."""
        covariance = np.exp(-logs[0]) * gram + np.exp(-logs[1]) * np.eye(60)
        return float(multivariate_normal.logpdf(target, cov=covariance)) / 60

    found = []
    for c in range(3):
        target = (LABELS[:60] == c).astype(float)
        best = minimize(lambda logs, t=target: -evidence(t, logs), [3.0, 3.0], method="Nelder-Mead")
        found.append(-best.fun)
    assert logme(features, LABELS[:60]) == pytest.approx(np.mean(found), abs=1e-4)


def test_logme_of_random_collapsed_good_and_perfect_features_rises() -> None:
    scores = [logme(features, LABELS) for features in (NOISE, COLLAPSED, GOOD, PERFECT)]
    assert scores == sorted(scores)
    # Nothing explained: a normal density of the mean square, 1/3. One constant column explains the mean.
    unexplained, mean_alone = (-0.5 * (np.log(2 * np.pi * square) + 1) for square in (1 / 3, 2 / 9))
    assert logme(np.zeros((240, 2)), LABELS) == pytest.approx(unexplained)
    assert scores[0] == pytest.approx(unexplained, abs=0.03)
    assert scores[1] == pytest.approx(mean_alone, abs=0.03)
    assert np.isfinite(logme(np.eye(3)[LABELS], LABELS)), "a fit without any error"


@pytest.mark.parametrize("large", [1e2, 1e4])
def test_logme_is_the_greatest_of_several_maxima(large: float) -> None:
    """One column far larger than those that tell the class: the search from its scale gives them up."""
    rng, labels = np.random.default_rng(0), (np.arange(200) % 4 == 0).astype(int)
    told = rng.standard_normal((200, 20)) + 0.5 * labels[:, None] * (np.arange(20) < 5)
    features = np.hstack([large * rng.standard_normal((200, 1)), told]).astype(np.float32)
    eigenvalues, vectors = np.linalg.eigh(features.astype(np.float64) @ features.T.astype(np.float64))
    grid = eigenvalues[-1] * 10 ** np.linspace(-12, 3, 1500)
    spread = np.log1p(eigenvalues / grid[:, None]).sum(axis=1)
    best = []
    for c in range(2):
        own = (vectors.T @ (labels == c)) ** 2
        noise = (own / (1 + eigenvalues / grid[:, None])).mean(axis=1)  # the best variance for each ratio
        best.append(np.max(-0.5 * (np.log(2 * np.pi * noise) + 1 + spread / 200)))
    assert logme(features, labels) == pytest.approx(np.mean(best), abs=1e-4)


def test_logme_does_not_depend_on_scale() -> None:
    for features in (GOOD, RNG.standard_normal((20, 60)), RNG.standard_normal((20, 20))):
        # Powers of two near 1e-6 and 1e8, which single precision does not round.
        of_scales = [logme(scale * features, LABELS[: len(features)]) for scale in (2.0**-20, 1.0, 2.0**27)]
        assert of_scales == pytest.approx([of_scales[1]] * 3, rel=1e-8)
    noise = np.random.default_rng(0).standard_normal((20, 60))
    found, expected = (logme(scale * noise, np.arange(20) % 2) for scale in (1e8, 1.0))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("columns", [5, 300])
def test_the_h_score_is_its_formula_with_scikit_learns_shrinkage(columns: int) -> None:
    features = np.hstack([GOOD, RNG.standard_normal((240, 300))])[:, :columns].astype(np.float32)
    rows = features.astype(np.float64) - features.astype(np.float64).mean(axis=0)
    fitted = LedoitWolf(assume_centered=True).fit(rows)
    means = np.stack([rows[c == LABELS].mean(axis=0) for c in range(3)])[LABELS]
    between = means.T @ means / len(rows)
    expected = np.trace(np.linalg.solve(fitted.covariance_, (1 - fitted.shrinkage_) * between))
    assert h_score(features, LABELS) == pytest.approx(expected, rel=1e-4)


def test_the_h_score_lies_between_0_and_c_less_1() -> None:
    assert h_score(COLLAPSED, LABELS) == 0
    assert 0 < h_score(NOISE, LABELS) < 0.1 < h_score(GOOD, LABELS) < h_score(PERFECT, LABELS) <= 2
    assert h_score(PERFECT, LABELS) == pytest.approx(2, abs=0.05)


def test_leep_by_hand() -> None:
    theta = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    # P(y=0|z) = (1.25 / 1.5, 0.75 / 1.5) for labels 0, 0, 1
    given = np.array([1.25, 0.75]) / 1.5
    likelihood = [theta[0] @ given, theta[1] @ given, theta[2] @ (1 - given)]
    assert leep(theta, [0, 0, 1]) == pytest.approx(np.mean(np.log(likelihood)))


def test_scores_that_are_no_probabilities_are_refused() -> None:
    for scores in (np.ones((3, 2)), np.array([[1.5, -0.5]] * 3), np.ones(3)):
        with pytest.raises(InputError, match="softmax"):
            leep(scores, [0, 1, 1])


def test_nleep_is_0_where_components_are_classes_and_minus_the_entropy_where_nothing_is_there() -> None:
    assert nleep(PERFECT, LABELS) == pytest.approx(0, abs=1e-3)
    assert nleep(COLLAPSED, LABELS) == pytest.approx(-np.log(3))
    assert nleep(NOISE, LABELS) < nleep(GOOD, LABELS) < nleep(PERFECT, LABELS)


def test_transrate_is_the_difference_of_two_coding_rates() -> None:
    rows = GOOD.astype(np.float32).astype(np.float64)
    rows = rows - rows.mean(axis=0)
    rows /= np.sqrt((rows**2).sum() / 240)

    def rate(some: np.ndarray) -> float:
        return 0.5 * np.log2(np.linalg.det(np.eye(5) + some.T @ some / (len(some) * 1e-4)))

    expected = rate(rows) - np.mean([rate(rows[c == LABELS]) for c in range(3)])
    assert transrate(GOOD, LABELS) == pytest.approx(expected, rel=1e-4)
    wide = np.hstack([GOOD, np.zeros((240, 400))])  # by the smaller product
    assert transrate(wide, LABELS) == pytest.approx(expected, rel=1e-4)
    assert transrate(COLLAPSED, LABELS) == 0
    assert transrate(NOISE, LABELS) < transrate(GOOD, LABELS)
    unbalanced = np.where(np.arange(240) < 200, 0, LABELS)
    within = [rate(rows[c == unbalanced]) for c in range(3)]
    shares = np.bincount(unbalanced) / 240
    found = transrate(GOOD, unbalanced)
    assert found == pytest.approx(rate(rows) - shares @ within, rel=1e-4)
    assert abs(found - (rate(rows) - np.mean(within))) > 0.5, "the mean over classes is another number"


@pytest.mark.parametrize("score", [logme, h_score, nleep, transrate])
def test_lengths_that_differ_are_refused(score) -> None:
    with pytest.raises(InputError, match="labels has 239"):
        score(GOOD, LABELS[:-1])
