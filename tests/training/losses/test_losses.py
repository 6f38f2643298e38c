"""Every loss against its formula written out, on a batch of four."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.training.losses import (
    cross_entropy,
    infonce,
    infonce_nats,
    ntxent,
    ntxent_nats,
    ntxent_with_negatives,
    supcon,
)

K, DIMENSIONS, TEMPERATURE = 4, 3, 0.4


LABELS = torch.tensor([0, 1, 0, 2])


@pytest.fixture
def views() -> Tensor:
    """Two views of the four items."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, K, DIMENSIONS, generator=generator, dtype=torch.float64)


@pytest.fixture
def negatives() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(10, DIMENSIONS, generator=generator, dtype=torch.float64)


def cosine(a: Tensor, b: Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


def weight(a: Tensor, b: Tensor) -> float:
    return math.exp(cosine(a, b) / TEMPERATURE)


def test_nt_xent_is_definition_ii_1(views: Tensor) -> None:
    x, y = views
    total = 0.0
    for mine, other in ((x, y), (y, x)):
        for i in range(K):
            rest = sum(weight(mine[i], mine[j]) for j in range(K) if j != i)
            rest += sum(weight(mine[i], other[j]) for j in range(K))
            total -= math.log(weight(mine[i], other[i]) / rest)
    assert ntxent(x, y, TEMPERATURE).item() == pytest.approx(total / (2 * K), rel=1e-12)
    nats = ntxent_nats(x, y, TEMPERATURE)
    assert float(nats) == pytest.approx(math.log(2 * K - 1) - total / (2 * K), rel=1e-12)


def test_infonce_is_one_sided(views: Tensor) -> None:
    x, y = views
    total = -sum(math.log(weight(x[i], y[i]) / sum(weight(x[i], y[j]) for j in range(K))) for i in range(K))
    assert infonce(x, y, TEMPERATURE).item() == pytest.approx(total / K, rel=1e-12)
    assert float(infonce_nats(x, y, TEMPERATURE)) == pytest.approx(math.log(K) - total / K, rel=1e-12)


def test_negatives_from_elsewhere_replace_the_batchs_own(views: Tensor, negatives: Tensor) -> None:
    x, y = views
    total = 0.0
    for mine, other in ((x, y), (y, x)):
        for i in range(K):
            positive = weight(mine[i], other[i])
            total -= math.log(positive / (positive + sum(weight(mine[i], n) for n in negatives)))
    loss = ntxent_with_negatives(x, y, negatives, TEMPERATURE)
    assert loss.item() == pytest.approx(total / (2 * K), rel=1e-12)


def test_supcon_is_khoslas_equation_2(views: Tensor) -> None:
    rows = torch.cat([*views])
    labels = [0, 1, 0, 2] * 2
    total = 0.0
    for i in range(2 * K):
        others = [j for j in range(2 * K) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        denominator = sum(weight(rows[i], rows[j]) for j in others)
        total -= sum(math.log(weight(rows[i], rows[j]) / denominator) for j in positives) / len(positives)
    loss = supcon(rows, torch.tensor(labels), TEMPERATURE)
    assert loss.item() == pytest.approx(total / (2 * K), rel=1e-12)


def test_supcon_agrees_with_a_peer(views: Tensor) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    rows, labels = torch.cat([*views]), LABELS.repeat(2)
    expected = losses.SupConLoss(temperature=TEMPERATURE)(rows, labels)
    assert supcon(rows, labels, TEMPERATURE).item() == pytest.approx(expected.item(), rel=1e-5)


def test_supcon_leaves_out_anchors_without_a_positive() -> None:
    rows = torch.randn(3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    alone = supcon(rows, torch.tensor([0, 0, 1]), TEMPERATURE)
    a, b, c = rows
    expected = [-math.log(weight(p, q) / (weight(p, q) + weight(p, c))) for p, q in ((a, b), (b, a))]
    assert float(alone) == pytest.approx(np.mean(expected), rel=1e-12)
    with pytest.raises(InputError, match="no item of the batch"):
        supcon(rows, torch.tensor([0, 1, 2]))


def test_cross_entropy_is_the_mean_negative_log_likelihood() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0], [3.0, 0.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 0, 1])
    own = [2.0, 1.0, 1.0, 0.0]
    total = sum(
        math.log(math.exp(float(row[0])) + math.exp(float(row[1]))) - chosen
        for row, chosen in zip(logits, own, strict=True)
    )
    assert cross_entropy(logits, labels).item() == pytest.approx(total / 4, rel=1e-12)
    with pytest.raises(InputError, match="label 2 has no logit"):
        cross_entropy(logits, torch.tensor([0, 1, 2, 0]))


@pytest.mark.parametrize("nats_of", [ntxent_nats, infonce_nats])
def test_the_in_training_estimate_never_passes_its_ceiling(nats_of: Callable[..., Tensor]) -> None:
    """Even where every positive is exact and every negative opposite, at the smallest temperatures."""
    eye = torch.eye(64, dtype=torch.float64)
    ceiling = math.log(2 * 64 - 1) if nats_of is ntxent_nats else math.log(64)
    for temperature in (1.0, 0.1, 0.01, 0.001):
        nats = float(nats_of(eye, eye, temperature))
        assert nats <= ceiling + 1e-12
    assert nats == pytest.approx(ceiling, abs=1e-9)


LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "cross_entropy": lambda views: cross_entropy(views[0], LABELS),
    "ntxent": lambda views: ntxent(*views),
    "infonce": lambda views: infonce(*views),
    "supcon": lambda views: supcon(views.flatten(0, 1), LABELS.repeat(2)),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_gradients_pull_the_loss_down(name: str, views: Tensor) -> None:
    rows = views.clone().requires_grad_()
    before = LOSSES[name](rows)
    before.backward()
    assert rows.grad is not None
    after = LOSSES[name]((rows - 0.05 * rows.grad).detach())
    assert after.item() < before.item()
