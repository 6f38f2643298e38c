"""The Student-t copula as a critic: the exact log ratio where it is one, its tails found, and stackable."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from mitools.datasets.known_information.elliptical import StudentT, sparse_correlation
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.student_copula import StudentCopulaBase
from mitools.estimators.inputs.scaling import fit_scaling


def scaled(joint, n, seed=3):
    rows = [side.astype(np.float32) for side in joint.draw(n, np.random.default_rng(seed))]
    return rows, [torch.from_numpy(fit_scaling("rank_normal", side)(side)) for side in rows]


def fit(x, y):
    return StudentCopulaBase.fit(x, y, GaussianCopulaBase.fit(x, y))


@pytest.mark.parametrize("pairs", [0, 2])
def test_scores_are_the_log_ratio(pairs):
    joint = StudentT(sparse_correlation(3, 3, pairs, 0.6), 3, df=2)
    rows, (x, y) = scaled(joint, 8000)
    base = fit(x, y)
    assert base.df.item() in (1.5, 2, 3)
    some = slice(0, 500)
    truth = joint.pointwise(*(side[some] for side in rows))
    found = base(x[some], y[some]).diagonal().numpy()
    middle = np.abs(truth) < np.quantile(np.abs(truth), 0.9)
    assert np.abs(found - truth)[middle].mean() < 0.15
    assert np.corrcoef(found, truth)[0, 1] > 0.97


def test_it_reads_what_a_gaussian_copula_cannot():
    joint = StudentT.identity(5, 5, 2)
    _, (x, y) = scaled(joint, 4000)
    base = fit(x[:3000], y[:3000])
    held = x[3000:], y[3000:]
    assert read_donsker_varadhan(base, *held).nats == pytest.approx(joint.truth.nats, abs=0.08)
    assert abs(read_donsker_varadhan(base.gaussian, *held).nats) < 0.05


def test_normal_rows_get_many_degrees_of_freedom():
    rng = np.random.default_rng(3)
    x = torch.from_numpy(rng.standard_normal((2000, 4)).astype(np.float32))
    y = 0.8 * x + 0.6 * torch.from_numpy(rng.standard_normal((2000, 4)).astype(np.float32))
    assert fit(x, y).df.item() >= 14


def test_bases_can_be_stacked():
    pairs = [scaled(StudentT.identity(2, 3, df), 400)[1] for df in (1, 4)]
    bases = [fit(*pair) for pair in pairs]
    _, buffers = stack_module_state(bases)
    x, y = (torch.stack(side) for side in zip(*pairs, strict=True))
    scores = vmap(lambda own, a, b: functional_call(bases[0], own, (a, b)))(buffers, x, y)
    for base, found, pair in zip(bases, scores, pairs, strict=True):
        torch.testing.assert_close(found, base(*pair))


def test_a_constant_column_changes_nothing():
    _, (x, y) = scaled(StudentT.identity(2, 2, 2), 1000)
    wider = torch.cat([x, torch.zeros(len(x), 1)], dim=1)
    bare, beside = fit(x, y), fit(wider, y)
    assert bare.df == beside.df
    # Not to the last digit: the covariance beside it is shrunk by another share.
    torch.testing.assert_close(beside(wider[:50], y[:50]), bare(x[:50], y[:50]), atol=0.1, rtol=0.02)
    assert (fit(torch.zeros_like(x), y)(x[:5] * 0, y[:5]).abs() < 1e-4).all()
