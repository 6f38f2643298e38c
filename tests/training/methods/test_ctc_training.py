"""Contrastive temporal coding in the training loop: two stages, what is kept, and how it goes on."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from mitools.cli.main import run
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.methods.ctc import CTCOptions, ctc_stages
from mitools.training.recipes import OptimiserRecipe, TrainingRecipe

SMALL: dict[str, Any] = {
    "encoder": "convnet",
    "data": "digits?limit=96",
    "objective": "ctc",
    "epochs": 4,
    "batch_size": 32,
    "log_every": 2,
    "optimiser": {"learning_rate": 0.001},
    "ctc": {"border": 2},
}

KILLED = """
import os, signal, sys
from pathlib import Path

import accelerate
from mitools.core.recipes import read_recipe
from mitools.training.loop import trainer
from mitools.training.recipes import TrainingRecipe

loss = trainer._Run._loss

def go(out, killed_at=None):
    child = os.fork()
    if not child:
        def killed(self, prepared, batch):
            if batch.step == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return loss(self, prepared, batch)
        trainer._Run._loss = killed
        trainer.train(read_recipe(Path(sys.argv[1]), TrainingRecipe), Path(sys.argv[2]) / out)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(ended, *sorted(path.name for path in (Path(sys.argv[2]) / out / "checkpoints").iterdir()))

go("whole")
# Three steps an epoch: in the middle of the second epoch, and of the last.
go("killed", 4)
go("killed", 10)
go("killed")
"""
"""Trains once undisturbed, and once with two kills; every run in a process of its own."""


def small_recipe(**changes: Any) -> TrainingRecipe:
    return TrainingRecipe.model_validate({**SMALL, **changes}, strict=False)


def weights(folder: Path, epoch: int = 4) -> dict[str, torch.Tensor]:
    kept = folder / "checkpoints" / f"epoch-{epoch:04d}"
    parts = {name: load_file(kept / f"{name}.safetensors") for name in ("encoder", "head")}
    return {f"{part}.{key}": value for part, found in parts.items() for key, value in found.items()}


def bank(folder: Path, epoch: int = 4) -> torch.Tensor:
    kept = folder / "checkpoints" / f"epoch-{epoch:04d}" / "training.pt"
    rows: torch.Tensor = torch.load(kept, weights_only=True)["method"]["bank.rows"]
    return rows


def same(a: Path, b: Path) -> bool:
    ours, theirs = weights(a), weights(b)
    equal = all(torch.equal(ours[name], theirs[name]) for name in ours)
    return ours.keys() == theirs.keys() and equal and torch.equal(bank(a), bank(b))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(small_recipe(), tmp_path_factory.mktemp("whole") / "run")


def test_both_stages_are_told_in_every_record_and_every_epoch(whole: RunFolder) -> None:
    records = whole.metrics()
    assert [(r["epoch"], r["stage"]) for r in records] == [
        (epoch, 1 if epoch < 2 else 2) for epoch in range(4) for _ in range(2)
    ]
    ctc = {1: 0.1, 2: 1.0}
    for record in records:
        whole_loss = record["cross_entropy"] + ctc[record["stage"]] * record["infonce"]
        assert record["loss"] == pytest.approx(whole_loss, rel=1e-5)
        estimate = record["ceiling_bits"] - record["cross_entropy"] / np.log(2)
        assert record["in_training_bits"] == pytest.approx(estimate, rel=1e-4, abs=1e-4)


def test_the_rate_starts_anew_at_a_tenth_where_stage_two_begins(whole: RunFolder) -> None:
    first, second = ctc_stages(small_recipe(epochs=300, ctc=None), CTCOptions())
    assert (first.begins, first.ends, second.begins, second.ends) == (0, 200, 200, 300)
    assert second.optimiser == OptimiserRecipe(learning_rate=1e-4)
    rates = [record["learning_rate"] for record in whole.metrics()]
    assert rates[3] < 1e-4 < rates[2]
    assert rates[4] == pytest.approx(1e-4 * (1 + np.cos(np.pi / 6)) / 2)


def test_the_network_at_the_border_is_kept_and_every_sample_has_a_row(whole: RunFolder) -> None:
    assert whole.epochs() == [2, 4]
    rows = bank(whole.path)
    assert rows.shape == (96, 512)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(96))
    assert len(torch.unique(rows, dim=0)) == 96


def test_stage_two_holds_against_the_network_that_ended_stage_one(
    whole: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without augmentation the bank at the end is what the border's checkpoint makes of the images."""
    plain = {"crop_area": 1.0, "flip": 0.0, "jitter_strength": 0.0, "grey": 0.0}
    recipe = small_recipe(augmentation=plain)
    seen: list[Any] = []
    end = trainer._Run._keep

    def keep(self: Any, epoch: int) -> None:
        seen.append(self)
        end(self, epoch)

    monkeypatch.setattr(trainer._Run, "_keep", keep)
    folder = train(recipe, tmp_path / "run")
    method, data = seen[-1].method, seen[-1].data
    encoder = method.encoder()
    encoder.load_state_dict(folder.weights(2, "encoder.safetensors"))
    pixels = data.draw(method.views[0], torch.arange(len(data)), 0)
    with torch.no_grad():
        made = torch.nn.functional.normalize(encoder.eval()(pixels), dim=1)
    torch.testing.assert_close(bank(folder.path), made, atol=1e-5, rtol=0)
    frozen = method.frozen
    assert all(weight.grad is None and not weight.requires_grad for weight in frozen.parameters())


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_run_stopped_in_either_stage_or_at_the_border_ends_the_same(
    epoch: int, whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = trainer._Run._keep

    def stop(self: Any, done: int) -> None:
        kept(self, done)
        if done == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer._Run, "_keep", stop)
    with pytest.raises(KeyboardInterrupt):
        train(small_recipe(), tmp_path / "stopped")
    monkeypatch.undo()
    train(small_recipe(), tmp_path / "stopped")
    assert same(whole.path, tmp_path / "stopped")


@pytest.mark.slow
def test_a_run_killed_in_both_stages_ends_as_one_that_was_not(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**SMALL, "ctc": {"border": 2, "negatives": 40}}))

    command = [sys.executable, "-P", "-c", KILLED, str(recipe), str(tmp_path)]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    said = subprocess.run(command, env=settings, timeout=120, stdout=subprocess.PIPE, check=True).stdout
    first, last = "epoch-0002", "epoch-0004"
    assert [line.split() for line in said.decode().splitlines()] == [
        ["0", first, last],
        [str(-signal.SIGKILL), "epoch-0001"],
        [str(-signal.SIGKILL), first, "epoch-0003"],
        ["0", first, last],
    ]
    assert same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_two_processes_keep_the_bank_of_one(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**SMALL, "log_every": 1}))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    world = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}

    def start(out: str, **environment: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "mitools", "train", str(recipe), "--out", str(tmp_path / out)]
        settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
        return subprocess.Popen([*command, "--device", "cpu"], env=settings)

    assert start("one").wait(timeout=300) == 0
    for process in [start("two", RANK=str(rank), LOCAL_RANK=str(rank), **world) for rank in range(2)]:
        process.wait(timeout=300)
    one, two = (RunFolder(tmp_path / name).metrics() for name in ("one", "two"))
    assert len(one) == len(two) == 12
    for ours, theirs in zip(one, two, strict=True):
        assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-3)
    torch.testing.assert_close(bank(tmp_path / "one"), bank(tmp_path / "two"), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ctc": {"alpha": -0.1}}, r"'ctc\.alpha': .*greater than or equal to 0"),
        ({"ctc": {"beta": -1}}, r"'ctc\.beta': .*greater than or equal to 0"),
        ({"ctc": {"border": 4}}, "ctc.border 4 must lie below epochs 4"),
        ({"ctc": {"momentum": 1.0}}, r"'ctc\.momentum': .*less than 1"),
        ({"ctc": {"negatives": 96}}, "ctc.negatives 96 must be fewer than the data's 96 samples"),
        ({"ctc": {"boarder": 2}}, r"unknown key 'ctc\.boarder'; did you mean .*border"),
        ({"temperature": 0.5}, "ctc has two temperatures"),
        ({"objective": "cross_entropy"}, "ctc is for the objective ctc, not for cross_entropy"),
        ({"epochs": 1, "ctc": {}}, "ctc.border 1 must lie below epochs 1"),
    ],
)
def test_a_wrong_recipe_is_one_line_and_leaves_nothing(
    changes: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**SMALL, **changes}))
    assert run(["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 2
    found = capsys.readouterr().err
    assert re.search(said, found), found
    assert found.count("\n") == 1
    assert not (tmp_path / "run").exists()
