"""Measures of the spectrum: worked values, random, collapsed and perfect features, and other ways to them."""

from functools import partial

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs import row_table
from mitools.metrics.spectrum.alpha_req import alpha_req
from mitools.metrics.spectrum.lidar import discriminant_matrix, lidar
from mitools.metrics.spectrum.nesum import nesum
from mitools.metrics.spectrum.participation_ratio import participation_ratio
from mitools.metrics.spectrum.rankme import rankme
from mitools.metrics.spectrum.singular_values import Spectrum, entropy_rank
from mitools.metrics.spectrum.stable_rank import stable_rank

RANKS = (rankme, nesum, stable_rank, participation_ratio)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def orthonormal(n: int, k: int) -> np.ndarray:
    return np.linalg.qr(rng().standard_normal((n, k)))[0]


@pytest.mark.parametrize("shape", [(200, 7), (7, 200)])
def test_singular_values_are_numpys(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "NUMBERS_AT_ONCE", 300)
    rows = rng().standard_normal(shape) + 3
    found = Spectrum.of(rows)
    single = rows.astype(np.float32).astype(np.float64)
    assert found.raw == pytest.approx(np.linalg.svd(single, compute_uv=False))
    centred = np.linalg.svd(single - single.mean(axis=0), compute_uv=False)
    assert found.centred == pytest.approx(centred, abs=1e-5)


def test_known_spectra_give_known_ranks() -> None:
    spectrum = Spectrum(np.array([4.0, 2.0, 2.0]), np.array([2.0, 1.0, 1.0]))
    assert rankme(spectrum) == pytest.approx(2**1.5, rel=1e-5)  # entropy of (1/2, 1/4, 1/4) is 3/2 bits
    assert nesum(spectrum) == 1.5
    assert stable_rank(spectrum) == 1.5
    assert participation_ratio(spectrum) == pytest.approx(36 / 18)


def test_random_features_have_nearly_full_rank_and_collapsed_ones_have_rank_one() -> None:
    white = Spectrum.of(rng().standard_normal((20_000, 16)))
    line = Spectrum.of(np.outer(rng().standard_normal(500), np.ones(16)))
    for rank in RANKS:
        assert rank(white) == pytest.approx(16, rel=0.06)
        assert rank(line) == pytest.approx(1, abs=1e-3)


def test_a_perfect_representation_of_c_classes_has_rank_c_raw_and_c_less_1_centred() -> None:
    spectrum = Spectrum.of(np.eye(10)[np.arange(1000) % 10])
    assert rankme(spectrum) == pytest.approx(10, rel=1e-4)
    assert stable_rank(spectrum) == pytest.approx(10)
    assert nesum(spectrum) == pytest.approx(9)
    assert participation_ratio(spectrum) == pytest.approx(9)


def test_no_rank_depends_on_scale_or_on_the_basis() -> None:
    rows = rng().standard_normal((300, 5)) * np.arange(1, 6)
    turned = 1e3 * rows @ orthonormal(5, 5)
    for measure in (*RANKS, alpha_req):
        assert measure(Spectrum.of(turned)) == pytest.approx(measure(Spectrum.of(rows)), rel=1e-4)


def test_dead_features_have_rank_0_and_no_power_law() -> None:
    dead = Spectrum.of(np.zeros((20, 4)))
    assert [rank(dead) for rank in RANKS] == [0, 0, 0, 0]
    assert np.isnan(alpha_req(dead))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_power_law_of_planted_eigenvalues_is_found(alpha: float) -> None:
    rows = orthonormal(400, 150)
    rows = (rows - rows.mean(axis=0)) @ np.eye(150)
    basis = np.linalg.svd(rows, full_matrices=False)[0]
    basis = basis[:, :140] * np.arange(1, 141) ** (-alpha / 2)
    assert alpha_req(Spectrum.of(basis)) == pytest.approx(alpha, rel=1e-3)


def test_the_power_law_is_that_of_the_authors_weighted_least_squares() -> None:
    eigenvalues = np.sort(rng().gamma(1.0, size=160))[::-1]
    k = np.arange(11, 101)
    x = np.stack([-np.log(k), np.ones(len(k))], axis=1)
    y, w = np.log(eigenvalues[10:100]), 1 / k
    slope = np.linalg.solve(x.T @ (x * w[:, None]), x.T @ (w * y))[0]
    assert alpha_req(Spectrum(np.ones(160), np.sqrt(eigenvalues))) == pytest.approx(slope)


def test_lidar_counts_directions_that_survive_the_augmentations() -> None:
    items = orthonormal(3000, 8) * np.sqrt(3000)
    noise = partial(rng().normal, size=(3000, 4, 8))
    everywhere = lidar(items[:, None] + noise(scale=0.1))
    loud = np.ones(8)
    loud[:5] = 30.0  # the augmentation drowns five of the eight directions
    assert everywhere == pytest.approx(8, rel=0.01)
    assert lidar(items[:, None] + 0.1 * noise(scale=1.0) * loud) == pytest.approx(3, rel=0.1)


def test_lidar_is_its_formula() -> None:
    views = rng().standard_normal((60, 3, 4)) + 2 * rng().standard_normal((60, 1, 4))
    mean = views.mean(axis=1)
    between = np.cov(mean, rowvar=False, bias=True)
    within = np.einsum("ivj,ivk->jk", views - mean[:, None], views - mean[:, None]) / 180 + 1e-4 * np.eye(4)
    eigenvalues = np.linalg.eigvals(np.linalg.solve(within, between)).real
    share = eigenvalues / eigenvalues.sum() + 1e-7
    assert lidar(views) == pytest.approx(np.exp(-(share * np.log(share)).sum()))


def test_views_of_another_shape_are_refused() -> None:
    for shape in [(5, 4), (5, 1, 4)]:
        with pytest.raises(InputError, match=r"views have shape"):
            lidar(np.zeros(shape))


REPTRIX = {"rankme": 14.480058, "alpha": 1.54720736, "lidar": 1.64981541}
"""What reptrix 0.1.0 gives for the numbers of the next test; its `del_sigma_augs` is 3 delta for LiDAR."""


def test_the_measures_agree_with_reptrix() -> None:
    rows = (rng().standard_normal((300, 120)) * np.arange(1, 121) ** -0.7).astype(np.float32)
    spectrum = Spectrum.of(rows)
    # Theirs reads RankMe off the eigenvalues of centred rows; the entropy of shares is the same function.
    assert entropy_rank(spectrum.centred**2) == pytest.approx(REPTRIX["rankme"], rel=1e-6)
    assert alpha_req(spectrum) == pytest.approx(REPTRIX["alpha"], rel=1e-6)
    draws = rng()
    views = draws.standard_normal((60, 3, 4))
    views += 2 * draws.standard_normal((60, 1, 4)) * np.array([1, 0.7, 0.5, 0.3])
    # And LiDAR off the eigenvalues of the covariance of the discriminant matrix's rows.
    matrix = discriminant_matrix(views)
    theirs = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False) ** 2
    assert entropy_rank(theirs) == pytest.approx(REPTRIX["lidar"], rel=1e-6)


def test_the_power_law_is_fitted_to_ranks_11_to_100() -> None:
    eigenvalues = np.arange(1, 161) ** -1.3
    found = alpha_req(Spectrum(np.ones(160), np.sqrt(eigenvalues)))
    for rank, counts in ((10, False), (11, True), (100, True), (101, False)):
        changed = eigenvalues.copy()
        changed[rank - 1] *= 1.01
        other = alpha_req(Spectrum(np.ones(160), np.sqrt(changed)))
        assert (abs(other - found) > 1e-6) == counts, rank
