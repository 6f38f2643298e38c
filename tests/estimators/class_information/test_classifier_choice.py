"""The family of classifiers behind a bound: chosen on select alone, and honest on report."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators import ClassPosterior, LabelInformation
from mitools.estimators.class_information.classifier_choice import choose_classifier
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import split

N = 1500


def xor(seed=0, columns=5):
    x = np.random.default_rng(seed).standard_normal((N, columns))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def chosen(x, y, parts=None):
    prior = np.bincount(y) / len(y)
    table = RowTable(np.asarray(x, dtype=np.float32))
    return choose_classifier(table, y, split(len(y), y, 0) if parts is None else parts, prior, seed=0)


def test_what_no_line_divides_is_seen():
    choice = chosen(*xor())
    assert choice.name in ("boosted trees", "network", "radial kernel")
    assert choice.gains_bits["logistic regression"] < 0.05
    assert choice.gains_bits[choice.name] == max(choice.gains_bits.values())
    assert choice.gains_bits[choice.name] > 0.7


def test_what_a_line_divides_is_left_to_the_line():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    choice = chosen(rng.standard_normal((N, 20)) + 0.3 * y[:, None], y)
    assert choice.name == "logistic regression"


def test_report_has_no_part_in_the_choice():
    x, y = xor()
    parts = split(N, y, 0)
    expected = chosen(x, y, parts)
    x[parts.report] = 99.0
    found = chosen(x, y, parts)
    assert found.name == expected.name
    assert found.gains_bits == expected.gains_bits


def test_many_classes_leave_the_trees_out():
    rng = np.random.default_rng(0)
    y = np.arange(900) % 30
    assert "boosted trees" not in chosen(rng.standard_normal((900, 3)), y).gains_bits


@pytest.mark.parametrize("estimator", [ClassPosterior, LabelInformation])
def test_the_bound_of_the_choice_is_a_bound(estimator):
    x, y = xor(seed=1)
    linear, found = estimator().estimate(x, y), estimator("auto").estimate(x, y)
    assert linear.nats < 0.05
    assert found.nats > 0.4
    assert found.interval_nats.low < np.log(2)
    assert found.null_nats == pytest.approx(0, abs=0.02)
    assert found.settings["classifier"] in found.settings["select_gains_bits"]


def test_labels_of_nothing_certify_nothing():
    rng = np.random.default_rng(0)
    found = LabelInformation("auto").estimate(rng.standard_normal((600, 8)), rng.integers(0, 2, 600))
    assert found.has_warning("indistinguishable_from_zero")


def test_new_rows_are_asked_of_the_chosen_classifier():
    x, y = xor(seed=2)
    fitted = ClassPosterior("auto").fit(x[:1000], y[:1000])
    assert (fitted.predict(x[1000:]) == y[1000:]).mean() > 0.85


def test_another_word_is_refused():
    with pytest.raises(InputError, match="classifier"):
        ClassPosterior("forest").estimate(*xor())
