"""Computing measures: fits are shared, what is lacking is named, and a result is kept once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.result_store import ResultStore
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.measures import certificate, compute, critics, quality
from mitools.measures.compute import kept_measure, measure, request
from mitools.measures.measured import Difference, Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.uniformity import uniformity
from mitools.pairing.same_class import SameClassPairs

RNG = np.random.default_rng(0)
LABELS = RNG.permutation(np.arange(300) % 3)
ROWS = (LABELS[:, None] * 2.0 + RNG.standard_normal((300, 4))).astype(np.float32)
KEYS = {"rows": "digest of the rows"}


@pytest.fixture
def representation() -> Representation:
    return replace(Representation.of_arrays(ROWS, LABELS), keys=KEYS)


def test_numbers_are_those_of_the_estimators_by_hand(representation: Representation) -> None:
    found = measure(["linear_acc", "i_class", "uniformity"], representation)
    direct = ClassPosterior().fit(ROWS, LABELS)
    assert list(found.numbers) == ["linear_acc", "i_class", "uniformity"]
    assert found["i_class"] == replace(direct.dv_estimate_, seconds=found.estimates["i_class"].seconds)
    assert found["linear_acc"] == direct.accuracy_
    assert found["uniformity"] == uniformity(ROWS[split(len(ROWS), LABELS).report])
    np.testing.assert_array_equal(found.influence_nats, direct.influence_)


def test_the_critic_is_that_of_an_audit(representation: Representation, monkeypatch: Any) -> None:
    made = []

    def briefly(**settings: Any) -> VariationalEstimator:
        made.append(settings)
        return VariationalEstimator(**settings, max_steps=3)

    monkeypatch.setattr(critics, "VariationalEstimator", briefly)
    found = measure(["i_class_infonce", "same_class:dv"], representation, MeasureSettings("uniform", 2))
    assert [one["method"] for one in made] == ["infonce", "dv"]
    assert {one["scaling"] for one in made} == {"standardise"}
    direct = VariationalEstimator("dv", "projection", scaling="standardise", max_steps=3, seed=2)
    direct.fit(ROWS, ROWS, SameClassPairs(LABELS, "uniform"), representation.parts)
    assert found.estimates["same_class:dv"].nats == direct.estimate_.nats


def test_measures_of_one_fit_share_it(representation: Representation, monkeypatch: Any) -> None:
    fits = []

    def counted(*arguments: Any, **settings: Any) -> ClassPosterior:
        fits.append(settings)
        return ClassPosterior(*arguments, **settings)

    monkeypatch.setattr(certificate, "ClassPosterior", counted)
    measure(["i_class", "linear_acc", "uniformity", "label_information", "i_class_nwj"], representation)
    assert len(fits) == 1


def test_only_what_is_asked_for_is_computed_and_given(
    representation: Representation, monkeypatch: Any
) -> None:
    monkeypatch.setattr(certificate, "ClassPosterior", None)
    monkeypatch.setattr(quality, "kmeans_nmi", None)
    found = measure(["tolerance", "dead_units"], representation)
    assert list(found.numbers) == ["tolerance", "dead_units"]
    assert found.influence_nats is None


def test_a_cap_cuts_every_metric_over_pairs_alike(representation: Representation, monkeypatch: Any) -> None:
    monkeypatch.setattr(quality, "MOST_REPORTED", 20)
    monkeypatch.setattr(quality, "MOST_TRAINING", 30)
    sizes: dict[str, int] = {}

    def sized(name: str) -> Any:
        whole = getattr(quality, name)

        def measured(rows: NDArray[Any], *further: Any, **options: Any) -> Any:
            sizes[name] = len(rows)
            return whole(rows, *further, **options)

        return measured

    for name in ("knn_accuracy", "uniformity", "tolerance", "recall_at_1", "kmeans_nmi"):
        monkeypatch.setattr(quality, name, sized(name))
    measure(["knn20_acc", "uniformity", "tolerance", "recall_at_1", "nmi"], representation)
    assert sizes == {
        "knn_accuracy": 30,
        "uniformity": 20,
        "tolerance": 20,
        "recall_at_1": 20,
        "kmeans_nmi": 20,
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("i_simclr", r"i_simclr reads features of augmented views, shape \(n, V, d\), .*leave it out"),
        ("i_class_head", "reads the projection head of a run"),
        ("control_gain", "reads features of the same network untrained"),
        ("I(X;T):ksg", r"I\(X;T\):ksg is read by an information plane"),
        ("linear", "unknown measure 'linear'; did you mean .*linear_acc"),
    ],
)
def test_what_cannot_be_measured_is_one_line(representation: Representation, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        measure([name], representation)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("features", "labels", "views", "said"),
    [
        (ROWS, LABELS[:-1], None, "features has 300 rows and labels has 299"),
        (ROWS[:, :0], LABELS, None, "features has shape"),
        (np.full((300, 2), np.nan), LABELS, None, "NaN"),
        (ROWS, LABELS + 0.5, None, "labels are not whole numbers"),
        (ROWS, np.arange(300), None, "class 0 has 1 items"),
        (ROWS, LABELS, ROWS, r"views have shape \(300, 4\)"),
        (ROWS, LABELS, ROWS[:, None], r"views have shape \(300, 1, 4\)"),
        (ROWS, LABELS, np.zeros((200, 2, 4)), "views has 200 rows and features has 300"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(features: Any, labels: Any, views: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Representation.of_arrays(features, labels, views=views)


def test_views_in_memory_are_measured() -> None:
    views = ROWS[:, None] + 0.1 * RNG.standard_normal((300, 2, 4)).astype(np.float32)
    read = Representation.of_arrays(ROWS, LABELS, views=views)
    unit = views / np.linalg.norm(views, axis=2, keepdims=True)
    squared = ((unit[:, 0] - unit[:, 1]) ** 2).sum(axis=1)[read.parts.report]
    assert measure(["alignment_simclr"], read)["alignment_simclr"] == pytest.approx(squared.mean(), rel=1e-5)


def test_a_request_names_all_that_the_numbers_depend_on(
    representation: Representation, monkeypatch: Any
) -> None:
    settings = MeasureSettings()
    asked = request(["nmi"], representation, settings)
    assert asked == request(["nmi"], representation, replace(settings, device="cuda"))
    others = [
        request(["uniformity"], representation, settings),
        request(["nmi"], replace(representation, keys={"rows": "others"}), settings),
        request(["nmi"], representation, MeasureSettings(seed=1)),
        request(["nmi"], representation, MeasureSettings("uniform")),
    ]
    monkeypatch.setattr(compute, "REVISION", 0)
    others.append(request(["nmi"], representation, settings))
    assert asked not in others


def test_a_kept_measure_is_read_as_it_was_computed(
    representation: Representation, tmp_path: Path, monkeypatch: Any
) -> None:
    store, names = ResultStore(tmp_path), ["i_class", "linear_acc", "constant_dims"]
    first, seconds = kept_measure(store, "some", names, representation, MeasureSettings())
    monkeypatch.setattr(compute, "measure", None)
    again, kept_seconds = kept_measure(store, "some", names, representation, MeasureSettings())
    assert again.estimates["i_class"].to_dict() == first.estimates["i_class"].to_dict()
    assert again.metrics == first.metrics
    assert isinstance(again["constant_dims"], int)
    np.testing.assert_array_equal(again.influence_nats, first.influence_nats)
    assert kept_seconds == seconds > 0
    with pytest.raises(TypeError):
        kept_measure(store, "some", names, representation, MeasureSettings(), task="another")


def test_a_difference_is_kept_in_nats_and_shown_in_bits() -> None:
    difference = Difference(np.log(2), (0.0, np.log(4), 0.95))
    assert (difference.bits, difference.interval_bits) == (1.0, (0.0, 2.0, 0.95))
    whole = Measured({"control_gain": difference}, warnings={"control": ["no_better_than_untrained"]})
    assert Measured.from_dict(whole.to_dict()) == whole


def test_numbers_by_kind() -> None:
    estimate = Estimate("any", "lower bound", 1.0)
    measured = Measured.together([Measured({"a": estimate}), Measured({"b": 0.5, "c": 3})])
    assert measured.estimates == {"a": estimate}
    assert measured.metrics == {"b": 0.5, "c": 3}
