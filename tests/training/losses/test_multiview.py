"""Contrastive multiview coding against the paper's equations written out, on four samples of three views."""

import math

import pytest
import torch
from torch import Tensor

from mitools.training.losses import log_partition, multiview, nce, two_views

K, WIDTH, TEMPERATURE = 4, 3, 0.3


@pytest.fixture
def views() -> Tensor:
    return torch.randn(3, K, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def h(a: Tensor, b: Tensor) -> float:
    """Eq. 3."""
    cosine = sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    return math.exp(cosine / (math.hypot(*a.tolist()) * math.hypot(*b.tolist())) / TEMPERATURE)


def contrast(one: Tensor, other: Tensor) -> float:
    """Eq. 2 with k = K - 1: anchored at the first view, enumerating the second."""
    shares = [h(one[i], other[i]) / sum(h(one[i], other[j]) for j in range(K)) for i in range(K)]
    return -sum(map(math.log, shares)) / K


def both(one: Tensor, other: Tensor) -> float:
    """Eq. 4."""
    return contrast(one, other) + contrast(other, one)


def test_two_views_are_equations_2_and_4(views: Tensor) -> None:
    x, y, _ = views
    assert two_views(x, y, TEMPERATURE).item() == pytest.approx(both(x, y), rel=1e-12)
    assert contrast(x, y) != pytest.approx(contrast(y, x), rel=1e-3), "or the directions tell nothing"


def test_the_core_view_is_equation_7_and_the_full_graph_equation_8(views: Tensor) -> None:
    a, b, c = views
    core = multiview([a, b, c], [(0, 1), (0, 2)], TEMPERATURE)
    full = multiview([a, b, c], [(0, 1), (0, 2), (1, 2)], TEMPERATURE)
    assert core.item() == pytest.approx(both(a, b) + both(a, c), rel=1e-12)
    assert full.item() == pytest.approx(both(a, b) + both(a, c) + both(b, c), rel=1e-12)


def test_nce_is_equations_10_and_11_and_z_the_mean_over_all_rows(views: Tensor) -> None:
    queries, keys, noise = views
    n, m = 50, K
    scores = [[h(q, k), *(h(q, v) for v in noise)] for q, k in zip(queries, keys, strict=True)]
    z = n * sum(map(sum, scores)) / (K * (m + 1))
    log_z = log_partition(queries, keys, noise, n, TEMPERATURE)
    assert log_z.item() == pytest.approx(math.log(z), rel=1e-12)

    def is_data(score: float) -> float:
        return (score / z) / (score / z + m / n)

    total = 0.0
    for positive, *negatives in scores:
        total -= math.log(is_data(positive)) + sum(math.log(1 - is_data(v)) for v in negatives)
    assert nce(queries, keys, noise, log_z, n, TEMPERATURE).item() == pytest.approx(total / K, rel=1e-12)


def test_nce_is_least_at_the_true_z() -> None:
    """Three equal rows, each drawn as noise once: data with 1 / 4, and no other Z does better."""
    rows = torch.ones(1, 2, dtype=torch.float64)
    noise = rows.repeat(3, 1)
    truth = log_partition(rows, rows, noise, 3)
    losses = [nce(rows, rows, noise, truth + shift, 3).item() for shift in (-0.3, 0.0, 0.3)]
    assert losses[1] == pytest.approx(-(math.log(1 / 4) + 3 * math.log(3 / 4)), rel=1e-12)
    assert losses[1] < min(losses[0], losses[2])


def test_gradients_pull_the_losses_down(views: Tensor) -> None:
    log_z = log_partition(*views, items=20)
    for loss in (
        lambda v: multiview(list(v), [(0, 1), (1, 2)], TEMPERATURE),
        lambda v: nce(*v, log_z, 20, TEMPERATURE),
    ):
        rows = views.clone().requires_grad_()
        before = loss(rows)
        before.backward()
        assert rows.grad is not None
        assert loss((rows - 0.02 * rows.grad).detach()).item() < before.item()
