import numpy as np
import pytest
from scipy.integrate import quad

from mitools.core.errors import InputError
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, dense_correlation
from mitools.datasets.known_information.tasks import find_task
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.inputs.rank_normal import normal_scores


def drawn(joint, n, seed=0):
    return joint.draw(n, np.random.default_rng(seed))


def test_one_dimension_each_is_the_correlation_less_its_bias():
    x, y = drawn(Gaussian.dense(1, 1, 0.6), 40)
    r = np.corrcoef(x[:, 0], y[:, 0])[0, 1]
    # At independence r^2 is Beta(1/2, (n - 2)/2): the mean of -log(1 - r^2) / 2 by quadrature.
    density = lambda s: s**-0.5 * (1 - s) ** 18  # noqa: E731
    bias = quad(lambda s: -np.log1p(-s) / 2 * density(s), 0, 1)[0] / quad(density, 0, 1)[0]
    assert GaussianEstimator().estimate(x, y).nats == pytest.approx(-np.log(1 - r**2) / 2 - bias, abs=1e-6)


@pytest.mark.parametrize("d", [1, 5, 25])
@pytest.mark.parametrize("estimator", [GaussianEstimator(), GaussianCopulaEstimator()])
def test_normal_rows_read_the_truth(d, estimator):
    joint = Gaussian.dense(d, d, 0.5)
    estimate = estimator.estimate(*drawn(joint, 4000))
    low, high, _ = estimate.interval_nats
    assert low < joint.truth.nats < high
    assert high - low < 0.12
    assert abs(estimate.null_nats) < 0.05
    assert not estimate.warnings
    assert (estimate.kind, estimate.n_report) == ("point estimate", 4000)


@pytest.mark.parametrize(("d", "n"), [(3, 20), (10, 60), (25, 80)])
def test_small_samples_are_unbiased_and_covered(d, n):
    joint = Gaussian.sparse(d, d, 2, 0.8)
    estimates = [GaussianEstimator().estimate(*drawn(joint, n, seed)) for seed in range(80)]
    readings = np.array([estimate.nats for estimate in estimates])
    errors = np.array([estimate.stderr_nats for estimate in estimates])
    assert abs(readings.mean() - joint.truth.nats) < 3 * readings.std() / np.sqrt(len(readings))
    assert 0.75 < errors.mean() / readings.std() < 1.3
    assert (np.abs(readings - joint.truth.nats) < 1.96 * errors).mean() > 0.85


def test_independent_rows_read_zero():
    estimate = GaussianEstimator().estimate(*drawn(Gaussian.sparse(20, 20, 0, 0.0), 100))
    assert estimate.interval_nats.low < 0 < estimate.interval_nats.high
    assert estimate.has_warning("indistinguishable_from_zero")


def test_linear_maps_of_a_side_change_nothing():
    x, y = drawn(Gaussian.dense(3, 2, 0.5), 500)
    matrix = np.random.default_rng(1).standard_normal((3, 3))
    plain = GaussianEstimator().estimate(x, y)
    mapped = GaussianEstimator().estimate(x @ matrix + 5, y)
    assert mapped.nats == pytest.approx(plain.nats, abs=1e-9)
    assert mapped.stderr_nats == pytest.approx(plain.stderr_nats, abs=1e-9)


def test_columns_that_others_determine_add_nothing():
    x, y = drawn(Gaussian.dense(3, 2, 0.5), 500)
    plain = GaussianEstimator().estimate(x, y).nats
    repeated = np.column_stack([x, x[:, 0], x[:, 1] - x[:, 2], np.ones(500)])
    assert GaussianEstimator().estimate(repeated, y).nats == pytest.approx(plain, abs=1e-6)


def test_a_constant_side_reads_zero():
    estimate = GaussianEstimator().estimate(np.ones(100), np.arange(100))
    assert (estimate.nats, estimate.stderr_nats) == (0, 0)


def test_heavy_tails_widen_the_interval():
    joint = StudentT(dense_correlation(1, 1, 0.75), 1, 5)
    estimates = [GaussianEstimator().estimate(*drawn(joint, 500, seed)) for seed in range(80)]
    ratio = np.mean([e.stderr_nats for e in estimates]) / np.std([e.nats for e in estimates])
    assert 0.8 < ratio < 1.25


def test_ranks_undo_monotone_maps():
    known = find_task("half cube of sparse normal 5x5").sample(4000, seed=0)
    estimate = GaussianCopulaEstimator().estimate(known.x, known.y)
    assert estimate.interval_nats.low < known.nats < estimate.interval_nats.high
    assert estimate.nats == GaussianCopulaEstimator().estimate(np.cbrt(known.x), np.exp(known.y)).nats
    assert GaussianEstimator().estimate(known.x, known.y).interval_nats.high < known.nats


def test_too_few_rows_are_shrunk_and_warned_of():
    x, y = drawn(Gaussian.dense(30, 30, 0.5), 40)
    estimate = GaussianEstimator().estimate(x, y)
    assert estimate.has_warning("small_sample")
    assert estimate.settings["covariance"] == "ledoit_wolf"
    assert 0 < estimate.settings["intensity"] < 1
    oas = GaussianEstimator("oas").estimate(x, y)
    assert oas.nats != estimate.nats


def test_a_shrunk_covariance_reads_the_closed_form_on_many_rows():
    joint = Gaussian.dense(2, 2, 0.5)
    for shrinkage in ("ledoit_wolf", "oas"):
        estimate = GaussianEstimator(shrinkage).estimate(*drawn(joint, 20_000))
        assert estimate.nats == pytest.approx(joint.truth.nats, abs=0.03)
        assert estimate.stderr_nats == pytest.approx(
            GaussianEstimator().estimate(*drawn(joint, 20_000)).stderr_nats, rel=0.1
        )


def test_normal_scores_share_the_rank_of_ties():
    scores = normal_scores(np.array([[3.0], [1.0], [3.0], [2.0]]))[:, 0]
    assert scores[0] == scores[2]
    np.testing.assert_allclose(
        np.sort(normal_scores(np.arange(9.0)[:, None])[:, 0]), normal_scores(np.arange(9.0)[:, None])[:, 0]
    )
    np.testing.assert_allclose(normal_scores(np.arange(9.0)[::-1, None])[4, 0], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "x", "y", "message"),
    [
        (GaussianEstimator("lasso"), np.arange(9.0), np.arange(9.0) ** 2, "unknown shrinkage"),
        (GaussianEstimator(), np.arange(9.0), 2 * np.arange(9.0) + 1, "the reading is infinite"),
        (GaussianEstimator("none"), np.eye(9), np.arange(9.0), "9 rows are too few for a covariance of"),
        (GaussianEstimator(), np.arange(9.0), np.arange(8.0), "x has 9 rows and y has 8"),
        (GaussianCopulaEstimator(), np.array([1.0, np.inf, 2.0]), np.arange(3.0), "x has NaN, infinite"),
    ],
)
def test_bad_requests_name_what_is_wrong(estimator, x, y, message):
    with pytest.raises(InputError, match=message):
        estimator.estimate(x, y)
