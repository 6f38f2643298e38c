import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from mitools.core.errors import InputError
from mitools.datasets.known_information.tasks import find_task
from mitools.estimators.classical import ksg as neighbours
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.classical.neighbours import search as neighbour_search
from mitools.estimators.classical.neighbours.distances import shifted_in_blocks


def normal_pair(n, correlation=0.75, seed=0):
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    return x, correlation * x + np.sqrt(1 - correlation**2) * e


def by_definition(x, y, k, algorithm):
    """Kraskov et al. 2004, Eq. 8 and 9, from all distances."""
    n = len(x)
    in_x, in_y = (np.abs(side[:, None] - side[None]).max(axis=2) for side in (x, y))
    joint = np.maximum(in_x, in_y)
    np.fill_diagonal(joint, np.inf)
    near = np.argsort(joint, axis=1)[:, :k]
    if algorithm == 1:
        reach = np.take_along_axis(joint, near, axis=1)[:, -1:]
        n_x, n_y = ((side < reach).sum(axis=1) - 1 for side in (in_x, in_y))
        return digamma(k) + digamma(n) - (digamma(n_x + 1) + digamma(n_y + 1)).mean()
    extents = (np.take_along_axis(side, near, axis=1).max(axis=1, keepdims=True) for side in (in_x, in_y))
    n_x, n_y = ((s <= e).sum(axis=1) - 1 for s, e in zip((in_x, in_y), extents, strict=True))
    return digamma(k) - 1 / k + digamma(n) - (digamma(n_x) + digamma(n_y)).mean()


def scaled(rows):
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


@pytest.mark.parametrize("brute", [True, False])
@pytest.mark.parametrize("algorithm", [1, 2])
@pytest.mark.parametrize(("d_x", "d_y", "k"), [(1, 1, 3), (1, 3, 5), (2, 2, 4), (4, 6, 3)])
def test_trees_and_brute_force_follow_the_definition(monkeypatch, brute, algorithm, d_x, d_y, k):
    for module in (neighbours, neighbour_search):
        monkeypatch.setattr(module, "brute_force_pays", lambda n, d: brute)
    rng = np.random.default_rng(d_x + d_y)
    x = rng.standard_normal((301, d_x))
    y = rng.standard_normal((301, d_y)) + x[:, :1]
    reading = KSG(k, algorithm, margins="scaled").estimate(x, y).nats
    assert reading == pytest.approx(by_definition(scaled(x), scaled(y), k, algorithm), abs=1e-9)


@pytest.mark.parametrize("d", [1, 5])
def test_without_the_null_the_reading_is_the_same(d):
    x, e = np.random.default_rng(d).standard_normal((2, 300, d))
    alone, fitted = KSG().read_without_null(x, x + e), KSG().fit(x, x + e).estimate_
    assert (alone.nats, alone.stderr) == (fitted.nats, fitted.stderr_nats)
    assert KSG().read_without_null(x, np.ones((300, d))).nats == 0
    with pytest.raises(InputError, match="have no 3 neighbours"):
        KSG().read_without_null(x[:3], e[:3])


def test_by_brute_force_the_null_reads_rows_that_do_not_belong_together(monkeypatch):
    for module in (neighbours, neighbour_search):
        monkeypatch.setattr(module, "brute_force_pays", lambda n, d: True)
    x, y = np.random.default_rng(0).standard_normal((2, 203, 3))
    estimate = KSG(margins="scaled").estimate(x, x + y)
    order = np.random.default_rng([0, 1]).permutation(203)
    apart = shifted_in_blocks(203)
    null = by_definition(scaled(x)[order], scaled(x + y)[order][apart], 3, 1)
    assert estimate.null_nats == pytest.approx(null, abs=1e-9)
    assert estimate.nats - estimate.null_nats > 0.3


@pytest.mark.parametrize("n", [100, 2000])
def test_scaled_margins_read_what_scikit_learn_reads(n):
    x, y = normal_pair(n)
    assert KSG(margins="scaled").estimate(x, y).nats == pytest.approx(
        mutual_info_regression(x[:, None], y, n_neighbors=3)[0], abs=1e-6
    )
    labels = np.random.default_rng(1).integers(0, 4, n)
    reading = MixedKSG(margins="scaled").estimate(x + labels, labels).nats
    assert reading == pytest.approx(mutual_info_classif((x + labels)[:, None], labels)[0], abs=1e-6)


@pytest.mark.parametrize("tasks", ["normal 1x1", "student 1 df 1x1", "crossed mixture 1x1", "swiss roll 2x1"])
@pytest.mark.parametrize("algorithm", [1, 2])
def test_the_truth_is_read_within_its_error(tasks, algorithm):
    known = find_task(tasks).sample(4000, seed=1)
    estimate = KSG(algorithm=algorithm).estimate(known.x, known.y)
    assert abs(estimate.nats - known.nats) < 3 * estimate.stderr_nats < 0.1
    low, high, confidence = estimate.interval_nats
    assert estimate.nats - low == pytest.approx(1.96 * estimate.stderr_nats, rel=1e-3)
    lacking = estimate.settings.get("shortfall_nats", 0.0)
    assert high - estimate.nats == pytest.approx(1.96 * estimate.stderr_nats + lacking, rel=1e-3)
    assert confidence == 0.95
    assert estimate.kind == "point estimate"
    assert abs(estimate.null_nats) < 0.05
    assert not estimate.warnings
    assert (estimate.n_train, estimate.n_select, estimate.n_report) == (0, 0, 4000)


@pytest.mark.parametrize(("task", "estimator"), [("normal 1x1", KSG()), ("labelled intervals", MixedKSG())])
def test_intervals_cover(task, estimator):
    readings, errors = [], []
    for seed in range(60):
        known = find_task(task).sample(400, seed)
        estimate = estimator.estimate(known.x, known.y)
        readings.append(estimate.nats)
        errors.append(estimate.stderr_nats)
    covered = np.abs(np.array(readings) - known.nats) < 1.96 * np.array(errors)
    assert covered.mean() > 0.88
    assert 0.8 < np.mean(errors) / np.std(readings) < 1.6


def test_independent_rows_read_zero():
    x, y = np.random.default_rng(2).standard_normal((2, 3000, 2))
    estimate = KSG().estimate(x, y)
    assert estimate.interval_nats.low < 0 < estimate.interval_nats.high
    assert estimate.has_warning("indistinguishable_from_zero")


def test_a_monotone_map_of_a_column_changes_nothing():
    x, y = normal_pair(500)
    assert KSG().estimate(np.exp(x), np.cbrt(y)).nats == KSG().estimate(x, y).nats


def test_the_same_seed_reads_the_same_number():
    x, y = np.random.default_rng(3).integers(0, 6, (2, 400))
    assert KSG(seed=1).estimate(x, y).to_dict() | {"seconds": 0} == KSG(seed=1).estimate(x, y).to_dict() | {
        "seconds": 0
    }
    assert KSG(seed=1).estimate(x, y).nats != KSG(seed=2).estimate(x, y).nats


@pytest.mark.parametrize("margins", ["normal", "scaled"])
def test_symbols_given_as_numbers_read_their_information(margins):
    known = find_task("symmetric channel 8 symbols").sample(3000, seed=0)
    estimate = KSG(margins=margins).estimate(known.x, known.y)
    assert abs(estimate.nats - known.nats) < 0.1


@pytest.mark.parametrize("margins", ["normal", "scaled"])
@pytest.mark.parametrize("d", [1, 12])
@pytest.mark.parametrize("algorithm", [1, 2])
def test_duplicated_rows_read_a_finite_number(margins, d, algorithm):
    rng = np.random.default_rng(4)
    x, y = (np.repeat(rng.standard_normal((20, d)), 25, axis=0) for _ in "xy")
    estimate = KSG(margins=margins, algorithm=algorithm).estimate(x, y)
    assert 0.5 * np.log(20) < estimate.nats <= estimate.ceiling_nats + 1e-9
    # All rows but ten the same: little to know, and nothing infinite.
    x[10:], y[10:] = 1.0, 2.0
    assert abs(KSG(margins=margins, algorithm=algorithm).estimate(x, y).nats) < 0.5


def test_half_the_rows_at_one_point_and_half_spread_out():
    # Gao et al. 2017: with probability 1/2 both are 0, else they are apart: I = log 2 of which half is on.
    rng = np.random.default_rng(5)
    on = rng.random(4000) < 0.5
    x, y = np.where(on, rng.uniform(1, 2, (2, 4000)), 0.0)
    estimate = KSG().estimate(x, y)
    assert estimate.nats == pytest.approx(np.log(2), abs=0.05)


def test_a_strong_relationship_is_saturated():
    x = np.random.default_rng(6).random(300)
    estimate = KSG().estimate(x, x + 1e-9)
    assert estimate.ceiling_nats == pytest.approx(digamma(300) - digamma(3))
    assert estimate.nats == pytest.approx(estimate.ceiling_nats)
    assert estimate.has_warning("saturated")


def test_many_dimensions_are_warned_of():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((1000, 10))
    y = 0.8 * x + 0.6 * rng.standard_normal((1000, 10))
    estimate = KSG().estimate(x, y)
    assert estimate.has_warning("small_sample")
    assert "give more rows or fewer dimensions" in str(estimate.warnings[-1])
    assert estimate.nats < 0.5 * -10 / 2 * np.log(1 - 0.64)


def test_labels_of_overlapping_normals(mixture):
    truth = mixture(2.0)
    x, labels = truth.draw(4000, np.random.default_rng(9))
    estimate = MixedKSG().estimate(x, labels)
    low, high, _ = estimate.interval_nats
    assert low < truth.label_nats() < high
    assert estimate.entropy_nats == pytest.approx(np.log(4), abs=0.01)
    assert not estimate.warnings


def test_labels_may_be_whole_floats_or_strings():
    x = np.random.default_rng(10).standard_normal(200)
    labels = (x > 0).astype(int)
    readings = [MixedKSG().estimate(x, y).nats for y in (labels, labels.astype(float), labels.astype(str))]
    assert readings[0] == readings[1] == readings[2]
    assert readings[0] == pytest.approx(np.log(2), abs=0.05)


def test_constant_columns_carry_nothing():
    x, y = normal_pair(300)
    padded = np.column_stack([np.full(300, 7.0), x])
    assert KSG().estimate(padded, y).nats == KSG().estimate(x, y).nats
    for estimate in (KSG().estimate(np.ones(300), y), MixedKSG().estimate(x, np.zeros(300))):
        assert (estimate.nats, estimate.stderr_nats) == (0, 0)
        assert estimate.has_warning("indistinguishable_from_zero")


def test_far_off_values_are_still_told_apart():
    x, y = normal_pair(500)
    far = KSG(margins="scaled").estimate(x + 1e7, y).nats
    assert far == pytest.approx(KSG(margins="scaled").estimate(x, y).nats, abs=1e-3)


def test_few_rows_are_warned_of():
    assert KSG().estimate(*normal_pair(40)).has_warning("small_sample")
    assert not KSG().estimate(*normal_pair(60)).has_warning("small_sample")


@pytest.mark.parametrize(
    ("estimator", "x", "y", "message"),
    [
        (KSG(k=0), np.arange(9.0), np.arange(9.0), "k must be at least 1"),
        (KSG(k=9), np.arange(9.0), np.arange(9.0), "9 rows have no 9 neighbours"),
        (KSG(algorithm=3), np.arange(9.0), np.arange(9.0), "algorithm must be 1 or 2"),
        (KSG(margins="rank"), np.arange(9.0), np.arange(9.0), "accepted: normal or scaled"),
        (KSG(correct_nonuniformity=True), np.arange(9.0), np.arange(9.0), "needs margins='scaled'"),
        (
            KSG(2, margins="scaled", correct_nonuniformity=True),
            np.arange(9.0),
            np.arange(9.0),
            "needs k above the 2 dimensions",
        ),
        (KSG(), np.arange(9.0), np.arange(8.0), "x has 9 rows and y has 8"),
        (KSG(), np.array([1.0, np.nan, 2.0]), np.arange(3.0), "x has NaN"),
        (KSG(), np.arange(9) + 1j, np.arange(9.0), "x holds complex128"),
        (KSG(), np.array([None] * 9), np.arange(9.0), "x holds object"),
        (KSG(), np.arange(2.0), np.arange(2.0), "2 rows are too few"),
        (MixedKSG(), np.arange(9.0), np.arange(9), "9 of 9 classes have one row"),
        (MixedKSG(), np.arange(9.0), np.linspace(0, 1, 9), "not whole numbers"),
    ],
)
def test_bad_requests_name_what_is_wrong(estimator, x, y, message):
    with pytest.raises(InputError, match=message) as raised:
        estimator.estimate(x, y)
    assert "\n" not in str(raised.value)
