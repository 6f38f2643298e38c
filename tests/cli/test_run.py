import json
from functools import partial

import pytest
import yaml

from mitools.analyses.registry import ANALYSES, recipe_path
from mitools.cli.main import run
from mitools.encoders.architectures import build
from mitools.encoders.architectures.convnet import ConvNet

SMALL = "cdp?size=28&background=none&colors=2&digits=2&positions=2"


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe of two objectives that takes seconds."""
    monkeypatch.setitem(build.NETWORKS, "tiny", partial(ConvNet, 8))
    shared = {"encoder": "tiny", "data": f"{SMALL}&n=48", "epochs": 1, "batch_size": 16}
    content = {
        "runs": [shared | {"objective": name} for name in ("class", "cross_entropy")],
        "evaluation": {"data": f"{SMALL}&n=120&part=test"},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_list_names_every_analysis_and_its_time(capsys):
    assert run(["run", "--list"]) == 0
    shown = capsys.readouterr().out
    assert run(["run", "--list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == set(ANALYSES)
    for name, one in document.items():
        assert name in shown
        assert one["what"] in shown
        assert one["smoke"] in shown


def test_a_recipe_is_run_to_its_reading(recipe, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["run", "objectives", "--recipe", str(recipe), "--out", str(out), "--device", "cpu"]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    reading = (out / "reading.txt").read_text()
    assert shown.out.split() == reading.split()
    assert f"written: {out}/results.csv, {out}/objectives.png and 4 more files under {out}" in shown.err
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["reading"] == reading.strip()
    assert [row["objective"] for row in document["results"]] == ["class", "cross_entropy", "untrained"]
    assert set(document["files"]) == {
        str(out / name)
        for name in (
            "results.csv",
            "reading.txt",
            *(f"objectives.{ending}" for ending in ("png", "svg", "pdf")),
            "report.html",
        )
    }


def test_a_folder_of_another_recipe_is_left_alone(recipe, tmp_path, capsys):
    arguments = ["run", "objectives", "--recipe", str(recipe), "--out", str(tmp_path), "--device", "cpu"]
    other = tmp_path / "runs" / "class"
    other.mkdir(parents=True)
    (other / "recipe.yaml").write_text("{encoder: tiny, data: digits, objective: class}")
    assert run(arguments) == 2
    assert "holds other files" in capsys.readouterr().err
    assert run([*arguments, "--overwrite"]) == 2, "a run of another recipe is never written over"
    assert "holds a run of another recipe" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_with_one(recipe, tmp_path, capsys):
    content = yaml.safe_load(recipe.read_text())
    content["runs"] = [one | {"optimiser": {"learning_rate": 1e30}} for one in content["runs"]]
    recipe.write_text(yaml.safe_dump(content))
    assert run(["run", "objectives", "--recipe", str(recipe), "--out", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "the loss is not finite at step" in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "mitools run --list"),
        (["batch_sise"], "batch_size"),
        (["batch_size", "--scale", "large"], "smoke"),
        (["batch_size", "--device", "tpu"], "tpu"),
        (["batch_size", "--recipe", "none.yaml"], "none.yaml"),
        (["batch_size", "--recipe", "{unknown}"], "unknown key 'epoch'"),
    ],
)
def test_wrong_requests_end_with_two_and_one_line(arguments, word, tmp_path, capsys):
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text(recipe_path("batch_size", "smoke").read_text() + "epoch: 3\n")
    arguments = [text.format(unknown=unknown) for text in arguments]
    assert run(["run", *arguments, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert word in shown.err
    assert not (tmp_path / "out").exists()
