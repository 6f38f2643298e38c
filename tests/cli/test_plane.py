"""``mitools plane`` from a run to table and figures, and what it says to wrong requests."""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import yaml
from torch import nn

from mitools.cli.main import run
from mitools.encoders.architectures import build
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.architectures.convnet import ConvNet
from mitools.training.loop.run_folder import RunFolder

TARGET = "digits?classes=3,5&limit=60"


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with two kept checkpoints."""
    monkeypatch.setitem(build.NETWORKS, "tiny", partial(ConvNet, 8))
    path = tmp_path / "run"
    folder = RunFolder(path)
    path.mkdir()
    recipe = {"encoder": "tiny", "data": "digits?limit=100", "objective": "cross_entropy", "image_size": 8}
    (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    for epoch in (0, 4):
        folder.keep(epoch, build_architecture("tiny", seed=epoch).module, nn.Linear(2, 2), {})
    return path


def test_from_a_run_to_table_and_figures(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = [
        "plane", str(run_folder), "--layers", "output", "--methods", "certificate,binned",
        "--data", f"target={TARGET}", "--out", str(out), "--device", "cpu",
    ]  # fmt: skip
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    table = pd.read_csv(out / "plane.csv")
    assert set(table["data"]) == {"source", "target"}
    assert set(table["epoch"]) == {0, 4}
    stems = {path.stem for path in (out / "figures").iterdir()}
    assert stems == {"plane_binned", "epochs_output"}
    assert len(document["results"]) == len(table)
    assert document["failures"] == {}
    assert dict(table.groupby("data")["role"].first()) == {"source": "trained on", "target": "target"}
    assert all(Path(path).is_file() for path in document["files"])


def test_encoders_in_place_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plane", "--methods", "certificate", "--out", str(tmp_path), "--layers", "output"]
    encoders = ["builtin:random_conv?width=4", "builtin:random_conv?width=4&seed=1", "run:nowhere"]
    for spec in encoders:
        arguments += ["--encoder", spec]
    assert run([*arguments, "--data", f"source={TARGET}"]) == 1
    shown = capsys.readouterr()
    assert "failed: run:nowhere on source: nowhere: no run lies there" in shown.err
    assert "epoch 1" in shown.out
    assert "label information" in shown.out
    assert "no figure: " not in shown.err, "there are two checkpoints to draw a curve through"
    assert set(pd.read_csv(tmp_path / "plane.csv")["epoch"]) == {0, 1}


def test_a_plane_without_a_figure_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plane", "--encoder", "builtin:random_conv?width=4", "--data", f"source={TARGET}"]
    arguments += ["--methods", "certificate", "--layers", "output", "--out", str(tmp_path)]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert "no figure: a plane takes readings of I(X;T) and I(T;Y)" in shown.err
    assert "I(T;Y) by class posterior, output: " in shown.err, "warnings, in words"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{run}", "--layers", "layers.00"], "no layer 'layers.00'; nearest: layers.0"),
        (["{run}", "--methods", "mined"], "unknown plane method 'mined'"),
        (["{run}", "--methods", ""], "unknown plane method ''"),
        (["{run}", "--data", "digits"], "write NAME=SPEC"),
        (["{run}", "--data", "a=digits", "--data", "a=digits"], "a= is given twice"),
        (["{run}", "--data", "a=digitz"], "unknown source 'digitz'"),
        (["{run}", "--bin-range", "1"], "two numbers"),
        (["{run}", "--bin-range", "1,-1"], "smaller"),
        (["{run}", "--bin-range=-inf,inf"], "finite"),
        (["{run}", "--data", "a=digits?classes=3"], "class"),
        (["{run}", "--device", "tpu"], "tpu"),
        (["{run}", "--encoder", "builtin:pixels"], "one of the two"),
        ([], "one of the two"),
        (["nowhere"], "no run lies there"),
        (["{empty}"], "no checkpoint is kept there"),
        (["--encoder", "builtin:pixels"], "--data source=SPEC is missing"),
    ],
)
def test_wrong_requests_end_with_two_and_one_line(
    arguments: list[str],
    words: str,
    run_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "recipe.yaml").write_text((run_folder / "recipe.yaml").read_text())
    given = [text.format(run=run_folder, empty=empty) for text in arguments]
    assert run(["plane", *given, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert words in shown.err
    assert not (tmp_path / "out").exists()


def test_an_out_that_is_a_file_is_named_with_the_remedy(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert run(["plane", str(run_folder), "--methods", "certificate", "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "a file lies where a folder is needed" in shown
    assert (tmp_path / "out").read_text() == "mine"
