"""Views that belong together are drawn from the same random numbers of an item, in training too."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mitools.training.loop import trainer
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.recipes import TrainingRecipe
from mitools.views.registry import make_view

PAIR = ["patch?size=4&distance=2#0", "patch?size=4&distance=2#1"]


def views_of_a_run(names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[Tensor]]:
    """Train for an epoch, and give the views of every step."""
    seen: list[list[Tensor]] = []

    class Recorder(SharedEncoder):
        def loss(self, batch: Batch) -> Loss:
            seen.append(list(batch.views))
            return Loss(self.network(batch.views[0]).square().mean())

    def made(recipe, data):
        method = Recorder(recipe, data, lambda width: torch.nn.Linear(width, 2))
        method.views = [make_view(name) for name in names]
        return method

    monkeypatch.setattr(trainer, "make_method", made)
    recipe = {"encoder": "convnet", "data": "digits?limit=128", "method": "simclr", "epochs": 1}
    trainer.train(TrainingRecipe.model_validate(recipe | {"batch_size": 64}, strict=False), folder)
    return seen


def test_patches_of_a_pair_have_one_corner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for first, second, *_ in views_of_a_run(PAIR, tmp_path, monkeypatch):
        assert torch.equal(first[:, :, 2:, 2:], second[:, :, :2, :2])
        assert len({patch.numpy().tobytes() for patch in first}) == 64


def test_further_pairs_and_other_views_have_numbers_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first, second, whole, third, fourth in views_of_a_run(
        [*PAIR, "simclr", *PAIR], tmp_path, monkeypatch
    ):
        assert torch.equal(first[:, :, 2:, 2:], second[:, :, :2, :2])
        assert torch.equal(third[:, :, 2:, 2:], fourth[:, :, :2, :2])
        same = (first == third).flatten(1).all(dim=1)
        assert int(same.sum()) < 64 / 2  # one corner of nine
        assert whole.shape[2:] == (8, 8)
