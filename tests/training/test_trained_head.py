"""Estimation after training that starts from the trained head: the same scores, and a column of the audit."""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cosine_similarity

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.encoders.open import open_encoder
from mitools.measures import critics
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.training.trained_head import trained_head

RECIPE = {
    "encoder": "convnet",
    "data": "digits?limit=400",
    "epochs": 2,
    "batch_size": 32,
    "head_width": 16,
    "temperature": 0.2,
    "keep_every": 1,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run with a projection head, and one with a classifier."""
    folder = tmp_path_factory.mktemp("runs")
    for objective in ("class", "cross_entropy"):
        train(TrainingRecipe(**RECIPE, objective=objective), folder / objective)
    return folder


def test_the_critic_scores_as_the_loss_did(runs: Path) -> None:
    critic = trained_head(f"run:{runs / 'class'}@epoch=1")
    assert critic is not None
    encoder = open_encoder(f"run:{runs / 'class'}@epoch=1")
    weights = RunFolder(runs / "class").weights(1, "head.safetensors")
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rows = encoder.module(images)
        hidden = (rows @ weights["0.weight"].T + weights["0.bias"]).relu()
        head = hidden @ weights["2.weight"].T + weights["2.bias"]
        expected = cosine_similarity(head[:, None], head[None], dim=2) / 0.2
        torch.testing.assert_close(critic(rows, rows), expected)


def test_other_encoders_have_none(runs: Path) -> None:
    assert trained_head(f"run:{runs / 'cross_entropy'}") is None
    assert trained_head("builtin:pixels") is None


def _damaged(path: Path, damage: str) -> None:
    whole = load_file(path)
    if damage == "missing":
        path.unlink()
    elif damage == "bytes":
        path.write_bytes(b"\x80garbage")
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "no tensors":
        save_file({}, path)
    elif damage == "another shape":
        save_file(whole | {"0.weight": whole["0.weight"][0].clone()}, path)
    else:
        save_file({name: value for name, value in whole.items() if name != "2.bias"}, path)


@pytest.mark.parametrize(
    "damage", ["missing", "bytes", "cut short", "no tensors", "another shape", "a tensor is missing"]
)
def test_a_damaged_head_is_named(runs: Path, damage: str) -> None:
    path = runs / "class" / "checkpoints" / "epoch-0001" / "head.safetensors"
    whole = path.read_bytes()
    _damaged(path, damage)
    try:
        with pytest.raises(InputError, match=r"0001/head\.safetensors: (damaged|no such file)") as caught:
            trained_head(f"run:{runs / 'class'}@epoch=1")
        assert "\n" not in str(caught.value)
    finally:
        path.write_bytes(whole)


def test_a_damaged_head_ends_its_encoder_alone(runs: Path, tmp_path: Path, capsys) -> None:
    path = runs / "class" / "checkpoints" / "epoch-0002" / "head.safetensors"
    whole = path.read_bytes()
    path.write_bytes(b"\x80garbage")
    asked = [
        "audit",
        "--data",
        "digits?limit=200",
        "--trained-head",
        "--no-critic",
        "--no-control",
        "--no-html",
    ]
    words = [
        "--encoder",
        f"run:{runs / 'class'}",
        "--encoder",
        "builtin:pixels",
        "--out",
        str(tmp_path / "out"),
    ]
    try:
        assert run([*asked, *words, "--out", str(tmp_path / "out")]) == 1
    finally:
        path.write_bytes(whole)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(told) == 1
    assert "head.safetensors: damaged" in told[0]
    assert "pixels" in (tmp_path / "out" / "results.csv").read_text()


def test_the_audit_reports_it_beside_the_fresh_critic(
    runs: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(critics, "VariationalEstimator", partial(critics.VariationalEstimator, max_steps=50))
    encoders = [f"run:{runs / 'class'}", f"run:{runs / 'cross_entropy'}"]
    words = [word for spec in encoders for word in ("--encoder", spec)]
    asked = ["audit", "--data", "digits", *words, "--trained-head", "--no-control", "--json"]
    assert run([*asked, "--out", str(tmp_path / "out")]) == 0
    rows = pd.DataFrame(json.loads(capsys.readouterr().out)["results"]).set_index("encoder")
    own, classifier = rows.loc["class@2"], rows.loc["cross_entropy@2"]
    # A lower bound of the same quantity, so that it may not lie above the ceiling H(C).
    assert 0.5 < own["i_class_head_low"] < own["i_class_head_bits"] < own["h_c_bits"]
    assert pd.isna(classifier["i_class_head_bits"])
    kept = json.loads((tmp_path / "out" / "estimates.json").read_text())["encoders"]
    found = kept["class@2"]["estimates"]["i_class_head"]
    assert found["kind"] == "lower bound"
    assert found["settings"]["scaling"] == "none"


def test_without_a_run_the_option_is_refused(tmp_path: Path, capsys) -> None:
    asked = ["audit", "--data", "digits", "--encoder", "builtin:pixels", "--trained-head"]
    assert run([*asked, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert "only a run: has a trained head" in shown
    assert not (tmp_path / "out").exists()
