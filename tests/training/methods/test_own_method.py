"""The guide's example of a method, as a user has it: a module in her own folder, named in a recipe."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.training.loop.run_folder import RunFolder
from mitools.training.methods import make_method
from mitools.training.recipes import TrainingRecipe
from mitools.training.trained_head import trained_head
from mitools.training.training_data import TrainingData

PAGE = Path(__file__).parents[3] / "mitools" / "guide" / "adding-a-method.md"

RECIPE = {
    "encoder": "convnet",
    "data": "digits?limit=96",
    "method": "python:my_methods:VICRegLite",
    "options": {"width": 16},
    "epochs": 3,
    "batch_size": 32,
    "log_every": 1,
}

PROGRAM = """
import os, signal, sys
from pathlib import Path

import accelerate
from mitools.backends.runtime import Runtime
from mitools.core.recipes import read_recipe
from mitools.training.loop import trainer
from mitools.training.recipes import TrainingRecipe

recipe, loss = read_recipe(Path("recipe.yaml"), TrainingRecipe), trainer._Run._loss

def start(out, killed_at=None, **environment):
    child = os.fork()
    if not child:
        def killed(self, prepared, batch):
            if batch.step == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return loss(self, prepared, batch)
        trainer._Run._loss = killed
        os.environ.update(environment)
        runtime = Runtime()
        trainer.train(recipe, Path(out), runtime)
        runtime.close()
        os._exit(0)
    return child

def end(child):
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

end(start("whole"))
end(start("killed", 4))  # in the middle of the second epoch
end(start("killed"))
world = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[1]}
for child in [start("two", RANK=str(rank), LOCAL_RANK=str(rank), **world) for rank in range(2)]:
    os.waitpid(child, 0)
"""
"""Trains undisturbed, with a kill and a second start, and in two processes; each in a process of its own."""


def example() -> str:
    """Extract the guide's module."""
    (found,) = re.findall(r"```python\n(.*?class VICRegLite.*?)```", PAGE.read_text(), flags=re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Her folder, after all runs."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "my_methods.py").write_text(example())
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    command = [sys.executable, "-P", "-c", PROGRAM, port]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=settings, timeout=240, stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"0", str(-signal.SIGKILL).encode(), b"0"]
    return folder


def kept(run: Path) -> Path:
    return run / "checkpoints" / "epoch-0003"


def test_it_is_short_and_the_page_names_its_recipe() -> None:
    assert len(example().splitlines()) < 60
    (written,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    recipe = TrainingRecipe.model_validate(yaml.safe_load(written))
    assert recipe.method == RECIPE["method"]


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_weights_of_one_that_was_not(folder: Path) -> None:
    whole, killed = kept(folder / "whole"), kept(folder / "killed")
    for name in ("encoder.safetensors", "head.safetensors"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
    states = [torch.load(path / "training.pt", weights_only=True)["method"] for path in (whole, killed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["deviation"], torch.ones(16)), "or the buffer was never moved"


def test_two_processes_give_the_curve_of_one(folder: Path) -> None:
    one, two = (RunFolder(folder / name).metrics() for name in ("whole", "two"))
    assert len(one) == len(two) == 9
    for step, (ours, theirs) in enumerate(zip(one, two, strict=True)):
        near = 1e-4 if step < 5 else 1e-2  # rounding grows tenfold a step or two
        for name in ("loss", "invariance", "variance", "covariance"):
            assert theirs[name] == pytest.approx(ours[name], rel=near)
    assert "in_training_bits" not in one[0]


def test_it_is_audited_as_a_run_without_her_code(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"run:{folder / 'whole'}"
    asked = ["audit", "--data", "digits?limit=300", "--encoder", spec, "--no-control", "--json"]
    assert run([*asked, "--out", str(tmp_path / "out")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert row["encoder"] == "whole@3"
    assert row["i_class_bits"] > 0.5
    assert trained_head(spec) is None
    assert "my_methods" not in sys.modules
    trained = load_file(kept(folder / "whole") / "encoder.safetensors")
    assert all(torch.isfinite(value).all() for value in trained.values())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"options": {"widht": 16}}, "unknown key 'options.widht'; did you mean width"),
        ({"options": {"width": "wide"}}, r"'options\.width': .*valid integer"),
        ({"options": {"width": -1}}, r"method 'python:my_methods:VICRegLite' cannot be made \(RuntimeError"),
        ({"method": "python:my_methods:VICReg"}, "method 'python:my_methods:VICReg' cannot be imported"),
        ({"method": "python:no_such_module:X"}, "cannot be imported .ModuleNotFoundError"),
        ({"method": "python:my_methods:off_diagonal"}, "is no class of mitools.training.methods.Method"),
        ({"method": "python:my_methods"}, "is not of the form python:module:name"),
    ],
)
def test_what_is_wrong_with_it_is_one_line(
    changes: dict[str, object], said: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    recipe = TrainingRecipe.model_validate(RECIPE | changes)
    data = TrainingData(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), 2)
    try:
        with pytest.raises(InputError, match=said) as caught:
            make_method(recipe, data)
    finally:
        sys.modules.pop("my_methods", None)
    assert "\n" not in str(caught.value)
