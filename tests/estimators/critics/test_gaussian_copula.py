"""Closed-form critics against the densities they stand for."""

import copy

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import cauchy, multivariate_normal

from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import SeparableCritic
from mitools.estimators.inputs.scaling import fit_scaling


def drawn(joint, n, seed=0):
    x, y = joint.draw(n, np.random.default_rng(seed))
    return x.astype(np.float32), y.astype(np.float32)


def scaled(train, rows, scaling):
    return torch.from_numpy(fit_scaling(scaling, train)(rows))


def read_held_out(x, y, n_train, scaling="rank_normal"):
    """Fit the base on the first rows, and read Donsker-Varadhan on the others."""
    x, y = scaled(x[:n_train], x, scaling), scaled(y[:n_train], y, scaling)
    base = GaussianCopulaBase.fit(x[:n_train], y[:n_train])
    return base, read_donsker_varadhan(base, x[n_train:], y[n_train:])


def test_the_scores_are_the_log_ratio_of_normal_densities():
    rng = np.random.default_rng(0)
    to_u, to_v, correlations = rng.standard_normal((2, 2)), rng.standard_normal((2, 2)), np.array([0.9, 0.3])
    mean = rng.standard_normal(4)
    base = GaussianCopulaBase(mean[:2], mean[2:], to_u, to_v, correlations)
    # u = x to_u has the identity as covariance, and u'v the correlations.
    from_u, from_v = np.linalg.inv(to_u), np.linalg.inv(to_v)
    across = from_u.T @ np.diag(correlations) @ from_v
    covariance = np.block([[from_u.T @ from_u, across], [across.T, from_v.T @ from_v]])
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((4, 2))
    pairs = np.concatenate(np.broadcast_arrays(x[:, None], y[None]), axis=2)
    expected = (
        multivariate_normal(mean, covariance).logpdf(pairs)
        - multivariate_normal(mean[:2], covariance[:2, :2]).logpdf(x)[:, None]
        - multivariate_normal(mean[2:], covariance[2:, 2:]).logpdf(y)
    )
    scores = base(torch.from_numpy(x), torch.from_numpy(y))
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-9, atol=1e-9)
    assert float(base.nats) == pytest.approx(-np.log(1 - correlations**2).sum() / 2)


@pytest.mark.parametrize("scaling", ["rank_normal", "standardise"])
@pytest.mark.parametrize(
    "joint",
    [Gaussian.dense(1, 1, 0.75), Gaussian.dense(1, 1, 0.99), Gaussian.sparse(5, 3, 2, 0.8)],
    ids=["1+1", "1+1 strong", "5+3 sparse"],
)
def test_normal_rows_read_the_closed_form(joint, scaling):
    _, reading = read_held_out(*drawn(joint, 8500), 6500, scaling)
    assert abs(reading.nats - joint.truth.nats) < 3 * reading.stderr
    assert reading.stderr < 0.05


@pytest.mark.parametrize(
    ("joint", "n_train", "loses"),
    [
        (Gaussian.sparse(25, 25, 2, 0.8), 6500, 0.08),
        (Gaussian.dense(25, 25, 0.5), 6500, 0.08),
        (Gaussian.sparse(50, 50, 2, 0.8), 1000, 0.35),
        (Gaussian.dense(50, 50, 0.5), 1000, 0.15),
    ],
    ids=["25+25 sparse", "25+25 dense", "50+50 sparse, few rows", "50+50 dense, few rows"],
)
def test_many_dimensions_lose_little_and_claim_nothing(joint, n_train, loses):
    base, reading = read_held_out(*drawn(joint, n_train + 1500), n_train)
    assert joint.truth.nats - loses < reading.nats < joint.truth.nats + 3 * reading.stderr
    # What the fit says of itself is what it reads on rows it has not seen.
    assert float(base.nats) == pytest.approx(reading.nats, abs=0.12)


@pytest.mark.parametrize(("n_train", "below"), [(60, 0.05), (1000, 0.005), (6500, 0.002)])
def test_independent_rows_read_nothing(n_train, below):
    base, reading = read_held_out(*drawn(Gaussian.sparse(50, 50, 0, 0.0), n_train + 1500), n_train)
    assert -below < reading.nats < 3 * reading.stderr
    assert 0 <= float(base.nats) < below


@pytest.mark.parametrize("bijection", [lambda v: cauchy.ppf(ndtr(v)), np.exp, lambda v: v**3])
def test_monotone_maps_of_normal_columns_read_the_closed_form(bijection):
    joint = Gaussian.sparse(3, 3, 2, 0.8)
    x, y = (bijection(side.astype(np.float64)).astype(np.float32) for side in drawn(joint, 8000))
    _, reading = read_held_out(x, y, 5000)
    assert reading.nats == pytest.approx(joint.truth.nats, abs=0.05)
    raw = read_held_out(x, y, 5000, "standardise")[1] if np.abs(x).max() < 1e4 else None
    assert raw is None or raw.nats < joint.truth.nats - 0.2


def test_the_order_of_the_rows_tells_nothing():
    x, y = drawn(Gaussian.dense(3, 3, 0.5), 3000)
    order = np.argsort(x[:, 0])
    shuffled, ordered = (
        float(GaussianCopulaBase.fit(torch.from_numpy(a), torch.from_numpy(b)).nats)
        for a, b in ((x, y), (x[order], y[order]))
    )
    assert ordered == pytest.approx(shuffled, abs=0.02)


def test_a_copy_of_x_is_scored_finitely():
    x, _ = drawn(Gaussian.dense(1, 1, 0.5), 1000)
    base, reading = read_held_out(x, x, 600)
    assert float(base.nats) > 5
    assert 4 < reading.nats < 7


@pytest.mark.parametrize("n", [2, 9, 10, 15])
def test_a_handful_of_rows_is_scored_finitely(n):
    x, y = (torch.from_numpy(side) for side in drawn(Gaussian.dense(30, 20, 0.5), n))
    base = GaussianCopulaBase.fit(x, y)
    scores = base(x, y)
    assert torch.isfinite(scores).all()
    assert base.correlations.shape == (20,)
    assert n >= 10 or not scores.any()


def test_constant_columns_and_sides_tell_nothing():
    joint = Gaussian.dense(2, 2, 0.7)
    x, y = drawn(joint, 6000)
    with_constant = np.column_stack([x, np.ones(6000, dtype=np.float32)])
    _, plain = read_held_out(x, y, 4000)
    assert read_held_out(with_constant, y, 4000)[1].nats == pytest.approx(plain.nats, abs=1e-3)
    base, reading = read_held_out(np.ones_like(x), y, 4000)
    assert float(base.nats) == 0
    assert reading.nats == pytest.approx(0, abs=1e-9)


def test_a_repeated_column_adds_nothing():
    x, y = drawn(Gaussian.dense(2, 2, 0.7), 6000)
    _, plain = read_held_out(x, y, 4000)
    assert read_held_out(np.column_stack([x, x]), y, 4000)[1].nats == pytest.approx(plain.nats, abs=0.01)


def test_stacked_bases_score_as_each_alone():
    torch.manual_seed(0)
    pairs = [drawn(Gaussian.dense(3, 2, rho), 400) for rho in (0.2, 0.5, 0.9)]
    members = [
        CorrectedCritic(
            GaussianCopulaBase.fit(torch.from_numpy(x), torch.from_numpy(y)), SeparableCritic(3, 2, (8,))
        )
        for x, y in pairs
    ]
    x, y = (torch.stack([torch.from_numpy(pair[side][:40]) for pair in pairs]) for side in (0, 1))
    state = torch.func.stack_module_state(members)
    template = copy.deepcopy(members[0]).to("meta")
    together = torch.func.vmap(lambda s, x, y: torch.func.functional_call(template, s, (x, y)))(state, x, y)
    alone = torch.stack([member(a, b) for member, a, b in zip(members, x, y, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert not list(members[0].base.parameters())
