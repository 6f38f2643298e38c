"""NT-Xent with log(2K - 1) exceeds H(C) at finite K; InfoNCE with log K does not.

With perfect features and the oracle critic (log 1/pi on one class, hugely negative otherwise) a batch's
value depends on its class counts alone. An anchor of a class with m members adds some v(m); so a batch of
one class of m members and K - m classes of one gives v(m) through the code under test, and binomial
weights give the expectation without any noise.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import Tensor

from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.nt_xent import nt_xent

NEVER = -1e4

EXCESS_BITS = [(64, 10, 0.0021), (16, 4, 0.0043)]


def infonce_of(scores: Tensor) -> float:
    return float(infonce(scores))


def nt_xent_of(scores: Tensor) -> float:
    return float(nt_xent(scores, scores, scores))


def batch_value(bound: Callable[[Tensor], float], classes: np.ndarray, n_classes: int) -> float:
    same = torch.from_numpy(classes[:, None] == classes[None, :])
    return bound(torch.where(same, np.log(n_classes), NEVER).double())


def expectation(bound: Callable[[Tensor], float], k: int, n_classes: int) -> float:
    """Expected value of a bound over batches of K pairs with equal, independent classes, in nats."""
    alone = batch_value(bound, np.arange(k), n_classes)
    total = 0.0
    for m in range(1, k + 1):
        value = batch_value(bound, np.r_[np.zeros(m), np.arange(1, k - m + 1)], n_classes)
        of_anchor = (value * k - alone * (k - m)) / m
        total += binom.pmf(m - 1, k - 1, 1 / n_classes) * of_anchor
    return total


@pytest.mark.parametrize(("k", "n_classes", "excess_bits"), EXCESS_BITS)
def test_nt_xent_exceeds_the_entropy_by_the_designs_figures(
    k: int, n_classes: int, excess_bits: float
) -> None:
    excess = expectation(nt_xent_of, k, n_classes) - np.log(n_classes)
    assert excess / np.log(2) == pytest.approx(excess_bits, abs=0.00005)


@pytest.mark.parametrize(("k", "n_classes", "excess_bits"), EXCESS_BITS)
def test_infonce_stays_below_the_entropy(k: int, n_classes: int, excess_bits: float) -> None:
    assert expectation(infonce_of, k, n_classes) < np.log(n_classes) - excess_bits * np.log(2)


def test_the_expectation_is_that_of_drawn_batches() -> None:
    rng = np.random.default_rng(0)
    drawn = [batch_value(nt_xent_of, rng.integers(0, 4, 16), 4) for _ in range(4000)]
    stderr = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - expectation(nt_xent_of, 16, 4)) < 3 * stderr
