"""The certificate against truths by numerical integration."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.estimators.class_information.certificate import ClassPosterior, LabelInformation
from mitools.pairing.same_class import bracket

SEEDS = range(20)
N = 4000


class Runs(NamedTuple):
    """Twenty certificates of fresh samples of one mixture."""

    mixture: Any
    fits: list[ClassPosterior]


@pytest.fixture(scope="module", params=[0.3, 1.0, 1.8], ids=lambda bits: f"{bits} bits")
def runs(request: pytest.FixtureRequest, mixture_of: Callable[[float], Any]) -> Runs:
    mixture = mixture_of(request.param)
    assert mixture.same_class_nats() / LOG2 == pytest.approx(request.param, abs=1e-4)
    fits = []
    for seed in SEEDS:
        x, labels = mixture.draw(N, np.random.default_rng(seed))
        fits.append(ClassPosterior(prior="uniform", seed=seed).fit(x, labels))
    return Runs(mixture, fits)


def test_the_reading_is_the_truth_on_average(runs: Runs) -> None:
    truth = runs.mixture.same_class_nats()
    errors = [(fit.estimate_.nats - truth) / LOG2 for fit in runs.fits]
    assert abs(np.mean(errors)) < 0.03


def test_the_lower_limit_lies_below_the_truth_in_nine_runs_of_ten(runs: Runs) -> None:
    truth = runs.mixture.same_class_nats()
    assert sum(fit.one_sided_low_nats_ < truth for fit in runs.fits) >= 18
    interval = runs.fits[0].estimate_.interval_nats
    assert interval is not None
    assert interval.low < runs.fits[0].one_sided_low_nats_ < runs.fits[0].estimate_.nats < interval.high


def test_the_standard_error_is_the_spread_over_the_runs(runs: Runs) -> None:
    # The deviation of 20 values is itself known within a third.
    claimed = np.mean([fit.estimate_.stderr_nats for fit in runs.fits])
    assert claimed == pytest.approx(np.std([fit.estimate_.nats for fit in runs.fits], ddof=1), rel=0.5)


def test_nwj_never_passes_donsker_varadhan(runs: Runs) -> None:
    for fit in runs.fits:
        assert fit.nwj_estimate_.nats <= fit.dv_estimate_.nats
        assert fit.nwj_estimate_.nats > fit.dv_estimate_.nats - 0.03


def test_label_information_is_the_truth_on_average(runs: Runs) -> None:
    truth = runs.mixture.label_nats()
    errors = [(fit.label_information_.nats - truth) / LOG2 for fit in runs.fits]
    assert abs(np.mean(errors)) < 0.03
    low = [fit.label_information_.interval_nats for fit in runs.fits]
    assert sum(interval is not None and interval.low < truth for interval in low) >= 18
    assert truth > runs.mixture.same_class_nats()


def test_a_mixture_that_overlaps_is_bracketed_and_not_identified(runs: Runs) -> None:
    found = bracket(runs.fits[0].estimate_)
    assert not found.identified
    assert found.low_nats < runs.mixture.same_class_nats() < found.high_nats


def test_a_sound_reading_of_sound_data_raises_no_warning(runs: Runs) -> None:
    silent = [not fit.estimate_.warnings for fit in runs.fits]
    assert sum(silent) >= 18


@pytest.mark.parametrize("bits", [0.3, 1.0, 1.8])
def test_shuffled_labels_read_nothing(mixture_of: Callable[[float], Any], bits: float) -> None:
    covered = flagged = 0
    for seed in SEEDS:
        x, labels = mixture_of(bits).draw(N, np.random.default_rng(seed))
        shuffled = np.random.default_rng([seed, 1]).permutation(labels)
        estimate = ClassPosterior(prior="uniform", seed=seed).estimate(x, shuffled)
        assert estimate.interval_nats is not None
        covered += estimate.interval_nats.low <= 0 <= estimate.interval_nats.high
        flagged += estimate.has_warning("indistinguishable_from_zero")
        assert abs(estimate.nats) < 0.01
    assert covered >= 19
    assert flagged >= 19


def test_the_null_reads_nothing_where_the_reading_does_not(mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(N, np.random.default_rng(0))
    estimate = ClassPosterior().estimate(x, labels)
    assert estimate.null_nats == pytest.approx(0, abs=0.005)
    assert not estimate.has_warning("indistinguishable_from_zero")


@pytest.mark.slow
def test_a_uniform_prior_on_imbalanced_classes_reads_the_uniform_truth(mixture: Callable[..., Any]) -> None:
    frequencies = (0.5, 0.3, 0.15, 0.05)
    uniform, drawn = mixture(2.5), mixture(2.5, frequencies)
    truth = uniform.same_class_nats()
    assert abs(truth - drawn.same_class_nats()) > 0.1
    readings, lows, own = [], [], []
    for seed in SEEDS:
        x, labels = uniform.draw(N, np.random.default_rng(seed), frequencies)
        fit = ClassPosterior(prior="uniform", seed=seed).fit(x, labels)
        readings.append(fit.estimate_.nats)
        lows.append(fit.one_sided_low_nats_)
        own.append(ClassPosterior(prior="empirical", seed=seed).estimate(x, labels).nats)
        assert fit.estimate_.entropy_nats == pytest.approx(np.log(4), rel=1e-12)
    assert np.mean(readings) == pytest.approx(truth, abs=0.03 * LOG2)
    assert sum(low < truth for low in lows) >= 18
    assert np.mean(own) == pytest.approx(drawn.same_class_nats(), abs=0.03 * LOG2)


@pytest.mark.parametrize(
    "classifier",
    [GaussianNB(), KNeighborsClassifier(60), RandomForestClassifier(60, min_samples_leaf=25)],
    ids=lambda classifier: type(classifier).__name__,
)
def test_any_classifier_certifies(mixture_of: Callable[[float], Any], classifier: Any) -> None:
    mixture = mixture_of(1.0)
    x, labels = mixture.draw(N, np.random.default_rng(0))
    fit = ClassPosterior(classifier, prior="uniform").fit(x, labels)
    truth = mixture.same_class_nats()
    assert fit.one_sided_low_nats_ < truth
    assert fit.estimate_.nats > 0.8 * truth
    assert fit.estimate_.settings["classifier"] == repr(classifier)
    assert not hasattr(classifier, "classes_")


def test_more_dimensions_than_items_still_certify(mixture_of: Callable[[float], Any]) -> None:
    mixture = mixture_of(1.8)
    rng = np.random.default_rng(0)
    latent, labels = mixture.draw(300, rng)
    x = latent @ rng.standard_normal((1, 600)) + 0.05 * rng.standard_normal((300, 600))
    fit = ClassPosterior(prior="uniform").fit(x, labels)
    truth = mixture.same_class_nats()
    assert fit.one_sided_low_nats_ < truth
    assert fit.estimate_.nats > 0.75 * truth


def test_perfect_features_identify_the_truth_as_the_entropy() -> None:
    labels = np.arange(2000) % 10
    fit = ClassPosterior().fit(np.eye(10)[labels], labels)
    found = bracket(fit.estimate_)
    assert found.identified
    assert found.high_nats == pytest.approx(np.log(10), rel=1e-12)
    assert fit.estimate_.nats == pytest.approx(np.log(10), abs=0.02)
    assert fit.accuracy_ == 1


def test_random_labels_are_bracketed_from_nothing_to_the_entropy() -> None:
    rng = np.random.default_rng(0)
    fit = ClassPosterior().fit(rng.standard_normal((2000, 8)), np.arange(2000) % 10)
    found = bracket(fit.estimate_)
    assert not found.identified
    assert found.low_nats == pytest.approx(0, abs=0.02)
    assert fit.accuracy_ == pytest.approx(0.1, abs=0.05)


def test_memorised_training_items_are_flagged_as_overfit() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    x = rng.standard_normal((200, 300)) + 0.1 * labels[:, None]
    assert ClassPosterior().estimate(x, labels).has_warning("overfit")


def test_the_chosen_reading_is_the_estimate(mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(1000, np.random.default_rng(0))
    dv, nwj = (ClassPosterior(reading=reading).fit(x, labels) for reading in ("dv", "nwj"))
    assert (dv.estimate_.method, nwj.estimate_.method) == ("class_posterior", "class_posterior_nwj")
    assert dv.nwj_estimate_.nats == nwj.estimate_.nats
    assert dv.estimate_.nats == nwj.dv_estimate_.nats
    assert dv.influence_.shape == (dv.estimate_.n_report,)
    assert not np.array_equal(dv.influence_, nwj.influence_)
    assert dv.estimate_.settings["one_sided_low_bits"] * LOG2 == pytest.approx(dv.one_sided_low_nats_)


def test_label_information_stands_alone(mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(1000, np.random.default_rng(0))
    alone = LabelInformation(seed=3).estimate(x, labels)
    beside = ClassPosterior(seed=3).fit(x, labels).label_information_
    assert (alone.method, alone.nats) == ("label_information", beside.nats)


def test_one_seed_gives_one_number_and_another_seed_another(mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(1000, np.random.default_rng(0))
    forest = RandomForestClassifier(20, min_samples_leaf=10)
    for classifier in (None, forest):
        first, same, other = (
            ClassPosterior(classifier, seed=seed).estimate(x, labels).nats for seed in (1, 1, 2)
        )
        assert first == same
        assert first != other


def test_the_record_says_everything_needed_to_repeat_it(mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(1000, np.random.default_rng(0))
    estimate = ClassPosterior(prior=np.array([0.1, 0.2, 0.3, 0.4]), seed=5).estimate(x, labels)
    settings = estimate.settings
    assert settings["prior"] == [0.1, 0.2, 0.3, 0.4]
    assert (settings["seed"], settings["classifier"], settings["classes"]) == (5, "logistic regression", 4)
    assert (settings["folds"], settings["groups"], estimate.n_report) == (5, None, 1000)
    assert 795 < estimate.n_train + estimate.n_select <= 800
    assert estimate.kind == "lower bound"
    assert estimate.ceiling_nats is None


def test_it_is_a_scikit_learn_estimator(mixture_of: Callable[[float], Any]) -> None:
    original = ClassPosterior(GaussianNB(), prior="uniform", reading="nwj", seed=7)
    copied = clone(original)
    assert copied.get_params()["seed"] == 7
    assert copied.get_params()["classifier__var_smoothing"] == 1e-9
    assert isinstance(copied.classifier, GaussianNB)
    assert copied.classifier is not original.classifier
    x, labels = mixture_of(1.0).draw(500, np.random.default_rng(0))
    assert copied.fit(x, labels) is copied
    assert copied.set_params(reading="dv").estimate(x, labels).method == "class_posterior"


GOOD = np.random.default_rng(0).standard_normal((60, 2))
CLASSES = np.arange(60) % 3


@pytest.mark.parametrize(
    ("x", "labels", "settings", "message"),
    [
        (GOOD, np.zeros(60), {}, "one class only"),
        (GOOD, np.r_[np.arange(59) % 3, 3], {}, "class 3 has 1 items"),
        (np.where(np.arange(120).reshape(60, 2) == 7, np.nan, GOOD), CLASSES, {}, "1 of 60 rows.* row 3"),
        (GOOD, CLASSES[:50], {}, "features has 60 rows and labels has 50"),
        (GOOD + 1j, CLASSES, {}, "complex128"),
        (GOOD.astype(object), CLASSES, {}, "object"),
        (GOOD, CLASSES + 0.5, {}, "not whole numbers"),
        (GOOD, CLASSES, {"prior": "flat"}, "unknown class prior 'flat'"),
        (GOOD, CLASSES, {"prior": [0.5, 0.5]}, "3 positive probabilities"),
        (GOOD, CLASSES, {"prior": [0.5, 0.5, 0.5]}, "sum to one"),
        (GOOD, CLASSES, {"reading": "mine"}, "unknown reading 'mine'; accepted: dv or nwj"),
        (GOOD[:, 0] * 0 + 1j, CLASSES, {}, "complex128"),
    ],
)
def test_bad_input_is_one_line_that_names_the_thing(
    x: np.ndarray, labels: np.ndarray, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ClassPosterior(**settings).fit(x, labels)
    assert "\n" not in str(caught.value)
