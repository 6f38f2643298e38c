"""The runs of a study side by side: the same weights as one after the other, and errors with a name."""

from pathlib import Path
from typing import Any

import pytest

from mitools.analyses.shared import side_by_side
from mitools.analyses.shared.training_runs import train_all
from mitools.backends.runtime import Runtime
from mitools.backends.threads import threads
from mitools.core.errors import InputError
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import NotFiniteError
from mitools.training.recipes import TrainingRecipe


def recipe(**changes: Any) -> TrainingRecipe:
    content = {
        "encoder": "convnet",
        "data": "digits?limit=96",
        "method": "class",
        "options": {"head_width": 8},
        "epochs": 2,
        "batch_size": 16,
        "log_every": 2,
    }
    return TrainingRecipe.model_validate(content | changes)


THREE = {"a": recipe(), "b": recipe(batch_size=32), "c": recipe(method="simclr")}


def weights(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.safetensors"))}


def test_side_by_side_they_end_as_one_after_the_other(tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    with threads(2):  # of which each run is given one
        folders = train_all(THREE, tmp_path / "two", Runtime(), lambda *words: said.append(words))
    with threads(1):
        train_all(THREE, tmp_path / "one", Runtime())
    assert list(folders) == list(THREE)
    assert all(folder.epochs() == [0, 2] for folder in folders.values())
    assert all(folder.conditions()["threads"] == 1 for folder in folders.values())
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert len(weights(tmp_path / "one")) == 3 * 2 * 2
    # 96 images twice in each of three runs.
    assert said[-1] == ("3 runs, images trained on", 576, 576)


def test_errors_name_their_runs_and_the_rest_is_finished_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {"x": recipe(batch_size=500), "y": recipe(optimiser={"name": "sgd", "learning_rate": 1e30})}
    with (
        threads(2),
        pytest.raises(InputError, match=r"run x: batch_size 500.*; run y: the loss is not finite"),
    ):
        train_all(bad | THREE, tmp_path, Runtime())
    trained = weights(tmp_path)
    assert {name.split("/")[1] for name in trained if "0002" in name} == set(THREE)
    monkeypatch.setattr(side_by_side, "in_workers", lambda *_: pytest.fail("trained again"))
    with threads(2):
        train_all(THREE, tmp_path, Runtime())
    assert weights(tmp_path) == trained


@pytest.mark.parametrize("cores", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_one_error_of_several_runs_is_told_once(cores: int, tmp_path: Path) -> None:
    diverging = recipe(optimiser={"name": "sgd", "learning_rate": 1e30})
    with threads(cores), pytest.raises(NotFiniteError, match=r"^run p, q: the loss is not finite at step"):
        train_all({"p": diverging, "q": diverging}, tmp_path, Runtime())


@pytest.mark.slow
def test_a_worker_that_is_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dying.py").write_text(
        "import os, signal\n"
        "from mitools.training.methods.simclr import SimCLR\n"
        "class Dying(SimCLR):\n"
        "    def loss(self, batch):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    runs = {"a": recipe(method="python:dying:Dying"), "b": recipe()}
    with threads(2), pytest.raises(RuntimeError, match=r"^run a: its process was killed by signal 9"):
        train_all(runs, tmp_path / "out", Runtime())
    assert RunFolder(tmp_path / "out" / "runs" / "b").epochs() == [0, 2]
