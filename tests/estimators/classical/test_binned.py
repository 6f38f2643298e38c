import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from mitools.core.errors import InputError
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.classical.binned import BinnedEstimator


def normal_pair(n, correlation=0.75, seed=0):
    x, y = Gaussian.dense(1, 1, correlation).draw(n, np.random.default_rng(seed))
    return x[:, 0], y[:, 0]


def test_equal_width_is_the_histogram_over_the_datas_own_range():
    x, y = normal_pair(2000)
    table = np.histogram2d(x, y, bins=(12, 9))[0]
    estimate = BinnedEstimator(x_bins=12, y_bins=9).estimate(x, y)
    assert estimate.nats == pytest.approx(mutual_info_score(None, None, contingency=table))


def test_a_given_range_takes_what_lies_beyond_into_the_outer_bins():
    x, y = normal_pair(2000)
    edges = np.linspace(-1, 1, 11)[1:-1]
    codes = [np.digitize(side, edges) for side in (x, y)]
    estimate = BinnedEstimator(10, 10, x_range=(-1, 1), y_range=(-1, 1)).estimate(x, y)
    assert estimate.nats == pytest.approx(mutual_info_score(*codes))
    assert estimate.settings["x_range"] == [-1, 1]


def test_no_range_is_assumed():
    x, y = normal_pair(2000)
    estimator = BinnedEstimator(10, 10)
    assert estimator.estimate(1000 * x + 5, y).nats == pytest.approx(estimator.estimate(x, y).nats, abs=1e-3)


def test_bins_of_equal_content_hold_equally_many():
    x, y = normal_pair(3000)
    estimate = BinnedEstimator(8, 8, "quantile").estimate(x, y)
    ranks = [np.argsort(np.argsort(side)) * 8 // 3000 for side in (x, y)]
    assert estimate.nats == pytest.approx(mutual_info_score(*ranks), abs=1e-3)
    # A monotone map leaves quantiles where they are.
    assert BinnedEstimator(8, 8, "quantile").estimate(np.exp(x), y).nats == pytest.approx(
        estimate.nats, abs=1e-9
    )


def test_binning_loses_information_on_many_rows():
    truth = Gaussian.dense(1, 1, 0.75).truth.nats
    coarse, fine = (BinnedEstimator(b, b).estimate(*normal_pair(50_000)) for b in (4, 20))
    assert coarse.interval_nats.high < fine.nats < truth
    assert fine.nats == pytest.approx(truth, abs=0.03)


def test_a_layer_and_its_labels():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 1500)
    layer = np.tanh(2 * np.eye(3)[labels] + 0.05 * rng.standard_normal((1500, 3)))
    about_labels = BinnedEstimator(2, None).estimate(layer, labels)
    assert about_labels.nats == pytest.approx(np.log(3), abs=0.01)
    assert about_labels.entropy_nats == pytest.approx(about_labels.nats)
    assert not about_labels.has_warning("saturated")
    about_inputs = BinnedEstimator(None, 2).estimate(np.arange(1500), layer)
    assert about_inputs.nats == pytest.approx(np.log(3), abs=0.01)


def test_columns_share_their_bins_unless_told():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 1000)
    wide, narrow = rng.uniform(-100, 100, 1000), 25 + labels + 0.1 * rng.standard_normal(1000)
    layer = np.column_stack([wide, narrow])
    shared, own = (
        BinnedEstimator(4, None, shared_edges=on).estimate(layer, labels).nats for on in (True, False)
    )
    assert shared < 0.05
    assert own == pytest.approx(np.log(2), abs=0.02)
    tied = BinnedEstimator(4, None, "quantile", shared_edges=False).estimate(layer, labels).nats
    assert tied == pytest.approx(np.log(2), abs=0.02)


def test_rows_all_their_own_are_saturated():
    x, y = np.random.default_rng(3).standard_normal((2, 300, 40))
    estimate = BinnedEstimator().estimate(x, y)
    assert estimate.nats == pytest.approx(np.log(300)) == estimate.ceiling_nats
    assert {"saturated", "small_sample", "indistinguishable_from_zero"} <= {w.word for w in estimate.warnings}


def test_a_layer_against_inputs_all_their_own_is_saturated():
    """Where every row has a bin of its own, I(X;T) is log n whatever the layer."""
    layer = np.random.default_rng(0).standard_normal((500, 20))
    estimate = BinnedEstimator(30, None).estimate(layer, np.arange(500))
    assert estimate.nats == pytest.approx(np.log(500))
    assert estimate.ceiling_nats == pytest.approx(np.log(500))
    assert estimate.has_warning("saturated")


def test_few_bins_are_a_ceiling():
    x, _ = normal_pair(5000)
    estimate = BinnedEstimator(4, 4).estimate(x, x)
    assert estimate.ceiling_nats == pytest.approx(np.log(4))
    quantiles = BinnedEstimator(4, 4, "quantile").estimate(x, x)
    assert quantiles.nats == pytest.approx(np.log(4), abs=1e-3)
    assert quantiles.has_warning("saturated")


def test_bins_finer_than_the_labels_leave_them_as_they_are():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 1000)
    layer = labels[:, None] + 0.01 * rng.standard_normal((1000, 1))
    estimate = BinnedEstimator(30, 30).estimate(layer, labels.astype(float))
    assert estimate.entropy_nats == pytest.approx(np.log(4), abs=0.01)
    assert estimate.ceiling_nats is None
    assert not estimate.warnings
    merged = BinnedEstimator(30, 2).estimate(layer, labels)
    assert merged.entropy_nats is None
    assert merged.ceiling_nats == pytest.approx(np.log(2))
    assert merged.has_warning("saturated")


def test_a_dead_layer_reads_zero():
    estimate = BinnedEstimator(30, None).estimate(np.zeros((100, 8)), np.arange(100) % 2)
    assert (estimate.nats, estimate.stderr_nats) == (0, 0)
    # All values in one bin of the range given: nothing is left of them.
    inside = np.random.default_rng(4).uniform(0, 0.01, 100)
    assert BinnedEstimator(4, None, x_range=(-1, 1)).estimate(inside, np.arange(100) % 2).nats == 0


def test_corrections_lower_the_bias():
    x, y = normal_pair(500, 0.0)
    plain, corrected = (
        BinnedEstimator(12, 12, correction=c).estimate(x, y).nats for c in ("plug_in", "grassberger")
    )
    assert plain > 0.05
    assert abs(corrected) < 0.04


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (BinnedEstimator(1), "x_bins=1 bins tell nothing"),
        (BinnedEstimator(strategy="kmeans"), "accepted: width or quantile"),
        (BinnedEstimator(correction="nsb"), "unknown correction"),
        (BinnedEstimator(x_range=(1, 1)), "x_range=.* is no range"),
        (BinnedEstimator(strategy="quantile", y_range=(0, 1)), "leave it out"),
        (BinnedEstimator(y_bins=None), "y are not whole numbers"),
    ],
)
def test_bad_requests_name_what_is_wrong(estimator, message):
    x, y = normal_pair(50)
    with pytest.raises(InputError, match=message):
        estimator.estimate(x, y)
