"""A run that names code opens only where the user's own spec trusts it; one's own runs are trusted."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from mitools.auditing.requests import as_requests
from mitools.core.errors import InputError
from mitools.datasets.arrays import labelled_arrays
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.plane.checkpoints import checkpoints_and_data
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_variables

CODE = """
from pathlib import Path
Path(__file__).with_name("canary").write_text("code of the run was executed")
from torch import nn

def tiny(channels=3):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * 16, 2))

class Grey:
    name, channels, draws = "grey", 1, 0
    def __call__(self, items, draws):
        return items.mean(1, keepdim=True)

def ends():
    raise SystemExit(3)
"""

RECIPE: dict[str, Any] = {
    "encoder": "convnet", "data": "digits", "method": "simclr", "epochs": 1, "batch_size": 8
}  # fmt: skip

VIEWS = [{"view": "lab:l", "encoder": "python:run_code:tiny", "channels": 1}]

RUNS = {
    "an encoder": (RECIPE | {"encoder": "python:run_code:tiny"}, None),
    "a view of the recipe": (
        RECIPE | {"method": "cmc", "options": {"views": ["lab:l", "python:run_code:Grey"]}}, None,
    ),
    "an encoder of a view": (RECIPE | {"method": "cmc"}, VIEWS),
    "a view of an encoder": (
        RECIPE | {"method": "cmc"}, [{"view": "python:run_code:Grey", "encoder": "convnet", "channels": 1}],
    ),
}  # fmt: skip


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run as it may be downloaded, and its code beside it, importable."""
    recipe, views = request.param
    checkpoint = tmp_path / "run" / "checkpoints" / "epoch-0001"
    checkpoint.mkdir(parents=True)
    (tmp_path / "run" / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    save_file({"x": torch.zeros(1)}, checkpoint / "encoder.safetensors")
    if views:
        (checkpoint / "views.json").write_text(json.dumps(views))
    (tmp_path / "run_code.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


@pytest.mark.parametrize("opened", [open_encoder, trained_head, trained_variables])
def test_a_run_that_names_code_is_refused_before_any_of_it_runs(run: Path, opened: Any) -> None:
    with pytest.raises(InputError, match=r"python:run_code:\w+\), and nothing was run; add trust=yes"):
        opened(f"run:{run}")
    assert not (run.parent / "canary").exists()


def test_a_trusted_run_is_opened(run: Path) -> None:
    # As far as its weights, which here are of another network.
    with pytest.raises(InputError, match="tensors are not in the file by name and shape"):
        open_encoder(f"run:{run}?trust=yes")


def test_ones_own_run_is_trusted_and_another_needs_no_trust(run: Path, tmp_path: Path) -> None:
    assert run_spec(run, 1, view="lab:l") == f"run:{run}@epoch=1?view=lab:l&trust=yes"
    (run / "recipe.yaml").write_text(yaml.safe_dump(RECIPE | {"method": "python:own:Method"}))
    for path in run.rglob("views.json"):
        path.unlink()
    # No run is opened by the code of its method.
    assert run_spec(run) == f"run:{run}"


def test_a_plane_takes_the_trust_of_the_spec(run: Path) -> None:
    checkpoints, _, _ = checkpoints_and_data(f"run:{run}?trust=yes")
    assert [one.encoder for one in checkpoints] == [f"run:{run}@epoch=1?trust=yes"]


def test_code_that_ends_the_program_ends_its_encoder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ending_code.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    data = labelled_arrays(torch.zeros(10, 2), [0, 1] * 5)
    (request,) = as_requests("python:ending_code:ends")
    with pytest.raises(InputError, match="cannot be built"):
        request.open(data)
