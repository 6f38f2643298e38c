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


def test_near_copies_identify_nothing_and_are_told_once(tmp_path, capsys):
    """200 subjects with ten recordings each: a classifier knows every subject."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(200), 10)
    x = rng.standard_normal((200, 64))[who] + 0.01 * rng.standard_normal((2000, 64))
    np.savez(tmp_path / "f.npz", features=x.astype(np.float32), labels=rng.integers(0, 2, 200)[who])
    np.save(tmp_path / "g.npy", who)
    assert run(["same-class", str(tmp_path / "f.npz")]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("near copies:") == 1
    assert "class_posterior, class_posterior_nwj, label_information: near copies" in " ".join(
        shown.err.split()
    )
    assert "identified" not in shown.out
    assert "only if the rows were independent" in shown.out
    assert "nothing of H(C) is certified" in shown.out
    assert run(["same-class", str(tmp_path / "f.npz"), "--groups", str(tmp_path / "g.npy")]) == 0
    shown = capsys.readouterr()
    assert "near copies:" not in shown.err
    assert "bracketed" in shown.out
    assert "certified at 95% confidence" in shown.out
