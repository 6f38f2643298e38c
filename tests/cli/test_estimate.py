"""``mitools estimate``: what it prints of one method or several, as a table and as JSON."""

import json

import numpy as np
import pytest

from mitools.cli.main import run
from mitools.core.estimate import Estimate
from mitools.estimators import ESTIMATORS


@pytest.fixture
def arrays(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    np.save(tmp_path / "x.npy", labels[:, None] + 0.1 * rng.standard_normal((400, 2)))
    np.save(tmp_path / "y.npy", labels)
    return [str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]


def document(capsys):
    return json.loads(capsys.readouterr().out)


def test_auto_is_the_default_and_says_what_it_chose(arrays, capsys):
    assert run(["estimate", *arrays, "--json"]) == 0
    found = Estimate.from_dict(document(capsys)["estimates"][0])
    assert found.method == "auto"
    assert found.bits == pytest.approx(1, abs=0.05)
    assert (found.settings["x"], found.settings["y"]) == ("numbers", "labels")

    assert run(["estimate", *arrays]) == 0
    shown = capsys.readouterr()
    assert "auto: mixed_ksg, because one side is discrete" in " ".join(shown.err.split())
    assert f"{found.bits:.3f}" in shown.out


def test_what_the_arrays_are_taken_for_is_printed_and_can_be_said(arrays, capsys):
    assert run(["estimate", *arrays]) == 0
    text = " ".join(capsys.readouterr().err.split())
    assert "x is taken for numbers (there are 2 columns) and y is taken for labels (2 whole numbers" in text
    assert "--x-as and --y-as say otherwise" in text
    assert run(["estimate", *arrays, "--y-as", "numbers", "--json"]) == 0
    found = Estimate.from_dict(document(capsys)["estimates"][0])
    assert (found.settings["y"], found.settings["y_as"]) == ("numbers", "numbers")
    assert found.settings["chosen"] == "ksg"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--x-as", "symbols"], "x has 2 columns, and symbols are one a row"),
        (["--y-as", "digits"], "kind of y"),
        (["--y-as", "labels", "--method", "ksg"], "--x-as and --y-as are for auto"),
    ],
)
def test_what_the_arrays_are_not_is_refused_in_one_line(options, message, arrays, capsys):
    assert run(["estimate", *arrays, *options]) == 2
    shown = capsys.readouterr().err
    assert message in " ".join(shown.split())
    assert shown.count("\n") == 1


def test_kinds_are_listed_apart_with_what_they_allow(arrays, capsys):
    methods = "mixed_ksg,class_posterior,label_information,pairwise_upper"
    assert run(["estimate", *arrays, "--method", methods, "--json"]) == 0
    values = document(capsys)
    assert [each["method"] for each in values["estimates"]] == methods.split(",")
    joint = values["jointly"]
    lower = [each for each in values["estimates"] if each["kind"] == "lower bound"]
    assert joint["at_least"]["of"] == len(lower) == 2
    assert joint["at_least"]["bits"] < max(each["bits"] for each in lower)
    assert joint["at_most"] == {"bits": pytest.approx(1, abs=0.01), "method": "entropy", "of": 1}

    assert run(["estimate", *arrays, "--method", methods]) == 0
    text = capsys.readouterr().out
    blocks = [text.index(title) for title in ("lower bounds", "upper bounds", "point estimates", "jointly:")]
    assert blocks == sorted(blocks)
    assert blocks[0] < text.index("label_information") < blocks[1] < text.index("pairwise_upper") < blocks[2]
    assert joint["sentence"] in text


def test_what_cannot_be_read_is_named_and_the_rest_is_kept(arrays, capsys):
    assert run(["estimate", *arrays, "--method", "discrete,mixed_ksg", "--json"]) == 1
    shown = capsys.readouterr()
    values = json.loads(shown.out)
    assert [each["method"] for each in values["estimates"]] == ["mixed_ksg"]
    assert "whole numbers" in values["refused"]["discrete"]
    assert "discrete cannot read these arrays" in " ".join(shown.err.split())


def test_nothing_that_can_be_read_is_a_wrong_request(arrays, capsys):
    assert run(["estimate", *arrays, "--method", "discrete"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")


def test_a_method_named_twice_is_read_once(arrays, capsys):
    assert run(["estimate", *arrays, "--method", "mixed_ksg, mixed_ksg", "--json"]) == 0
    assert len(document(capsys)["estimates"]) == 1


def test_the_list_names_every_method(capsys):
    assert run(["estimate", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ESTIMATORS)


def test_copied_rows_are_told(arrays, tmp_path, capsys):
    assert run(["estimate", *arrays, "--method", "mixed_ksg"]) == 0
    assert "copies" not in capsys.readouterr().err
    for path in arrays:
        np.save(path, np.repeat(np.load(path), 2, axis=0))
    assert run(["estimate", *arrays, "--method", "mixed_ksg,label_information"]) == 0
    # Whatever the number of methods, each warning is printed once.
    assert " ".join(capsys.readouterr().err.split()).count("400 of 800 rows are copies of others") == 1
    assert run(["estimate", *arrays, "--method", "mixed_ksg", "--json"]) == 0
    read = document(capsys)
    assert read["copied_rows"] == 400
    # Copies lie beside each other here, so that the order counts as well.
    assert [warning["word"] for warning in read["dependent_rows"]] == ["copies", "serial_dependence"]


@pytest.mark.parametrize("method", ["auto", "mixed_ksg", "label_information,class_posterior,mixed_ksg"])
def test_dependent_rows_are_looked_for_once(method, arrays, capsys, monkeypatch):
    from mitools.estimators import auto, base
    from mitools.estimators.class_information import posterior_estimator
    from mitools.estimators.dependence.dependent_rows import dependence_warnings

    searches = []

    def counted(x, y, seed=0):
        searches.append(seed)
        return dependence_warnings(x, y, seed)

    for module in (auto, base, posterior_estimator):
        monkeypatch.setattr(module, "dependence_warnings", counted)
    assert run(["estimate", *arrays, "--method", method, "--json"]) == 0
    assert document(capsys)["dependent_rows"] == []
    assert len(searches) == 1
