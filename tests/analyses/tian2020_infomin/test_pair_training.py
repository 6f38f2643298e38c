"""Networks of B.4, intra-batch contrast, and what is read of attributes: known cases."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from mitools.analyses.tian2020_infomin.pair_training import PairTrainingRecipe, contrast_loss, train
from mitools.analyses.tian2020_infomin.seed_means import over_seeds
from mitools.analyses.tian2020_infomin.shared_factors.factor_heads import FactorRows, factor_errors
from mitools.analyses.tian2020_infomin.shared_factors.pair_networks import (
    ClipEmbedding,
    ImageEmbedding,
    PooledConvNet,
)
from mitools.analyses.tian2020_infomin.three_regimes.attribute_bits import attribute_bits
from mitools.analyses.tian2020_infomin.three_regimes.label_efficiency import LabelledRows, few_label_accuracy
from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.training.loop.trainer import NotFiniteError


def test_networks_share_their_convolutions_and_the_order_of_frames_counts() -> None:
    with seeded(0):
        network = PooledConvNet()
        images, clips = ImageEmbedding(network, 5), ClipEmbedding(network, 5)
        frames = torch.rand(3, 4, 3, 32, 32)
    assert network(frames[:, 0]).shape == (3, 64)
    assert sum(one.numel() for one in nn.ModuleList([images, clips]).parameters()) < 2 * sum(
        one.numel() for one in clips.parameters()
    )
    rows = clips(frames)
    np.testing.assert_allclose(rows.norm(dim=1).detach(), 1, rtol=1e-5)
    assert not torch.allclose(rows, clips(frames.flip(1)))
    assert images(frames[:, 0]).shape == (3, 5)


def test_the_loss_is_infonce_of_both_directions() -> None:
    """Rows along the axes: each is its partner's nearest by 1 / temperature."""
    eye, temperature = torch.eye(4), 0.5
    expected = math.log(1 + 3 * math.exp(-1 / temperature))
    assert float(contrast_loss(eye, eye, temperature)) == pytest.approx(expected, rel=1e-6)
    same = torch.ones(4, 2)
    assert float(contrast_loss(same, same, temperature)) == pytest.approx(math.log(4), rel=1e-6)


def test_training_sees_every_item_once_and_goes_downhill() -> None:
    weight, seen = nn.Parameter(torch.tensor([1.0])), []
    recipe = PairTrainingRecipe(steps=60, batch_size=2, learning_rate=0.1)

    def loss(items: np.ndarray) -> torch.Tensor:
        seen.extend(items.tolist())
        return (weight**2).sum()

    reports: list[int] = []
    train([weight], loss, recipe, lambda what, done, total: reports.append(done))
    assert seen == list(range(120))
    assert abs(weight.item()) < 0.3
    assert reports == [50, 60]


def test_a_loss_that_is_not_finite_is_told_with_its_step() -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    with pytest.raises(NotFiniteError, match="at step 1; lower the learning_rate"):
        train([weight], lambda items: weight.sum() * torch.inf, PairTrainingRecipe(steps=3))


def test_attribute_bits_are_those_of_planted_rows() -> None:
    """Four equal classes in the rows are 2 bits; parity is seen by neighbours alone; what is absent is 0."""
    rng = np.random.default_rng(0)
    plain, absent, signs = rng.integers(0, 4, 600), rng.integers(0, 2, 600), rng.integers(0, 2, (600, 2))
    rows = np.concatenate([4 * np.eye(4)[plain], 8 * signs], axis=1) + 0.1 * rng.standard_normal((600, 6))
    found = attribute_bits(rows, {"plain": plain, "parity": signs.sum(axis=1) % 2, "absent": absent})
    assert found["plain"]["h_bits"] == pytest.approx(2)
    assert found["plain"]["linear_bits"] == pytest.approx(2, abs=0.05)
    assert found["parity"]["linear_bits"] < 0.1
    assert found["parity"]["neighbours_bits"] > 0.9
    assert abs(found["absent"]["linear_bits"]) < 0.05
    assert abs(found["absent"]["neighbours_bits"]) < 0.05


def test_few_labels_are_enough_where_nothing_else_is_in_the_rows() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    clean = LabelledRows(np.eye(4)[labels] + 0.01 * rng.standard_normal((400, 4)), labels)
    nuisance = rng.integers(0, 2, (400, 8))
    noisy = LabelledRows(np.concatenate([clean.rows, nuisance], axis=1), labels)
    assert few_label_accuracy(clean, clean, (1, 10), draws=3) == {1: 1.0, 10: 1.0}
    of_noisy = few_label_accuracy(noisy, noisy, (1, 20), draws=5)
    assert of_noisy[1] < 0.9 < of_noisy[20]
    with pytest.raises(InputError, match="the pool has 100 items of class 0, and 101 labels a class"):
        few_label_accuracy(clean, clean, (101,), draws=1)


def test_factor_errors_are_those_of_planted_rows() -> None:
    """Rows that hold the digit and the place, and nothing of the background."""
    rng = np.random.default_rng(0)

    def part(n: int) -> FactorRows:
        digit, background, places = (rng.integers(0, k, s) for k, s in ((10, n), (10, n), (37, (n, 2))))
        labels = {"digit": digit, "background": background, "position": places[:, 0]}
        return FactorRows(np.concatenate([np.eye(10)[digit], places], axis=1), labels, places)

    found = factor_errors(part(500), part(500))
    assert found["digit"]["error"] == 0
    assert found["position"]["error"] < 0.1
    assert found["background"]["error_low"] < 0.9 < found["background"]["error_high"] + 0.05
    assert found["digit"]["chance"] == pytest.approx(0.9)
    # The mean distance of a uniform place in a square of side 37 from its middle: 0.3826 sides.
    assert found["position"]["chance"] == pytest.approx(0.3826 * 37, rel=0.05)


def test_one_seed_has_no_interval() -> None:
    assert str(over_seeds([0.5])) == "0.50"
    mean = over_seeds([1.0, 3.0])
    # Student's t of one degree of freedom: 12.706 standard errors of 1.
    assert (mean.low, mean.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), rel=1e-4)
