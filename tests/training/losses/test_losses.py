"""Every objective against its formula written out, on a batch of four."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.training.losses.cross_entropy import CrossEntropy
from mitools.training.losses.ntxent import InfoNCE, NTXent
from mitools.training.losses.supcon import SupCon
from mitools.training.methods.base import Embedded
from mitools.training.methods.registry import OBJECTIVES

K, DIMENSIONS, TEMPERATURE = 4, 3, 0.4


@pytest.fixture
def batch() -> Embedded:
    generator = torch.Generator().manual_seed(0)
    views = torch.randn(2, K, DIMENSIONS, generator=generator, dtype=torch.float64)
    negatives = torch.randn(2, 5, DIMENSIONS, generator=generator, dtype=torch.float64)
    return Embedded(views.requires_grad_(), torch.tensor([0, 1, 0, 2]), negatives)


def cosine(a: Tensor, b: Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


def weight(a: Tensor, b: Tensor) -> float:
    return math.exp(cosine(a, b) / TEMPERATURE)


def test_nt_xent_is_definition_ii_1(batch: Embedded) -> None:
    x, y = batch.views.detach()
    total = 0.0
    for mine, other in ((x, y), (y, x)):
        for i in range(K):
            rest = sum(weight(mine[i], mine[j]) for j in range(K) if j != i)
            rest += sum(weight(mine[i], other[j]) for j in range(K))
            total -= math.log(weight(mine[i], other[i]) / rest)
    loss = NTXent(TEMPERATURE)(batch._replace(negatives=None))
    assert loss.value.item() == pytest.approx(total / (2 * K), rel=1e-12)
    assert loss.nats is not None
    assert float(loss.nats) == pytest.approx(math.log(2 * K - 1) - total / (2 * K), rel=1e-12)
    assert loss.ceiling_nats == math.log(2 * K - 1)


def test_infonce_is_one_sided(batch: Embedded) -> None:
    x, y = batch.views.detach()
    total = -sum(math.log(weight(x[i], y[i]) / sum(weight(x[i], y[j]) for j in range(K))) for i in range(K))
    loss = InfoNCE(TEMPERATURE)(batch)
    assert loss.value.item() == pytest.approx(total / K, rel=1e-12)
    assert loss.nats is not None
    assert float(loss.nats) == pytest.approx(math.log(K) - total / K, rel=1e-12)


def test_negatives_from_elsewhere_replace_the_batchs_own(batch: Embedded) -> None:
    x, y = batch.views.detach()
    assert batch.negatives is not None
    elsewhere = batch.negatives.flatten(0, 1)
    total = 0.0
    for mine, other in ((x, y), (y, x)):
        for i in range(K):
            positive = weight(mine[i], other[i])
            total -= math.log(positive / (positive + sum(weight(mine[i], n) for n in elsewhere)))
    loss = NTXent(TEMPERATURE)(batch)
    assert loss.value.item() == pytest.approx(total / (2 * K), rel=1e-12)
    assert loss.nats is None, "noise-contrastive estimation is no bound on I(X;Y)"


def test_supcon_is_khoslas_equation_2(batch: Embedded) -> None:
    rows = torch.cat([*batch.views.detach()])
    labels = [0, 1, 0, 2] * 2
    total = 0.0
    for i in range(2 * K):
        others = [j for j in range(2 * K) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        denominator = sum(weight(rows[i], rows[j]) for j in others)
        total -= sum(math.log(weight(rows[i], rows[j]) / denominator) for j in positives) / len(positives)
    loss = SupCon(TEMPERATURE)(batch)
    assert loss.value.item() == pytest.approx(total / (2 * K), rel=1e-12)


def test_supcon_agrees_with_a_peer(batch: Embedded) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    rows = torch.cat([*batch.views])
    labels = batch.labels.repeat(2)
    expected = losses.SupConLoss(temperature=TEMPERATURE)(rows, labels)
    assert SupCon(TEMPERATURE)(batch).value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_supcon_leaves_out_anchors_without_a_positive() -> None:
    rows = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    alone = SupCon(TEMPERATURE)(Embedded(rows, torch.tensor([0, 0, 1]))).value
    a, b, c = rows[0]
    expected = [-math.log(weight(p, q) / (weight(p, q) + weight(p, c))) for p, q in ((a, b), (b, a))]
    assert float(alone) == pytest.approx(np.mean(expected), rel=1e-12)
    with pytest.raises(InputError, match="no item of the batch"):
        SupCon()(Embedded(rows, torch.tensor([0, 1, 2])))


def test_cross_entropy_bounds_label_information() -> None:
    logits = torch.tensor([[[2.0, 0.0], [0.0, 1.0], [1.0, 1.0], [3.0, 0.0]]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 0, 1])
    own = [2.0, 1.0, 1.0, 0.0]
    total = sum(
        math.log(math.exp(float(row[0])) + math.exp(float(row[1]))) - chosen
        for row, chosen in zip(logits[0], own, strict=True)
    )
    loss = CrossEntropy(math.log(2))(Embedded(logits, labels))
    assert loss.value.item() == pytest.approx(total / 4, rel=1e-12)
    assert loss.nats is not None
    assert float(loss.nats) == pytest.approx(math.log(2) - total / 4, rel=1e-9)
    with pytest.raises(InputError, match="label 2 has no logit"):
        CrossEntropy(1.0)(Embedded(logits, torch.tensor([0, 1, 2, 0])))


@pytest.mark.parametrize("name", ["simclr", "class", "infonce"])
def test_the_in_training_estimate_never_passes_its_ceiling(name: str) -> None:
    """Even where every positive is exact and every negative opposite, at the smallest temperatures."""
    eye = torch.eye(64, dtype=torch.float64)
    views = torch.stack([eye, eye])
    for temperature in (1.0, 0.1, 0.01, 0.001):
        loss = OBJECTIVES[name].make(temperature, 0.0)(Embedded(views, torch.arange(64)))
        assert loss.nats is not None
        assert loss.ceiling_nats is not None
        assert float(loss.nats) <= loss.ceiling_nats + 1e-12
    assert float(loss.nats) == pytest.approx(loss.ceiling_nats, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "ctc"])
def test_gradients_pull_the_loss_down(name: str, batch: Embedded) -> None:
    objective = OBJECTIVES[name].make(OBJECTIVES[name].temperature, 1.0)
    views = batch.views.detach().clone().requires_grad_()
    found = batch._replace(views=views, negatives=None)
    before = objective(found).value
    before.backward()
    assert views.grad is not None
    after = objective(found._replace(views=(views - 0.05 * views.grad).detach())).value
    assert after.item() < before.item()
