"""A run with a damaged file is named, with what to do, and goes on once that is done."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from mitools.core.errors import DataNote, InputError
from mitools.encoders.open import open_encoder
from mitools.training.loop.metrics_log import read_metrics
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe

RECIPE: dict[str, Any] = {
    "encoder": "convnet", "data": "digits?limit=64", "method": "simclr", "epochs": 1, "batch_size": 32,
    "log_every": 1,
}  # fmt: skip


def _recipe(epochs: int) -> TrainingRecipe:
    return TrainingRecipe.model_validate(RECIPE | {"epochs": epochs}, strict=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(_recipe(1), tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run of one epoch whose recipe says two: it goes on where it is asked to."""
    folder = shutil.copytree(trained, tmp_path / "run")
    written = (folder / "recipe.yaml").read_text()
    assert "epochs: 1\n" in written
    (folder / "recipe.yaml").write_text(written.replace("epochs: 1\n", "epochs: 2\n"))
    return folder


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _of_another_network(path: Path) -> None:
    state = torch.load(path, weights_only=True)
    del state["method"][next(iter(state["method"]))]
    torch.save(state, path)


def _without_an_optimiser(path: Path) -> None:
    torch.save({"method": torch.load(path, weights_only=True)["method"]}, path)


def _a_list(path: Path) -> None:
    torch.save([1, 2], path)


@pytest.mark.parametrize("damage", [_cut, _of_another_network, _without_an_optimiser, _a_list])
def test_a_damaged_state_is_named_and_its_folder_can_go(run: Path, damage: Callable[[Path], None]) -> None:
    damage(run / "checkpoints" / "epoch-0001" / "training.pt")
    with pytest.raises(InputError) as caught:
        train(_recipe(2), run)
    assert str(run) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_damaged_epoch_training_begins_anew(run: Path) -> None:
    _cut(run / "checkpoints" / "epoch-0001" / "training.pt")
    with pytest.raises(InputError, match="remove the folder of that epoch, and training begins anew"):
        train(_recipe(2), run)
    shutil.rmtree(run / "checkpoints" / "epoch-0001")
    assert train(_recipe(2), run).epochs() == [2]


@pytest.mark.parametrize("line", ['{"step": ', "[1]", '{"loss": 1}', "[" * 5000, "\udcff"])
def test_a_damaged_line_of_the_metrics_is_named(run: Path, line: str) -> None:
    path = run / "metrics.jsonl"
    whole = path.read_bytes()
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + whole)
    for read in (RunFolder(run).metrics, lambda: train(_recipe(2), run)):
        with pytest.raises(InputError, match=r"metrics\.jsonl: line 1 is damaged; remove it"):
            read()


def test_a_line_that_is_still_being_written_is_left_out(run: Path) -> None:
    path = run / "metrics.jsonl"
    whole = read_metrics(path)
    path.write_bytes(path.read_bytes() + b'{"step": 7, "lo')
    assert read_metrics(path) == whole


@pytest.mark.parametrize("content", ["[", "[" * 5000, "\udcff"])
def test_damaged_conditions_are_named(run: Path, content: str) -> None:
    (run / "run.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"run\.json: damaged"):
        train(_recipe(2), run)


@pytest.mark.parametrize("stray", ["empty", "state alone", "file", "unfinished", "name", "five digits"])
def test_a_stray_checkpoint_is_passed_over(run: Path, stray: str) -> None:
    """What holds no weights is no epoch: not for an encoder, not for training, not for a list of epochs."""
    checkpoints = run / "checkpoints"
    named = {"unfinished": ".epoch-0002.7.tmp", "name": "epoch-last", "five digits": "epoch-00009"}
    place = checkpoints / named.get(stray, "epoch-9999")
    if stray == "file":
        place.write_text("mine")
    elif stray in ("unfinished", "name", "five digits"):
        shutil.copytree(checkpoints / "epoch-0001", place)
    else:
        place.mkdir()
    if stray == "state alone":
        (place / "training.pt").write_bytes(b"half a pickle")
    told = stray in ("empty", "state alone")
    with pytest.warns(DataNote, match="epoch-9999 holds no .* passed over") if told else nullcontext():
        assert open_encoder(f"run:{run}").name == "run@1"
    with pytest.raises(InputError, match=r"epoch 9999 is not kept.*; kept are 1$"):
        open_encoder(f"run:{run}@epoch=9999")
    assert RunFolder(run).epochs() == [1]
    assert train(_recipe(2), run).epochs() == [2]


def test_a_run_with_nothing_but_a_stray_checkpoint_is_one_line(run: Path) -> None:
    (run / "checkpoints" / "epoch-0001" / "encoder.safetensors").unlink()
    with pytest.raises(InputError, match=r"no checkpoint is kept there; epoch-0001 holds no encoder"):
        open_encoder(f"run:{run}")


def test_what_a_killed_process_left_of_a_checkpoint_goes_with_the_next(run: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    left = f".epoch-0002.{socket.gethostname()}-{int(ended.stdout)}-0123abcd.tmp"
    (run / "checkpoints" / left).mkdir()
    assert train(_recipe(2), run).epochs() == [2]
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["epoch-0002"]


def test_stray_files_do_no_harm(run: Path) -> None:
    (run / "checkpoints" / "epoch-x").mkdir()
    (run / "checkpoints" / "notes.txt").write_text("mine")
    (run / ".DS_Store").write_bytes(b"\0")
    assert train(_recipe(2), run).epochs() == [2]
