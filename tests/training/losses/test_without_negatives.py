"""IMSVD, Barlow Twins and VICReg: their formulas written out on four samples, and lightly beside."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.training.losses import (
    barlow_twins,
    diagonal_entropy,
    imsvd,
    invariance_cross_entropy,
    off_diagonal_entropy,
    transform_invariance,
    vicreg,
)
from mitools.training.losses.imsvd import soft_pair

K, M, UNITS = 4, 3, 2


@pytest.fixture
def views() -> Tensor:
    """Two views of four items, three variables of two units."""
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(2, K, M * UNITS, generator=generator, dtype=torch.float64)


def soft(rows: Tensor) -> list[list[list[float]]]:
    """Equation 1, written out."""
    found = []
    for row in rows.tolist():
        groups = [row[m * UNITS : (m + 1) * UNITS] for m in range(M)]
        found.append([[math.exp(z) / sum(math.exp(k) for k in group) for z in group] for group in groups])
    return found


def test_every_term_is_its_formula(views: Tensor) -> None:
    p, q = (soft(view) for view in views)
    alike = cross = diagonal = off_diagonal = 0.0
    for i in range(K):
        for m in range(M):
            alike -= math.log(sum(p[i][m][d] * q[i][m][d] for d in range(UNITS))) / (K * M)
            cross -= sum(p[i][m][d] * math.log(q[i][m][d]) for d in range(UNITS)) / (K * M)
    for a in range(M):
        for b in range(M):
            for d in range(UNITS):
                for e in range(UNITS):
                    joint = sum(p[i][a][d] * q[i][b][e] for i in range(K)) / K  # Eq. 10
                    if a != b:
                        off_diagonal -= joint * math.log(joint) / (M * (M - 1))
                    elif d == e:
                        diagonal -= joint * math.log(joint) / M
    pair = soft_pair(*views, UNITS)
    assert float(transform_invariance(*pair)) == pytest.approx(alike, rel=1e-12)
    assert float(invariance_cross_entropy(*pair)) == pytest.approx(cross, rel=1e-12)
    assert float(diagonal_entropy(*pair)) == pytest.approx(diagonal, rel=1e-12)
    assert float(off_diagonal_entropy(*pair)) == pytest.approx(off_diagonal, rel=1e-12)
    weighed = imsvd(*views, UNITS, invariance=2.0, diagonal=3.0, off_diagonal=5.0)
    assert float(weighed) == pytest.approx(2 * alike - 3 * diagonal - 5 * off_diagonal, rel=1e-12)
    assert float(imsvd(*views, UNITS, 0.0, 1.0, 0.0)) == pytest.approx(-diagonal, rel=1e-12)


@pytest.mark.parametrize("units", [1 * UNITS, 70])
def test_the_gradient_made_beforehand_is_the_slope(units: int) -> None:
    """Of tables that are made in several parts, too: 70 units are more rows than are made at once."""
    generator = torch.Generator().manual_seed(1)
    p, q = (
        torch.rand(3, M, units, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)
    )
    assert torch.autograd.gradcheck(off_diagonal_entropy, (p, q), fast_mode=units > UNITS)
    joint = torch.einsum("nad,nbe->abde", p, q) / 3
    plain = -(joint * joint.log()).sum(dim=(2, 3))
    expected = (plain.sum() - plain.trace()) / (M * (M - 1))
    torch.testing.assert_close(off_diagonal_entropy(p, q), expected)
    assert off_diagonal_entropy(p.detach(), q.detach()) == off_diagonal_entropy(p, q).detach()


def test_probabilities_stop_at_the_least_one() -> None:
    """Views that are certain of different values: log(2e-8) and not of 0."""
    x = torch.tensor([[200.0, -200.0], [200.0, -200.0]])
    assert float(transform_invariance(*soft_pair(x, -x, 2))) == pytest.approx(-math.log(2e-8), rel=1e-6)
    assert math.isfinite(float(imsvd(x, -x, 2)))


def test_barlow_twins_is_its_formula(views: Tensor) -> None:
    x, y = ((view - view.mean(dim=0)) / (view.var(dim=0, unbiased=False) + 1e-5).sqrt() for view in views)
    total = 0.0
    for i in range(M * UNITS):
        for j in range(M * UNITS):
            correlation = sum(float(x[k, i] * y[k, j]) for k in range(K)) / K
            total += (1 - correlation) ** 2 if i == j else 0.01 * correlation**2
    assert float(barlow_twins(*views, 0.01)) == pytest.approx(total, rel=1e-10)


def test_vicreg_is_its_formula(views: Tensor) -> None:
    width = M * UNITS
    total = 25 * float((views[0] - views[1]).square().sum()) / (K * width)
    for view in views:
        mean = [sum(view[:, j].tolist()) / K for j in range(width)]
        for i in range(width):
            for j in range(width):
                products = [(float(row[i]) - mean[i]) * (float(row[j]) - mean[j]) for row in view]
                covariance = sum(products) / (K - 1)
                if i == j:
                    total += 25 * max(0.0, 1 - math.sqrt(covariance + 1e-4)) / (2 * width)
                else:
                    total += covariance**2 / width
    assert float(vicreg(*views)) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize(("ours", "name"), [(barlow_twins, "BarlowTwinsLoss"), (vicreg, "VICRegLoss")])
def test_lightly_gives_the_same(ours: Callable[..., Tensor], name: str) -> None:
    losses = pytest.importorskip("lightly.loss")
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(64, 40, generator=generator)
    y = x + 0.3 * torch.randn(64, 40, generator=generator)
    assert float(ours(x, y)) == pytest.approx(float(getattr(losses, name)()(x, y)), rel=1e-5)


LOSSES: list[Callable[..., Tensor]] = [lambda x, y: imsvd(x, y, UNITS), barlow_twins, vicreg]


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_pull_the_loss_down(loss: Callable[..., Tensor], views: Tensor) -> None:
    rows = views.clone().requires_grad_()
    before = loss(*rows)
    before.backward()
    assert rows.grad is not None
    assert loss(*(rows - 0.01 * rows.grad).detach()) < before


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_of_one_is_one_line(loss: Callable[..., Tensor], views: Tensor) -> None:
    with pytest.raises(InputError, match=r"a batch of 1 has no .*; give at least two items"):
        loss(*views[:, :1])


def test_columns_that_do_not_divide_are_one_line(views: Tensor) -> None:
    with pytest.raises(InputError, match="6 columns do not divide into variables of 4 units"):
        imsvd(*views, 4)
