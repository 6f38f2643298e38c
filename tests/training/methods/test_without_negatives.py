"""Methods without negatives: they learn, two processes are one, a stopped run goes on, bad input."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.networks.projector import BatchNorm, Projector
from mitools.training.recipes import TrainingRecipe

OPTIONS: dict[str, dict[str, Any]] = {
    "imsvd": {"hidden": 64, "variables": 8, "units": 4},
    "barlow_twins": {"hidden": 64, "width": 32},
    "vicreg": {"hidden": 64, "width": 32},
}
BASE = {"encoder": "convnet", "data": "digits?limit=64", "epochs": 3, "batch_size": 32, "log_every": 1}


def recipe_of(method: str, **changes: Any) -> TrainingRecipe:
    content = BASE | {"method": method, "options": OPTIONS.get(method, {})} | changes
    return make_recipe(content, TrainingRecipe, "recipe")


@pytest.mark.parametrize("method", list(OPTIONS))
def test_training_lowers_the_loss(method: str, tmp_path: Path) -> None:
    losses = [record["loss"] for record in train(recipe_of(method, epochs=6), tmp_path / "run").metrics()]
    assert sum(losses[-4:]) < sum(losses[:4])


def test_the_terms_of_imsvd_are_logged_and_each_can_be_left_out(tmp_path: Path) -> None:
    options = OPTIONS["imsvd"] | {"diagonal": 0.0, "similarity": "cross_entropy"}
    record = train(recipe_of("imsvd", options=options, epochs=1), tmp_path / "run").metrics()[0]
    assert "diagonal_entropy" not in record
    assert record["loss"] == pytest.approx(record["transform_invariance"] - record["off_diagonal_entropy"])
    whole = train(recipe_of("imsvd", epochs=1), tmp_path / "whole").metrics()[0]
    assert whole["off_diagonal_entropy"] == pytest.approx(record["off_diagonal_entropy"])
    assert whole["transform_invariance"] != record["transform_invariance"]


def test_a_stopped_run_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(recipe_of("imsvd"), tmp_path / "whole")
    kept = trainer._Run._keep

    def stop(self: Any, epoch: int) -> None:
        kept(self, epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer._Run, "_keep", stop)
    with pytest.raises(KeyboardInterrupt):
        train(recipe_of("imsvd"), tmp_path / "stopped")
    monkeypatch.undo()
    resumed = train(recipe_of("imsvd"), tmp_path / "stopped")
    for part in ("encoder", "head"):
        a, b = (
            load_file(run.path / "checkpoints" / "epoch-0003" / f"{part}.safetensors")
            for run in (whole, resumed)
        )
        assert all(torch.equal(a[name], b[name]) for name in a)


def start(recipe: Path, out: Path, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-m", "mitools", "train", str(recipe), "--out", str(out)]
    settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    with (out.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen([*command, "--device", "cpu"], env=settings, stdout=log, stderr=log)


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    """With batch norms in the projector, whose moments and gradients are those of the whole batch."""
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(BASE | {"method": "imsvd", "options": OPTIONS["imsvd"]}))
    train(recipe_of("imsvd"), tmp_path / "one")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "LOCAL_WORLD_SIZE": "2"}
    both = [start(path, tmp_path / "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in range(2)]
    # Not their exit codes: gloo may abort a process whose peer has left, when all is computed and written.
    for process in both:
        process.wait(timeout=120)
    one, two = (RunFolder(tmp_path / name) for name in ("one", "two"))
    assert [record["step"] for record in two.metrics()] == list(range(6))
    for a, b in zip(one.metrics(), two.metrics(), strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-4)
    heads = [load_file(run.path / "checkpoints" / "epoch-0003" / "head.safetensors") for run in (one, two)]
    for name in ("1.running_mean", "1.running_var"):
        torch.testing.assert_close(heads[0][name], heads[1][name], atol=1e-3, rtol=1e-3)


def test_the_projector_is_the_papers() -> None:
    head = Projector(5, 7, 6, layers=3)
    kinds = [type(layer).__name__ for layer in head]
    assert kinds == ["Linear", "BatchNorm", "ReLU", "Linear", "BatchNorm", "ReLU", "Linear"]
    assert head[-1].bias is None
    rows = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    ours, theirs = BatchNorm(5), torch.nn.BatchNorm1d(5)
    torch.testing.assert_close(ours(rows), theirs(rows))
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_a_loss_of_lightly_trains(tmp_path: Path) -> None:
    losses = pytest.importorskip("lightly.loss")
    options = {"hidden": 64, "width": 32, "loss": {"temperature": 0.2}}
    run = train(recipe_of("lightly:NTXent", options=options), tmp_path / "run")
    records = run.metrics()
    assert records[-1]["loss"] < records[0]["loss"]
    data = trainer._Run.prepare(recipe_of("lightly:NTXentLoss", options=options), RunFolder(tmp_path / "b"),
                                trainer.Runtime(), lambda *_: None)  # fmt: skip
    batch = data._batch(0)
    x, y = data.method.pair(batch)
    expected = losses.NTXentLoss(temperature=0.2)(x, y)
    assert data.method.loss(batch).value.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "lightly:SwaV"}, "lightly:SwaVLoss does not read two embedded views alone"),
        ({"method": "lightly:NTXnet"}, "unknown loss of lightly 'NTXnet'.*NTXentLoss"),
        ({"method": "lightly:VICReg", "options": {"loss": {"mu": 1}}}, "lightly:VICRegLoss cannot be made"),
    ],
)
def test_what_lightly_cannot_do_is_one_line(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    pytest.importorskip("lightly.loss")
    with pytest.raises(InputError, match=said) as caught:
        train(make_recipe(BASE | changes, TrainingRecipe, "recipe"), tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_without_lightly_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightly.loss", None)
    with pytest.raises(InputError, match=r"pip install 'mitools\[lightly\]'"):
        make_recipe(BASE | {"method": "lightly:Hypersphere"}, TrainingRecipe, "recipe")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"units": 1}, r"'options\.units': .*greater than or equal to 2"),
        ({"width": 8160}, r"unknown key 'options\.width'"),
        ({"invariance": 0, "diagonal": 0, "off_diagonal": 0}, "are all 0, so that nothing is trained"),
        ({"similarity": "cosine"}, r"'options\.similarity'"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(BASE | {"method": "imsvd", "options": options}, TrainingRecipe, "recipe")
    assert "\n" not in str(caught.value)
