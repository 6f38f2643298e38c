"""The automatic choice: what arrays are taken for, which estimator is chosen, and how close it comes."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.datasets.known_information.channels import JointTable
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.datasets.known_information.tasks import find_task, sample
from mitools.estimators import LabelInformation
from mitools.estimators.auto import AutoEstimator
from mitools.estimators.automatic.labels import better_of_labels
from mitools.estimators.automatic.numbers import better_of_many_columns
from mitools.estimators.inputs.splits import split

N = 400
RNG = np.random.default_rng(0)


class TestDiscrete:
    def test_symbols_are_counted(self):
        known = find_task("symmetric channel 8 symbols").sample(4000, seed=3)
        found = AutoEstimator().estimate(known.x, known.y)
        assert found.settings["chosen"] == "discrete"
        assert found.settings["chosen_settings"]["correction"] == "grassberger"
        assert found.nats == pytest.approx(known.nats, abs=0.03)

    def test_rare_pairs_are_read_with_what_was_not_seen(self):
        known = sample(JointTable.symmetric_channel(60, 0.5), 4000, seed=3)
        found = AutoEstimator().estimate(known.x, known.y)
        assert found.settings["chosen"] == "nsb"
        assert list(found.settings["considered"]) == ["discrete", "predictive_coding", "nsb"]
        assert found.interval_nats.low < known.nats < found.interval_nats.high
        assert found.nats == pytest.approx(known.nats, abs=0.08)
        json.dumps(found.to_dict(), allow_nan=False)

    def test_rare_pairs_without_dependence_read_nothing(self):
        rng = np.random.default_rng(3)
        found = AutoEstimator().estimate(rng.integers(0, 60, 2000), rng.integers(0, 60, 2000))
        assert found.settings["chosen"] == "nsb"
        assert found.interval_nats.low <= 0 < found.interval_nats.high < 0.1
        assert found.has_warning("indistinguishable_from_zero")

    def test_pairs_that_never_recur_get_the_lower_bound_alone(self):
        rng = np.random.default_rng(3)
        x, y = rng.integers(0, 100, (2, 500))
        found = AutoEstimator().estimate(
            x[:90],
            y[:90],
        )
        assert found.settings["x"] == "numbers"
        told = AutoEstimator(x_as="symbols", y_as="symbols").estimate(x[:90], y[:90])
        assert (told.settings["chosen"], told.kind) == ("predictive_coding", "lower bound")
        assert told.has_warning("undersampled")
        assert told.interval_nats.low < 0

    @pytest.mark.parametrize("order", [1, -1])
    def test_labels_on_either_side(self, order):
        known = find_task("labelled intervals").sample(4000, seed=3)
        found = AutoEstimator().estimate(*(known.x, known.y)[::order])
        assert found.settings["chosen"] == "mixed_ksg"
        assert found.nats == pytest.approx(known.nats, abs=0.04)

    def test_labels_of_many_columns_get_a_certificate(self):
        rng = np.random.default_rng(3)
        labels = rng.integers(0, 2, 600)
        rows = rng.standard_normal((600, 30)) + 8 * labels[:, None]
        found = AutoEstimator().estimate(rows, labels)
        assert (found.settings["chosen"], found.kind) == ("label_information", "lower bound")
        assert found.bits == pytest.approx(1, abs=0.03)

    def test_names_of_one_row_are_refused(self):
        labels = np.append(np.full(N, "cat"), "dog")
        with pytest.raises(InputError, match="1 of 2 labels have one row"):
            AutoEstimator().estimate(RNG.standard_normal((N + 1, 3)), labels)
        with pytest.raises(InputError, match="1 of 2 labels have one row"):
            AutoEstimator(y_as="labels").estimate(RNG.standard_normal((N + 1, 3)), labels == "cat")


class TestLabelsThatNoLineDivides:
    """What the linear classifier does not see is looked for by others, and both numbers are said."""

    def estimate(self, x, y):
        return AutoEstimator().estimate(x, y)

    def test_the_sign_of_a_product(self):
        x = np.random.default_rng(4).standard_normal((3000, 6))
        found = self.estimate(x, (x[:, 0] * x[:, 1] > 0).astype(int))
        assert found.kind == "lower bound"
        assert 0.95 * LOG2 < found.interval_nats.low < LOG2
        assert found.settings["considered"]["label_information"]["nats"] < 0.02
        assert re.search(
            r"certify 0\.9\d+ bits of the labels where a linear classifier certifies -?0\.00",
            (found.settings["because"]),
        )

    @pytest.mark.parametrize("columns", [4, 20])
    def test_rings(self, columns):
        rng = np.random.default_rng(3)
        labels, angle = rng.integers(0, 3, 2000), 2 * np.pi * rng.random(2000)
        radius = 1 + labels + 0.1 * rng.standard_normal(2000)
        noise = rng.standard_normal((2000, columns - 2))
        found = self.estimate(np.c_[radius * np.cos(angle), radius * np.sin(angle), noise], labels)
        assert found.kind == "lower bound"
        assert 0.85 * np.log(3) < found.nats
        assert found.interval_nats.low < np.log(3)

    def test_moons_in_twenty_columns(self):
        rng = np.random.default_rng(3)
        labels, angle = rng.integers(0, 2, 2000), np.pi * rng.random(2000)
        x = np.where(labels == 0, np.cos(angle), 1 - np.cos(angle)) + 0.1 * rng.standard_normal(2000)
        y = np.where(labels == 0, np.sin(angle), 0.5 - np.sin(angle)) + 0.1 * rng.standard_normal(2000)
        found = self.estimate(np.c_[x, y, rng.standard_normal((2000, 18))], labels)
        linear = found.settings["considered"]["label_information"]["nats"]
        assert linear < 0.5 < 0.6 < found.nats
        assert found.interval_nats.low < LOG2

    def test_nothing_changes_where_a_line_divides(self):
        rng = np.random.default_rng(3)
        labels = rng.integers(0, 2, 1000)
        rows = rng.standard_normal((1000, 20)) + 0.3 * labels[:, None]
        found = self.estimate(rows, labels)
        assert found.nats == LabelInformation().estimate(rows, labels).nats
        assert found.settings["chosen_settings"]["classifier"] == "logistic regression"

    def test_labels_of_nothing(self):
        rng = np.random.default_rng(3)
        found = self.estimate(rng.standard_normal((1000, 12)), rng.integers(0, 3, 1000))
        assert found.has_warning("indistinguishable_from_zero")


class TestWhichReadingOfLabels:
    def chosen(self, near, linear, family, far=True):
        warnings = (EstimateWarning("small_sample", "far", "more"),) if far else ()
        near = near and SimpleNamespace(
            estimate_=Estimate("mixed_ksg", "point estimate", near, 0.01, null_nats=0.0, warnings=warnings)
        )
        bounds = [
            value
            and SimpleNamespace(
                estimate_=Estimate("bound", "lower bound", value, 0.01, settings={"classifier": name})
            )
            for name, value in (("linear", linear), ("trees", family))
        ]
        found = better_of_labels(near, *bounds).estimator.estimate_
        return found.settings.get("classifier", found.method)

    @pytest.mark.parametrize(
        ("readings", "chosen"),
        [
            ((0.3, 0.29, None), "linear"),
            ((0.3, 0.29, 0.5), "trees"),
            ((0.3, 0.29, 0.3), "linear"),
            ((0.6, 0.2, 0.4), "mixed_ksg"),
            ((None, 0.2, 0.4), "trees"),
        ],
    )
    def test_far_neighbours_are_shown_where_they_clearly_exceed_the_bounds(self, readings, chosen):
        assert self.chosen(*readings) == chosen

    def test_near_neighbours_unless_a_bound_clearly_exceeds_them(self):
        assert self.chosen(0.3, 0.29, 0.31, far=False) == "mixed_ksg"
        assert self.chosen(0.3, 0.29, 0.5, far=False) == "trees"


class TestWholeNumbers:
    """Counts, ages, ratings, rounded values and ids: never refused, and what they are taken for is said."""

    def estimate(self, x, y, truth, **told):
        found = AutoEstimator(**told).estimate(x, y)
        low, high, _ = found.interval_nats
        assert low < truth < high
        return found

    @pytest.mark.parametrize("seed", range(3))
    def test_counts_with_a_singleton(self, seed):
        rng = np.random.default_rng(seed)
        counts = rng.geometric(0.2, 2000)
        assert np.min(np.unique(counts, return_counts=True)[1]) == 1
        found = self.estimate(rng.standard_normal(2000), counts, 0.0)
        assert found.settings["y"] == "numbers"
        assert re.search("of them once", found.settings["y_because"])

    def test_ages_and_what_depends_on_them(self):
        rng = np.random.default_rng(3)
        years = rng.normal(40, 10, 3000)
        found = self.estimate(np.rint(years).astype(int), years / 10 + rng.standard_normal(3000), 0.5 * LOG2)
        assert found.settings["x"] == "numbers"

    def test_rounded_values_with_a_singleton(self):
        rng = np.random.default_rng(3)
        value = rng.standard_normal(3000)
        found = self.estimate(value.round(1), value + rng.standard_normal(3000), 0.5 * LOG2)
        assert found.settings["x"] == "numbers"

    def test_ratings_with_a_singleton_beside_several_columns(self):
        rng = np.random.default_rng(3)
        rating = np.append(rng.integers(2, 6, 399), 1)
        found = AutoEstimator(max_steps=20).estimate(rng.standard_normal((400, 5)), rating)
        assert found.settings["y"] == "numbers"
        assert found.has_warning("indistinguishable_from_zero")

    @pytest.mark.parametrize("seed", range(2))
    def test_ids_without_order(self, seed):
        """Zipf ids, and a copy of which half is drawn afresh."""
        rng = np.random.default_rng(seed)
        p = 1 / np.arange(1, 2001)
        p /= p.sum()
        name = rng.permutation(2000)
        x, fresh = name[rng.choice(2000, 5000, p=p)], name[rng.choice(2000, 5000, p=p)]
        joint = 0.5 * np.outer(p, p) + 0.5 * np.diag(p)
        truth = float((joint * np.log(joint / np.outer(p, p))).sum())
        found = self.estimate(x, np.where(rng.random(5000) < 0.5, fresh, x), truth)
        assert (found.settings["x"], found.settings["y"]) == ("symbols", "symbols")

    def test_told_otherwise(self):
        known = find_task("symmetric channel 8 symbols").sample(2000, seed=3)
        found = AutoEstimator(x_as="numbers", y_as="numbers").estimate(known.x, known.y)
        assert found.settings["chosen"] == "ksg"
        assert (found.settings["x"], found.settings["x_because"]) == ("numbers", "x_as says so")
        with pytest.raises(InputError, match="kind of y"):
            AutoEstimator(y_as="number").estimate(known.x, known.y)


class TestNumbers:
    @pytest.mark.parametrize(
        "task", ["normal 1x1", "student 1 df 1x1", "sparse normal 2x2", "swiss roll 2x1"]
    )
    def test_few_columns_are_read_by_neighbours(self, task):
        known = find_task(task).sample(4000, seed=3)
        found = AutoEstimator().estimate(known.x, known.y)
        assert found.settings["chosen"] == "ksg"
        assert found.nats == pytest.approx(known.nats, abs=0.06)

    def test_a_normal_dependence_is_read_as_one(self):
        known = sample(Gaussian.sparse(6, 6, 2, 0.8), 1000, seed=3)
        found = AutoEstimator(max_steps=50).estimate(np.exp(known.x), known.y)
        assert found.settings["chosen"] == "gaussian_copula"
        assert found.nats == pytest.approx(known.nats, abs=0.12)
        assert set(found.settings["considered"]) >= {"adaptive", "gaussian_copula", "components"}
        json.dumps(found.to_dict(), allow_nan=False)

    def test_a_given_split_is_what_is_trained_on(self):
        known = sample(Gaussian.sparse(6, 6, 2, 0.8), 600, seed=3)
        parts = split(600, seed=5)
        fitted = AutoEstimator(max_steps=20).fit(known.x, known.y, parts=parts)
        certified = fitted.considered_["adaptive"]
        assert (certified.n_train, certified.n_report) == (len(parts.train), len(parts.report))
        assert fitted.considered_["components"].n_report == 600

    def test_independent_rows_read_nothing(self):
        rng = np.random.default_rng(3)
        found = AutoEstimator(max_steps=50).estimate(*rng.standard_normal((2, 500, 5)))
        low, high, _ = found.interval_nats
        assert low <= 1e-6
        assert high >= -1e-6
        assert found.has_warning("indistinguishable_from_zero")

    def test_rows_that_repeat_the_other_side(self):
        rows = np.random.default_rng(3).standard_normal((300, 4))
        found = AutoEstimator(max_steps=10).estimate(rows, rows)
        assert found.nats > 4

    def test_few_rows_are_not_split(self):
        known = sample(Gaussian.sparse(6, 6, 2, 0.8), 150, seed=3)
        found = AutoEstimator().estimate(known.x, known.y)
        assert found.settings["chosen"] == "ksg"
        assert "too few" in found.settings["because"]


def fitted(method, nats, stderr, **more):
    """An estimator after its fit, as far as the choice looks at it."""
    kind = "lower bound" if method == "adaptive" else "point estimate"
    estimate = Estimate(method, kind, nats, stderr, n_train=6500)
    return SimpleNamespace(estimate_=estimate, **more)


def certified(nats, base="gaussian copula", gain=0.0):
    return fitted("adaptive", nats, 0.01, bases_=[base] * 5, gain_nats_=gain, gain_stderr_nats_=0.001)


class TestWhichReadingOfNumbers:
    """Three correlations in 2+2 columns or more; the held-out loss is then below a thousandth of a nat."""

    def chosen(self, bound, normal, component):
        points = [fitted("components", component, 0.01)]
        normal = None if normal is None else fitted("gaussian_copula", normal, 0.01)
        return better_of_many_columns(bound, normal, points, products=9).estimator.estimate_.method

    def test_the_copula_if_nothing_adds_to_it(self):
        assert self.chosen(certified(0.49), 0.5, 0.48) == "gaussian_copula"

    def test_not_if_a_network_adds_to_it(self):
        assert self.chosen(certified(0.49, gain=0.02), 0.5, 0.48) == "adaptive"

    def test_not_if_another_base_is_preferred(self):
        assert self.chosen(certified(0.49, base="student copula"), 0.5, 0.48) == "adaptive"

    @pytest.mark.parametrize("normal", [0.3, 0.8])
    def test_not_if_held_out_pairs_read_otherwise(self, normal):
        assert self.chosen(certified(0.49), normal, 0.48) == "adaptive"

    def test_not_if_components_share_clearly_more(self):
        assert self.chosen(certified(0.49), 0.5, 0.6) == "components"

    def test_the_bound_unless_a_point_estimate_exceeds_it(self):
        assert self.chosen(certified(0.49, gain=0.1), 0.2, 0.495) == "adaptive"
        assert self.chosen(certified(0.49, gain=0.1), 0.2, 0.52) == "components"

    def test_without_a_normal_reading(self):
        assert self.chosen(certified(0.49), None, 0.4) == "adaptive"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "tolerance"),
    [
        ("student 1 df 1x1", 0.03),
        ("student 5 df 25x25", 0.05),
        ("sparse normal 25x25", 0.08),
        ("spiral of sparse normal 3x3", 0.15),
        ("spiral of sparse normal 25x25", 0.15),
        ("uniform noise 0.25 4x4", 0.15),
        ("composites 4 bits 8x8", 0.08),
    ],
)
def test_ten_thousand_rows(task, tolerance):
    known = find_task(task).sample(10_000, seed=7)
    assert AutoEstimator().estimate(known.x, known.y).nats == pytest.approx(known.nats, abs=tolerance)
