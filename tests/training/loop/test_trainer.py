"""The training loop: what it learns, what it keeps, and how it goes on."""

import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.encoders.open import open_encoder
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import NotFiniteError, train
from mitools.training.methods import Batch
from mitools.training.recipes import TrainingRecipe

SMALL: dict[str, Any] = {
    "encoder": "convnet",
    "data": "digits?limit=128",
    "objective": "class",
    "epochs": 3,
    "batch_size": 32,
    "log_every": 1,
    "head_width": 16,
    "temperature": 0.1,
    "optimiser": {"learning_rate": 0.001},
}


def small_recipe(**changes: Any) -> TrainingRecipe:
    return TrainingRecipe.model_validate({**SMALL, **changes}, strict=False)


def write_recipe(folder: Path, **changes: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def start(recipe: Path, out: Path, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-m", "mitools", "train", str(recipe), "--out", str(out)]
    settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    with (out.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen([*command, "--device", "cpu"], env=settings, stdout=log, stderr=log)


def weights(folder: Path, epoch: int = 3) -> dict[str, torch.Tensor]:
    checkpoint = folder / "checkpoints" / f"epoch-{epoch:04d}"
    encoder, head = load_file(checkpoint / "encoder.safetensors"), load_file(checkpoint / "head.safetensors")
    return {f"{part}.{k}": v for part, found in (("e", encoder), ("h", head)) for k, v in found.items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("objective", ["class", "simclr", "supcon", "infonce", "cross_entropy"])
def test_training_lowers_the_loss(objective: str, tmp_path: Path) -> None:
    recipe = small_recipe(objective=objective, data="digits?limit=600", epochs=4, temperature=None)
    losses = [record["loss"] for record in train(recipe, tmp_path / "run").metrics()]
    assert len(losses) == 4 * 18
    assert sum(losses[-18:]) < 0.985 * sum(losses[:18])


def test_the_in_training_estimate_stays_below_its_ceiling(tmp_path: Path) -> None:
    recipe = small_recipe(epochs=12, batch_size=4, temperature=0.05, data="digits?limit=200")
    records = train(recipe, tmp_path / "run").metrics()
    ceiling = math.log2(2 * 4 - 1)
    assert all(record["ceiling_bits"] == pytest.approx(ceiling) for record in records)
    estimates = [record["in_training_bits"] for record in records]
    assert max(estimates) <= ceiling
    assert max(estimates) > 0.8 * ceiling, "or the ceiling is not tried"


def test_a_run_is_an_encoder_and_its_epochs_differ(tmp_path: Path) -> None:
    train(small_recipe(keep_every=1), tmp_path / "run")
    assert RunFolder(tmp_path / "run").epochs() == [0, 1, 2, 3]
    digests = [open_encoder(f"run:{tmp_path / 'run'}@epoch={epoch}").digest for epoch in range(4)]
    assert len(set(digests)) == 4
    last = open_encoder(f"run:{tmp_path / 'run'}")
    assert last.digest == digests[3]
    trained = load_file(tmp_path / "run" / "checkpoints" / "epoch-0003" / "encoder.safetensors")
    assert all(torch.equal(value, trained[name]) for name, value in last.module.state_dict().items())


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("run:{run}@epoch=7", "epoch 7 is not kept; kept are 3"),
        ("run:{run}@epoch=x", "epoch=x must be a whole number"),
        ("run:{empty}", "no run lies there"),
    ],
)
def test_a_run_that_is_not_there_is_named(spec: str, said: str, tmp_path: Path) -> None:
    train(small_recipe(), tmp_path / "run")
    with pytest.raises(InputError, match=said):
        open_encoder(spec.format(run=tmp_path / "run", empty=tmp_path / "none"))


def test_only_the_last_epoch_is_kept_unless_asked(tmp_path: Path) -> None:
    assert train(small_recipe(), tmp_path / "a").epochs() == [3]
    assert train(small_recipe(keep_every=2), tmp_path / "b").epochs() == [0, 2, 3]


def test_one_seed_gives_one_network(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(small_recipe(seed=seed), tmp_path / name)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_a_run_that_stopped_after_an_epoch_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(small_recipe(objective="simclr"), tmp_path / "whole")
    kept = trainer._Run._keep

    def stop(self: Any, epoch: int) -> None:
        kept(self, epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer._Run, "_keep", stop)
    with pytest.raises(KeyboardInterrupt):
        train(small_recipe(objective="simclr"), tmp_path / "stopped")
    monkeypatch.undo()
    resumed = train(small_recipe(objective="simclr"), tmp_path / "stopped")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))
    moving = ("images_per_second",)
    records = [
        [{key: value for key, value in record.items() if key not in moving} for record in folder.metrics()]
        for folder in (whole, resumed)
    ]
    assert records[0] == records[1]


def test_a_killed_run_goes_on_to_the_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, epochs=20)
    assert start(recipe, tmp_path / "whole").wait(timeout=120) == 0
    process = start(recipe, tmp_path / "killed")
    deadline = time.monotonic() + 100
    while len(RunFolder(tmp_path / "killed").metrics()) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert RunFolder(tmp_path / "killed").epochs() != [20], "it was killed too late to show anything"
    assert start(recipe, tmp_path / "killed").wait(timeout=120) == 0
    assert same(weights(tmp_path / "whole", 20), weights(tmp_path / "killed", 20))


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def test_two_processes_give_the_curve_of_one_with_the_whole_batch(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, objective="simclr")
    assert start(recipe, tmp_path / "one").wait(timeout=120) == 0
    shared = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": free_port(),
        "LOCAL_WORLD_SIZE": "2",
    }
    both = [start(recipe, tmp_path / "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in range(2)]
    # Not their exit codes: gloo may abort a process whose peer has left, when all is computed and written.
    for process in both:
        process.wait(timeout=120)
    assert RunFolder(tmp_path / "two").epochs() == [3]
    one, two = (RunFolder(tmp_path / name).metrics() for name in ("one", "two"))
    assert len(one) == len(two) == 12
    for a, b in zip(one, two, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-4)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"optimiser": {"name": "sgd", "learning_rate": 1e30}, "epochs": 4}
    recipe = write_recipe(tmp_path, **bad)
    assert run(["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert "the loss is not finite at step" in said
    assert said.count("\n") == 1


def test_the_error_names_step_and_kept_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = trainer._Run._loss

    def explode(self: Any, prepared: Any, batch: Batch) -> Any:
        found = loss(self, prepared, batch)
        return found._replace(value=found.value * math.nan) if batch.step == 5 else found

    monkeypatch.setattr(trainer._Run, "_loss", explode)
    with pytest.raises(NotFiniteError, match=r"step 5.*after epoch 1 are kept"):
        train(small_recipe(), tmp_path / "run")
    assert RunFolder(tmp_path / "run").epochs() == [1]
    monkeypatch.undo()
    train(small_recipe(), tmp_path / "run")
    train(small_recipe(), tmp_path / "whole")
    assert same(weights(tmp_path / "run"), weights(tmp_path / "whole"))


def test_a_full_disk_loses_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save, saved = torch.save, []

    def fill_up(content: Any, stream: Any) -> None:
        if len(saved) == 2:
            stream.write(b"half")
            try:
                raise OSError(28, "No space left on device")
            except OSError:
                raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos") from None
        saved.append(stream)
        save(content, stream)

    monkeypatch.setattr(torch, "save", fill_up)
    recipe = write_recipe(tmp_path)
    assert run(["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 1
    assert "No space left" in capsys.readouterr().err
    assert RunFolder(tmp_path / "run").epochs() == [2]
    assert not [path for path in (tmp_path / "run" / "checkpoints").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epoch": 3}, "unknown key 'epoch'; did you mean .*epochs"),
        ({"batch_size": 500}, "batch_size 500 is larger than the data's 128 items"),
        ({"objective": "simcrl"}, "there is no objective 'simcrl'; did you mean simclr"),
        ({"objective": "supcon", "negatives": "noise"}, "negatives from elsewhere are for simclr and class"),
        ({"encoder": "convnett"}, "unknown arch 'convnett'.*convnet"),
        ({"data": "digitz"}, "unknown source 'digitz'"),
        ({"optimiser": {"learning_rate": 0}}, "'optimiser.learning_rate': .*greater than 0"),
        ({"temperature": "warm"}, "'temperature'"),
    ],
)
def test_a_wrong_recipe_is_one_line_and_leaves_nothing(
    changes: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, **changes)
    assert run(["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 2
    found = capsys.readouterr().err
    assert re.search(said, found), found
    assert found.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_recipe_is_left_alone(tmp_path: Path) -> None:
    train(small_recipe(epochs=1), tmp_path / "run")
    before = weights(tmp_path / "run", 1)
    with pytest.raises(InputError, match="holds a run of another recipe"):
        train(small_recipe(epochs=2), tmp_path / "run")
    assert same(before, weights(tmp_path / "run", 1))


def test_a_finished_run_of_an_earlier_version_is_returned_and_a_stopped_one_named(tmp_path: Path) -> None:
    """Its recipe has the objective and its temperature side by side, its checkpoint no state of a method."""
    out = train(small_recipe(epochs=1), tmp_path / "run").path
    older = {
        **small_recipe(epochs=1).model_dump(mode="json"),
        **SMALL,
        "epochs": 1,
        "negatives": None,
        "ctc": None,
    }
    del older["method"], older["options"]
    (out / "recipe.yaml").write_text(yaml.safe_dump(older))
    state = out / "checkpoints" / "epoch-0001" / "training.pt"
    torch.save({"optimiser": {}}, state)
    before = weights(out, 1)
    assert train(small_recipe(epochs=1), out).epochs() == [1]
    assert same(before, weights(out, 1))
    assert open_encoder(f"run:{out}").name == "run@1"

    (out / "recipe.yaml").write_text(yaml.safe_dump(older | {"epochs": 2}))
    with pytest.raises(InputError, match="an earlier version stopped this run after epoch 1"):
        train(small_recipe(epochs=2), out)
    assert same(before, weights(out, 1))


@pytest.mark.parametrize("negatives", ["noise", "digits?limit=90&classes=8,9"])
def test_negatives_from_elsewhere_train_and_are_no_estimate(negatives: str, tmp_path: Path) -> None:
    folder = train(
        small_recipe(negatives=negatives, data="digits?limit=128&classes=0,1,2,3"), tmp_path / "run"
    )
    records = folder.metrics()
    assert sum(r["loss"] for r in records[-6:]) < sum(r["loss"] for r in records[:6])
    assert "in_training_bits" not in records[0]


def test_metrics_reach_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(small_recipe(epochs=1), tmp_path / "run")
    assert any(name.startswith("events") for name in os.listdir(tmp_path / "run" / "tensorboard"))
