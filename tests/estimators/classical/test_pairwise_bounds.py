import numpy as np
import pytest
from scipy.stats import norm

from mitools.core.errors import InputError
from mitools.estimators.classical.pairwise_bounds import PairwiseLowerBound, PairwiseUpperBound


def exact_nats(centres, labels, variance):
    """I(T;Y) of normals about centres on a line, by quadrature: H(T) - H(T|Y)."""
    reach = 10 * np.sqrt(variance)
    grid = np.linspace(centres.min() - reach, centres.max() + reach, 20_001)
    densities = norm.pdf(grid[:, None], centres, np.sqrt(variance))

    def h(density):
        return -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), grid)

    within = sum((labels == c).mean() * h(densities[:, labels == c].mean(axis=1)) for c in np.unique(labels))
    return h(densities.mean(axis=1)) - within


@pytest.mark.parametrize("variance", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("classes", [3, 60])
def test_the_bounds_enclose_the_truth(variance, classes):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % classes
    centres = 2.0 * (labels % 3) + 0.3 * rng.standard_normal(60)
    truth = exact_nats(centres, labels, variance)
    lower, upper = (
        bound(variance).estimate(centres, labels) for bound in (PairwiseLowerBound, PairwiseUpperBound)
    )
    assert 0 < lower.nats <= truth <= upper.nats
    assert (lower.kind, upper.kind) == ("lower bound", "upper bound")


def test_by_definition_for_every_row_its_own_input():
    rows = np.random.default_rng(1).standard_normal((40, 3))
    squared = np.square(rows[:, None] - rows[None]).sum(axis=2)
    for bound, denominator in ((PairwiseUpperBound, 2), (PairwiseLowerBound, 8)):
        expected = -np.log(np.exp(-squared / (denominator * 0.5)).mean(axis=1)).mean()
        assert bound(0.5).estimate(rows, np.arange(40)).nats == pytest.approx(expected)


def test_clusters_far_apart_are_told_exactly():
    labels = np.repeat([0, 1, 2, 3], 50)
    rows = 1e4 * np.eye(4)[labels]
    for bound in (PairwiseLowerBound, PairwiseUpperBound):
        estimate = bound().estimate(rows, labels)
        assert estimate.nats == pytest.approx(np.log(4))
        assert estimate.entropy_nats == pytest.approx(np.log(4))
        assert abs(estimate.null_nats) < 0.2
        assert not estimate.warnings


def test_less_noise_more_information_up_to_the_ceiling():
    rows = np.random.default_rng(2).standard_normal((100, 2))
    readings = [PairwiseUpperBound(v).estimate(rows, np.arange(100)).nats for v in (10, 1, 0.1, 1e-9)]
    assert readings == sorted(readings)
    sharp = PairwiseUpperBound(1e-9).estimate(rows, np.arange(100))
    assert sharp.nats == pytest.approx(np.log(100)) == sharp.ceiling_nats
    assert sharp.has_warning("saturated")
    assert sharp.null_nats is None


def test_many_rows_go_in_chunks(monkeypatch):
    from mitools.estimators.bounds import reading as readings

    rows = np.random.default_rng(3).standard_normal((200, 2))
    whole = PairwiseUpperBound().estimate(rows, np.arange(200)).nats
    monkeypatch.setattr(readings, "SCORES_IN_MEMORY", 1000)
    assert PairwiseUpperBound().estimate(rows, np.arange(200)).nats == pytest.approx(whole)


def test_the_standard_error_is_how_samples_vary():
    rng = np.random.default_rng(4)
    estimates = []
    for _ in range(80):
        labels = rng.integers(0, 3, 150)
        estimates.append(PairwiseLowerBound(0.5).estimate(labels + rng.standard_normal(150), labels))
    ratio = np.mean([e.stderr_nats for e in estimates]) / np.std([e.nats for e in estimates])
    assert 0.8 < ratio < 1.25


def test_a_dead_layer_reads_zero():
    estimate = PairwiseUpperBound().estimate(np.ones((30, 5)), np.arange(30))
    assert (estimate.nats, estimate.stderr_nats) == (0, 0)


@pytest.mark.parametrize("variance", [0.0, -1.0, np.nan, np.inf])
def test_noise_must_have_a_variance(variance):
    with pytest.raises(InputError, match=r"noise_variance=.* must be positive"):
        PairwiseUpperBound(variance).estimate(np.arange(9.0), np.arange(9))


def test_labels_must_be_labels():
    with pytest.raises(InputError, match="not whole numbers"):
        PairwiseUpperBound().estimate(np.arange(9.0), np.linspace(0, 1, 9))
