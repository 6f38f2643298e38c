"""The trainer against a bare loop over the same tensors, with as many threads and as fast an optimiser."""

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import torch
from torch.nn import functional

from mitools.backends.runtime import Runtime
from mitools.backends.threads import threads
from mitools.core.progress import silent
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import _Run
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import PREPROCESS

SIZES = {("convnet", 2): 100, ("convnet", 64): 15, ("resnet18_small", 32): 2}
"""Steps an epoch for each network and number of items a step."""

TWO_VIEW_STEPS = 8

GREY = """
class Grey:
    name, channels, draws = "python:own_views:Grey", 1, 0
    def __call__(self, items, draws):
        return items.mean(dim=1, keepdim=True)
"""

WITHIN = 1.1
"""How much longer than the bare loop the trainer may take."""


@pytest.fixture(scope="module", autouse=True)
def settled_allocator() -> None:
    """Free a large block first: from then on the C library reuses memory that it gave back to the system
    before, and whichever loop came first would have paid for every page of every step."""
    torch.zeros(7_500_000)


def loops(encoder: str, batch: int, folder: Path) -> dict[str, Callable[[], None]]:
    """Make one epoch of the trainer, and the same steps by hand on the same network."""
    steps = SIZES[encoder, batch]
    recipe = TrainingRecipe(
        encoder=encoder,
        data=f"cdp?shared=color&n={batch * steps}&size=32&background=none",
        method="class",
        batch_size=batch,
        log_every=10,
    )
    run = _Run.prepare(recipe, RunFolder(folder), Runtime(), silent)
    method: Any = run.method
    network = method.network
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    items = [[torch.from_numpy(rows) for rows in run.batches.items(step)] for step in range(steps)]
    prepared = run.runtime.prepare(method)

    def bare() -> None:
        network.train()
        for x, y in items:
            optimiser.zero_grad(set_to_none=True)
            images = (run.data.pixels[torch.cat([x, y])].float() / 255 - mean) / std
            rows = functional.normalize(network(images), dim=1)
            scores = (rows @ rows.T / 0.5).fill_diagonal_(-torch.inf)
            partner = torch.arange(2 * batch).roll(batch)
            functional.cross_entropy(scores, partner).backward()
            optimiser.step()

    return {"bare": bare, "trainer": lambda: run._epoch(prepared, 0, None)}


@pytest.mark.parametrize(("encoder", "batch"), list(SIZES))
@pytest.mark.parametrize("loop", ["bare", "trainer"])
def test_epoch(encoder: str, batch: int, loop: str, tmp_path: Path, benchmark: Any) -> None:
    benchmark.group = f"{encoder} {batch}"
    benchmark.pedantic(loops(encoder, batch, tmp_path)[loop], rounds=5, warmup_rounds=1)
    benchmark.extra_info["images_per_second"] = batch * SIZES[encoder, batch] / benchmark.stats.stats.min


@pytest.mark.parametrize(("encoder", "batch"), list(SIZES))
def test_the_trainer_takes_little_more_than_the_bare_loop(encoder: str, batch: int, tmp_path: Path) -> None:
    """In processor time of one thread, in turns, so that other processes slow both alike."""
    both = loops(encoder, batch, tmp_path)
    seconds: dict[str, list[float]] = {name: [] for name in both}
    with threads(1):
        for _ in range(5):
            for name, loop in both.items():
                began = process_time()
                loop()
                seconds[name].append(process_time() - began)
    best = {name: min(taken) for name, taken in seconds.items()}
    print(f"{encoder} {batch}: {best}")
    assert best["trainer"] < WITHIN * best["bare"], seconds


def two_view_loops(batch: int, folder: Path) -> dict[str, Callable[[], None]]:
    """Make one epoch of two-view coding in the trainer, and the same steps by hand on the same networks."""
    recipe = TrainingRecipe(
        encoder="convnet",
        data=f"cdp?shared=color&n={batch * TWO_VIEW_STEPS}&size=32&background=none",
        method="cmc",
        options={"views": ["image", "python:own_views:Grey"]},
        batch_size=batch,
        log_every=10,
    )
    run = _Run.prepare(recipe, RunFolder(folder), Runtime(), silent)
    method: Any = run.method
    optimiser = torch.optim.AdamW(method.networks.parameters(), lr=1e-3, fused=True)
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    items = [torch.from_numpy(run.batches.items(step)[0]) for step in range(TWO_VIEW_STEPS)]
    prepared = run.runtime.prepare(method)

    def bare() -> None:
        method.train()
        for rows in items:
            optimiser.zero_grad(set_to_none=True)
            images = run.data.pixels[rows].float() / 255
            grey = (images.mean(dim=1, keepdim=True) - 0.5) / 0.5
            x = functional.normalize(method.networks[0]((images - mean) / std), dim=1)
            y = functional.normalize(method.networks[1](grey), dim=1)
            scores, own = x @ y.T / 0.07, torch.arange(len(x))
            (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)).backward()
            optimiser.step()

    return {"bare": bare, "trainer": lambda: run._epoch(prepared, 0, None)}


def test_a_two_view_step_takes_little_more_than_the_bare_loops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processor time of one thread, in turns."""
    (tmp_path / "own_views.py").write_text(GREY)
    monkeypatch.syspath_prepend(str(tmp_path))
    both = two_view_loops(64, tmp_path / "run")
    seconds: dict[str, list[float]] = {name: [] for name in both}
    with threads(1):
        for _ in range(5):
            for name, loop in both.items():
                began = process_time()
                loop()
                seconds[name].append(process_time() - began)
    best = {name: min(taken) for name, taken in seconds.items()}
    print(f"two views: {best}")
    assert best["trainer"] < WITHIN * best["bare"], seconds
