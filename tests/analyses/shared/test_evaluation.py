"""Linear evaluation on a test part of its own."""

import numpy as np
import pytest

from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.metrics.probe import linear_probe_on_test

TRAIN, TEST = (
    f"cdp?n={n}&size=28&background=none&shared=digit&part={part}"
    for n, part in ((400, "train"), (150, "test"))
)


@pytest.fixture
def evaluation(tmp_path, monkeypatch):
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "cache"))
    return Evaluation(EvaluationRecipe(data=TRAIN), tmp_path / "out", Runtime())


def test_the_classifier_is_fitted_to_one_part_and_read_on_the_other(evaluation, monkeypatch):
    found = evaluation.test_accuracy("builtin:pixels?image_size=28", TEST)
    rows = [
        np.stack([np.asarray(image, dtype=np.float32).ravel() for image, _ in data])
        for data in map(open_data, (TRAIN, TEST))
    ]
    labels = [open_data(spec).labels for spec in (TRAIN, TEST)]
    expected = linear_probe_on_test(rows[0], labels[0], rows[1], labels[1]).mean()
    assert found["n_test"] == 150
    assert found["linear_test_acc"] == pytest.approx(expected, abs=0.02)
    assert 0.5 < found["linear_test_acc_low"] < found["linear_test_acc"] < found["linear_test_acc_high"] < 1
    monkeypatch.setattr("mitools.measures.accuracy_on_test.linear_probe_on_test", None)
    assert evaluation.test_accuracy("builtin:pixels?image_size=28", TEST) == found, (
        "what was computed is kept"
    )


def test_a_task_names_the_label_of_both_parts(evaluation):
    assert (
        evaluation.test_accuracy("builtin:pixels?image_size=28", TEST, ("color",))["linear_test_acc"] > 0.95
    )


def test_a_test_part_with_other_classes_is_refused(evaluation):
    with pytest.raises(InputError, match="have other classes than cdp"):
        evaluation.test_accuracy("builtin:pixels", TEST.replace("shared=digit", "shared=color"))
