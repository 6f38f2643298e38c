import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ive
from scipy.stats import ortho_group

from mitools.core.errors import InputError
from mitools.metrics import alignment as alignment_module
from mitools.metrics import uniformity as uniformity_module
from mitools.metrics.alignment import alignment
from mitools.metrics.sphere import unit_rows
from mitools.metrics.tolerance import tolerance
from mitools.metrics.uniformity import uniformity


def gaussian_rows(n, d, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def brute_uniformity(features, t):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    square = ((unit[:, None] - unit[None]) ** 2).sum(-1)
    return math.log(np.exp(-t * square)[np.triu_indices(len(unit), 1)].mean())


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.5])
def test_alignment_is_the_mean_power_of_the_distance(alpha):
    x, y = gaussian_rows(300, 5, 1), gaussian_rows(300, 5, 2)
    u, v = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    expected = (np.linalg.norm(u - v, axis=1) ** alpha).mean()
    assert alignment(x, y, alpha) == pytest.approx(expected, rel=1e-12)
    assert alignment(x.astype(np.float32), y.astype(np.float32), alpha) == pytest.approx(expected, rel=1e-5)


def test_alignment_of_known_pairs():
    x = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert alignment(x, x) == 0
    assert alignment(x, -3 * x) == pytest.approx(4)
    assert alignment(x, x[::-1]) == pytest.approx(2)


def test_alignment_over_all_same_class_pairs_is_two_minus_twice_tolerance():
    features, labels = gaussian_rows(60, 4), np.arange(60) % 3
    i, j = np.nonzero((labels[:, None] == labels) & ~np.eye(60, dtype=bool))
    assert alignment(features[i], features[j]) == pytest.approx(
        2 - 2 * tolerance(features, labels), abs=1e-12
    )


@pytest.mark.parametrize("t", [0.5, 2.0, 6.0])
def test_uniformity_is_the_log_mean_potential_over_pairs(t):
    features = gaussian_rows(200, 4)
    assert uniformity(features, t) == pytest.approx(brute_uniformity(features, t), rel=1e-12)
    assert uniformity(features.astype(np.float32), t) == pytest.approx(
        brute_uniformity(features, t), abs=1e-5
    )


@pytest.mark.parametrize("block", [1, 3, 64, 199, 200])
def test_blocks_do_not_change_uniformity_or_alignment(monkeypatch, block):
    features, other = gaussian_rows(200, 4), gaussian_rows(200, 4, 5)
    expected = uniformity(features), alignment(features, other)
    for module in (uniformity_module, alignment_module):
        monkeypatch.setattr(module, "BLOCK_ROWS", block)
    assert (uniformity(features), alignment(features, other)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("t", [2.0, 500.0])
def test_uniformity_of_antipodes_is_exact_even_where_the_exponential_underflows(t):
    assert uniformity(np.array([[3.0, 0.0], [-1.0, 0.0]]), t) == pytest.approx(-4 * t, rel=1e-12)


@pytest.mark.parametrize(("m", "t"), [(64, 2.0), (301, 5.0)])
def test_uniformity_of_the_uniform_circle_is_a_bessel_function(m, t):
    # E exp(-t ||x - y||^2) = exp(-2t) I_0(2t) for independent uniform angles. m equally spaced angles
    # integrate it to machine precision; the m pairs i = i, each worth 1, are taken out again.
    angle = 2 * np.pi * np.arange(m) / m
    features = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    expected = math.log((m * ive(0, 2 * t) - 1) / (m - 1))
    assert uniformity(features, t) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 5), st.integers(2, 40), st.integers(2, 6))
def test_rotation_scaling_and_order_change_neither(seed, t, n, d):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, d))
    turn = ortho_group.rvs(d, random_state=seed)
    order = rng.permutation(n)
    stretch = np.exp(rng.normal(size=(n, 1)))
    assert uniformity((x * stretch)[order] @ turn, t) == pytest.approx(uniformity(x, t), abs=1e-9)
    moved = alignment((x * stretch)[order] @ turn, y[order] @ turn)
    assert moved == pytest.approx(alignment(x, y), abs=1e-9)
    assert -4 * t <= uniformity(x, t) <= 1e-12
    assert alignment(y, x) == pytest.approx(alignment(x, y), abs=1e-12)


def test_a_row_of_zeros_stays_at_the_origin():
    zero, one = np.zeros((1, 3)), np.array([[2.0, 0.0, 0.0]])
    assert alignment(zero, one) == 1
    assert alignment(zero, zero) == 0
    assert uniformity(np.concatenate([zero, one])) == pytest.approx(-2)
    assert uniformity(np.zeros((4, 3))) == 0


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_very_large_and_very_small_rows_keep_their_direction(scale):
    unit = unit_rows(np.array([[3.0, 4.0]]) * scale)
    torch.testing.assert_close(unit, torch.tensor([[0.6, 0.8]], dtype=torch.float64))


def test_single_precision_rows_near_the_limits_keep_their_direction():
    rows = np.array([[3e30, 4e30], [3e-30, 4e-30]], dtype=np.float32)
    torch.testing.assert_close(unit_rows(rows), torch.tensor([[0.6, 0.8]] * 2))


def test_constant_features_read_as_fully_aligned_and_not_at_all_uniform():
    constant = np.full((50, 8), 0.3, dtype=np.float32)
    assert alignment(constant, constant[::-1]) == 0
    assert uniformity(constant) == pytest.approx(0, abs=1e-5)


def test_numpy_torch_and_half_precision_agree_and_the_input_is_left_alone():
    features = gaussian_rows(100, 6, dtype=np.float32)
    kept = features.copy()
    features.setflags(write=False)
    expected = uniformity(features)
    assert uniformity(torch.from_numpy(kept)) == expected
    assert np.array_equal(features, kept)
    half = kept.astype(np.float16)
    assert uniformity(half) == uniformity(half.astype(np.float32))
    assert uniformity(torch.from_numpy(kept).bfloat16()) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: alignment(np.ones((3, 2)), np.ones((4, 2))), "shapes"),
        (lambda: alignment(np.ones((0, 2)), np.ones((0, 2))), "shape"),
        (lambda: alignment(np.ones((3, 2)), np.ones((3, 2)), alpha=0), "alpha"),
        (lambda: uniformity(np.ones((1, 2))), "two rows"),
        (lambda: uniformity(np.ones(5)), "shape"),
        (lambda: uniformity(np.ones((5, 2)), t=-1), "t=-1"),
        (lambda: uniformity(np.ones((5, 2)), t=math.nan), "t=nan"),
        (lambda: uniformity(np.array([[1.0, 2.0], [np.nan, 0.0]])), "1 of 2 rows, the first at row 1"),
        (lambda: uniformity(np.array([[np.inf, 2.0], [1.0, 0.0]])), "first at row 0"),
        (lambda: uniformity(np.array([["a"], ["b"]])), "real numbers"),
        (lambda: uniformity(torch.ones(2, 2, dtype=torch.complex64)), "real numbers"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
