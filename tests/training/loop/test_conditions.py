"""With how many threads a run is computed: what is asked for, what is remembered, what is measured."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from mitools.backends.runtime import Runtime
from mitools.backends.threads import threads
from mitools.core.errors import InputError
from mitools.training.loop import conditions
from mitools.training.loop.conditions import computing_conditions
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.methods import Method, make_method
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData

RECIPE = TrainingRecipe.model_validate(
    {
        "encoder": "convnet",
        "data": "digits?limit=64",
        "method": "class",
        "options": {"head_width": 8},
        "epochs": 1,
        "batch_size": 32,
    }
)


@pytest.fixture
def method() -> Method:
    data = TrainingData(torch.zeros(64, 3, 8, 8, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64), 2)
    return make_method(RECIPE, data)


def count(method: Method, folder: Path, asked: int | None = None) -> int:
    with computing_conditions(method, RECIPE, RunFolder(folder), Runtime(threads=asked)):
        return torch.get_num_threads()


def test_what_is_asked_for_wins_then_what_is_remembered_then_the_environment(
    method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = torch.get_num_threads()
    assert count(method, tmp_path) == 3
    assert torch.get_num_threads() == before
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert count(method, tmp_path) == 3, "or a run goes on otherwise than it began"
    assert count(method, tmp_path, asked=2) == 2
    assert RunFolder(tmp_path).conditions()["threads"] == 2


def test_what_is_measured_is_remembered_and_leaves_the_method_alone(
    method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    state, drawn = {name: value.clone() for name, value in method.state_dict().items()}, torch.get_rng_state()
    with threads(2):
        found = count(method, tmp_path)
    assert found in (1, 2)
    assert all(torch.equal(value, state[name]) for name, value in method.state_dict().items())
    assert all(weight.grad is None for weight in method.parameters())
    assert torch.equal(torch.get_rng_state(), drawn)
    monkeypatch.setattr(conditions, "fastest_threads", lambda step: pytest.fail("measured again"))
    assert count(method, tmp_path) == found


def test_a_run_says_what_it_was_computed_with(tmp_path: Path) -> None:
    found = train(RECIPE, tmp_path / "run").conditions()
    assert found["threads"] == 1
    assert found["device"] == "cpu"
    assert found["versions"]["torch"] == version("torch")


def test_no_thread_is_refused() -> None:
    with pytest.raises(InputError, match="threads 0 must be at least 1"):
        Runtime(threads=0)


@pytest.mark.parametrize("name", ["cmc", "predictive"])
def test_networks_of_several_views_are_measured_each_on_its_own_view(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    seen: list[tuple[int, ...]] = []

    def once(step: Callable[[], None]) -> int:
        step()
        return 1

    monkeypatch.setattr(conditions, "fastest_threads", once)
    recipe = RECIPE.model_copy(update={"method": name, "options": {"views": ["lab:l", "lab:ab"]}})
    data = TrainingData(torch.zeros(64, 3, 8, 8, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64), 2)
    method = make_method(recipe, data)
    for network, shape in method.measured_networks(32):
        seen.append(shape)
        assert torch.isfinite(network(torch.zeros(shape))).all()
    assert seen == [(32, 1, 8, 8), (32, 2, 8, 8)][: len(seen)]
    with computing_conditions(method, recipe, RunFolder(tmp_path), Runtime()):
        assert torch.get_num_threads() == 1
    assert all(weight.grad is None for weight in method.parameters())
