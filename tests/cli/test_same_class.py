"""``mitools same-class``: the linear classifier by default, and of several families the best on request."""

import json

import numpy as np
import pytest

from mitools.cli.main import run


@pytest.fixture
def features(tmp_path):
    """Two classes that no line divides: the sign of a product."""
    x = np.random.default_rng(0).standard_normal((1200, 4)).astype(np.float32)
    np.savez(tmp_path / "features.npz", features=x, labels=(x[:, 0] * x[:, 1] > 0).astype(int))
    return str(tmp_path / "features.npz")


def test_the_family_is_chosen_on_request_and_said(features, capsys):
    assert run(["same-class", features, "--json"]) == 0
    linear = json.loads(capsys.readouterr().out)
    assert run(["same-class", features, "--classifier", "auto", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert linear["label_information"]["bits"] < 0.05 < 0.6 < chosen["label_information"]["bits"] < 1
    assert run(["same-class", features, "--classifier", "auto"]) == 0
    text = capsys.readouterr().out
    name = chosen["label_information"]["settings"]["classifier"]
    assert f"classifier: {name}; bits of the labels on select: logistic regression" in text


def test_another_classifier_is_refused(features, capsys):
    assert run(["same-class", features, "--classifier", "forest"]) == 2
    assert "classifier" in capsys.readouterr().err
