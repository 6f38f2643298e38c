"""One epoch of the trainer against a bare PyTorch loop over the same tensors, with images a second."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from mitools.backends.runtime import Runtime
from mitools.core.progress import silent
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import PREPROCESS, _Run
from mitools.training.recipes import TrainingRecipe

SIZES = {"convnet": (64, 20), "resnet18_small": (32, 4)}
"""Items a step and steps an epoch for each network."""


def prepare(encoder: str, folder: Path) -> _Run:
    batch, steps = SIZES[encoder]
    recipe = TrainingRecipe(
        encoder=encoder,
        data=f"cdp?shared=color&n={batch * steps}&size=32&background=none",
        objective="class",
        batch_size=batch,
        log_every=steps,
    )
    return _Run.prepare(recipe, RunFolder(folder), Runtime(), silent)


@pytest.fixture(scope="module", autouse=True)
def settled_allocator() -> None:
    """Free a large block first: from then on the C library reuses memory that it gave back to the system
    before, and whichever loop came first would have paid for every page of every step."""
    torch.zeros(7_500_000)


@pytest.mark.parametrize("encoder", list(SIZES))
@pytest.mark.parametrize("loop", ["bare", "trainer"])
def test_epoch(encoder: str, loop: str, tmp_path: Path, benchmark: Any) -> None:
    benchmark.group = encoder
    run = prepare(encoder, tmp_path)
    batch, steps = SIZES[encoder]
    network = run.runtime.prepare(run.network)
    before = [weight.detach().clone() for weight in network.parameters()]
    pixels = run.data.images.pixels
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    items = [[torch.from_numpy(rows) for rows in run.data.batches.items(step)] for step in range(steps)]

    def bare() -> None:
        network.train()
        for x, y in items:
            run.optimiser.zero_grad(set_to_none=True)
            images = (pixels[torch.cat([x, y])].float() / 255 - mean) / std
            rows = functional.normalize(network(images), dim=1)
            scores = (rows @ rows.T / 0.5).fill_diagonal_(-torch.inf)
            partner = torch.arange(2 * batch).roll(batch)
            functional.cross_entropy(scores, partner).backward()
            run.optimiser.step()

    benchmark.pedantic(
        bare if loop == "bare" else lambda: run._epoch(network, 0, run.stages[0], None),
        rounds=5,
        warmup_rounds=1,
    )
    benchmark.extra_info["images_per_second"] = batch * steps / benchmark.stats.stats.min
    changed = [not torch.equal(*pair) for pair in zip(before, network.parameters(), strict=True)]
    assert any(changed), "nothing was trained"
