"""Models of y given x: normalised, started at the linear Gaussian's truth, the matrix as the pairs."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import multivariate_normal
from torch import Tensor

from mitools.estimators.critics.conditional_densities import (
    AdditiveGaussianNoise,
    GaussianConditional,
    KnownCritic,
    ridge,
)
from mitools.estimators.inputs.whitening import Whitening, log_standard_normal

Floats = NDArray[np.float64]


def disturbed(d_x: int, d_y: int, full: bool = True) -> GaussianConditional:
    """A model whose every parameter is at random."""
    model = GaussianConditional(d_x, d_y, hidden=(8,), full=full)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


def rows(n: int, d: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d))).float()


@pytest.mark.parametrize("full", [True, False])
def test_scores_are_the_written_out_normal_densities(full: bool) -> None:
    model = disturbed(3, 2, full)
    x, y = rows(4, 3, 0), rows(5, 2, 1)
    mean, log_scale = (values.detach().double().numpy() for values in model.moments(x))
    mixing = np.eye(2)
    if full:
        mixing[1, 0] = float(model.below[1, 0].detach())
    scores = model(x, y).detach().numpy()
    for i in range(4):
        factor = np.linalg.inv(mixing) @ np.diag(np.exp(log_scale[i]))
        density = multivariate_normal(mean[i], factor @ factor.T)
        for j in range(5):
            written = density.logpdf(y[j].numpy()) - multivariate_normal(np.zeros(2)).logpdf(y[j].numpy())
            assert scores[i, j] == pytest.approx(written, abs=1e-5)


def test_pairs_score_as_the_matrix_does() -> None:
    model, x, y = disturbed(3, 4), rows(20, 3, 0), rows(20, 4, 1)
    torch.testing.assert_close(model.of_pairs(x, y).double(), model(x, y).diagonal(), rtol=1e-4, atol=1e-4)


def test_the_divergence_is_that_of_two_normals() -> None:
    model, x = disturbed(3, 2), rows(3, 3, 0)
    mean, log_scale = (values.detach().double().numpy() for values in model.moments(x))
    inverse = np.linalg.inv(np.array([[1, 0], [float(model.below[1, 0].detach()), 1]]))
    for i, value in enumerate(model.divergence(x).tolist()):
        covariance = inverse @ np.diag(np.exp(2 * log_scale[i])) @ inverse.T
        logdet = np.linalg.slogdet(covariance)[1]
        assert value == pytest.approx((np.trace(covariance) + mean[i] @ mean[i] - 2 - logdet) / 2, rel=1e-5)


def test_before_it_is_started_it_says_nothing() -> None:
    model, x, y = GaussianConditional(3, 2, hidden=(8,)), rows(6, 3, 0), rows(6, 2, 1)
    model.start(rows(5000, 3, 2).numpy(), rows(5000, 2, 3).numpy())
    assert float(model.of_pairs(x, y).detach().abs().max()) < 0.2


@pytest.mark.parametrize("full", [True, False])
def test_it_starts_at_the_linear_gaussian(full: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 3))
    weight = rng.standard_normal((3, 2))
    covariance = np.array([[0.5, 0.4], [0.4, 0.6]])
    y = x @ weight + rng.multivariate_normal([0, 0], covariance, len(x))
    whiten = Whitening(y.astype(np.float32))
    model = GaussianConditional(3, 2, hidden=(8,), full=full)
    white = whiten(y.astype(np.float32))
    model.start(x.astype(np.float32), white)
    value = float(model.of_pairs(torch.from_numpy(x).float(), torch.from_numpy(white)).detach().mean())
    truth = 0.5 * math.log(np.linalg.det(weight.T @ weight + covariance) / np.linalg.det(covariance))
    if full:
        assert value == pytest.approx(truth, abs=0.02)
    else:
        assert value < truth - 0.02  # The whitened noise is not diagonal.


def test_it_starts_where_columns_outnumber_rows() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 60)), rng.standard_normal((40, 50))
    model = GaussianConditional(60, 50, hidden=(8,))
    model.start(x.astype(np.float32), y.astype(np.float32))
    new_x, new_y = rows(200, 60, 1), rows(200, 50, 2)
    assert -10 < float(model.of_pairs(new_x, new_y).detach().mean()) < 1


def test_ridge_finds_the_weights_and_what_is_left() -> None:
    rng = np.random.default_rng(0)
    x = 100 * rng.standard_normal((4000, 2)) + 7
    weight, bias, covariance = ridge(
        x, x @ [[1.0, 2.0], [0.5, -1.0]] + [3.0, 4.0] + rng.standard_normal((4000, 2))
    )
    np.testing.assert_allclose(weight, [[1.0, 2.0], [0.5, -1.0]], atol=2e-3)
    np.testing.assert_allclose(bias, [3.0, 4.0], atol=0.1)
    np.testing.assert_allclose(covariance, np.eye(2), atol=0.08)


def test_additive_noise_is_scipys_normal() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3, 2)), rng.standard_normal((4, 2))
    covariance = np.array([[1.0, 0.3], [0.3, 0.5]])
    scores = AdditiveGaussianNoise(covariance, np.tanh).log_prob(y, x)
    written = [
        [multivariate_normal(np.tanh(x[i]), covariance).logpdf(y[j]) for j in range(4)] for i in range(3)
    ]
    np.testing.assert_allclose(scores, written, rtol=1e-10)
    plain = AdditiveGaussianNoise(0.25).log_prob(y, x)
    assert plain[1, 2] == pytest.approx(multivariate_normal(x[1], 0.25 * np.eye(2)).logpdf(y[2]))


def test_a_known_critic_scores_pairs_as_its_matrix() -> None:
    critic = KnownCritic(AdditiveGaussianNoise(0.25), log_standard_normal)
    x, y = rows(150, 2, 0).double(), rows(150, 2, 1).double()
    torch.testing.assert_close(critic.of_pairs(x, y), critic(x, y).diagonal(), rtol=1e-12, atol=1e-12)
