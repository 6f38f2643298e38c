"""Predictive learning: its losses written out, what it leaves out, what it learns, and its encoder."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.encoders import open_encoder
from mitools.training.loop.trainer import train
from mitools.training.methods import Batch, make_method
from mitools.training.methods.multiview.predictive import Predictive, binned, item_errors
from mitools.training.networks.decoder import ConvDecoder
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import Modality, TrainingData

OWN_VIEWS = """
class Grey:
    name, channels, draws = "python:own_views:Grey", 1, 0
    def __call__(self, items, draws):
        return items.mean(dim=1, keepdim=True)

class Parts:
    "Where a pixel is bright, dark, or neither."
    name, channels, draws, modality = "python:own_views:Parts", 2, 0, "parts"
    def __call__(self, items, draws):
        return items
"""
GREY, PARTS = "python:own_views:Grey", "python:own_views:Parts"


@pytest.fixture(autouse=True)
def own_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_views.py").write_text(OWN_VIEWS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_views", raising=False)


def recipe_of(**changes: Any) -> TrainingRecipe:
    content = {"encoder": "convnet", "data": "digits?limit=200", "method": "predictive", "batch_size": 50}
    return make_recipe(content | changes, TrainingRecipe, "recipe")


def made(views: list[str], lacking: tuple[int, ...] = (), **options: Any) -> tuple[Predictive, Batch]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (6, 3, 8, 8), generator=generator).to(torch.uint8)
    bright = pixels.float().mean(dim=1, keepdim=True)
    parts = torch.cat([(bright > 150), (bright < 100)], dim=1).float()
    present = torch.ones(6, dtype=torch.bool)
    present[list(lacking)] = False
    data = TrainingData(pixels, torch.arange(6) % 2, 2, load_modality=lambda name: Modality(parts, present))
    method = make_method(recipe_of(options={"views": views} | options), data)
    assert isinstance(method, Predictive)
    items = torch.arange(6)
    drawn = [data.draw(view, items, 0) for view in method.views]
    known = torch.stack([torch.ones(6, dtype=torch.bool), present]) if lacking else None
    return method, Batch(drawn, data.labels, items, present=known)


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_l1_and_l2_are_means_over_pixels_and_channels() -> None:
    predicted, target = rows(2, 3, 2, 2), rows(2, 3, 2, 2).flip(0)
    for loss, power in (("l1", 1), ("l2", 2)):
        expected = [
            sum(abs(p - t) ** power for p, t in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True))
            / 12
            for a, b in zip(predicted, target, strict=True)
        ]
        assert item_errors(predicted, target, loss).tolist() == pytest.approx(expected, rel=1e-12)


def test_cross_entropy_leaves_out_pixels_without_a_class() -> None:
    logits = rows(1, 3, 1, 2)
    target = torch.tensor([-1.0, 1.0, -1.0]).reshape(1, 3, 1, 1).repeat(1, 1, 1, 2)
    target[..., 1] = -1.0  # the second pixel is of no class
    first = logits[0, :, 0, 0].tolist()
    expected = math.log(sum(map(math.exp, first))) - first[1]
    assert item_errors(logits, target, "cross_entropy").item() == pytest.approx(expected, rel=1e-12)


def test_bins_number_the_cells_of_a_grid() -> None:
    values = torch.tensor([[-1.0, -1.0], [-1.0, 0.99], [0.01, -0.01], [5.0, 5.0], [-0.4, 0.4]])
    cells = binned(values[:, :, None, None], 4).flatten().tolist()
    assert cells == [0, 3, 4 * 2 + 1, 15, 4 * 1 + 2]
    logits = torch.zeros(1, 16, 1, 1)
    assert item_errors(logits, values[:1, :, None, None], "l2", bins=4).item() == pytest.approx(math.log(16))


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 1), (33, 32)])
def test_the_decoder_ends_at_the_size_that_is_asked_for(size: tuple[int, int]) -> None:
    assert ConvDecoder(6, 2, size, hidden=8)(torch.zeros(3, 6)).shape == (3, 2, *size)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "l1"},
        {"loss": "l2", "target_size": 4},
        {"bins": 3, "target_size": 4},
    ],
)
def test_the_loss_is_the_mean_error_of_the_prediction(options: dict[str, Any]) -> None:
    method, batch = made([GREY, "image"], **options)
    source, target = batch.views
    if "target_size" in options:
        target = torch.nn.functional.avg_pool2d(target, 2)
    errors = item_errors(method.network(source), target, method.options.loss, method.options.bins)
    torch.testing.assert_close(method(batch).value, errors.mean())


def test_what_lacks_a_view_is_left_out() -> None:
    method, batch = made([GREY, PARTS], lacking=(1, 4), loss="cross_entropy")
    errors = item_errors(method.network(batch.views[0]), batch.views[1], "cross_entropy")
    torch.testing.assert_close(method(batch).value, errors[[0, 2, 3, 5]].mean())
    whole, batch = made([GREY, PARTS], lacking=tuple(range(6)), loss="cross_entropy")
    assert whole(batch).value == 0


def test_it_learns_and_its_encoder_is_that_of_the_first_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = train(recipe_of(options={"views": [GREY, "image"]}, epochs=4, log_every=1), tmp_path / "run")
    losses = [record["loss"] for record in folder.metrics()]
    assert losses[-1] < 0.5 * losses[0]
    assert "in_training_bits" not in folder.metrics()[0]
    encoder = open_encoder("run:run?trust=yes")
    assert encoder.name == "run@4"
    assert encoder.module(torch.rand(2, 3, 8, 8)).shape == (2, 512)
    with pytest.raises(InputError, match=f"no encoder of a view 'image'; views: {GREY}"):
        open_encoder("run:run?view=image&trust=yes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"views": ["image"]}, "predictive takes two views, one to encode and one to predict"),
        ({"views": ["image", "imag"]}, "'imag'"),
        ({"views": ["image", "simclr"], "bins": 3, "loss": "cross_entropy"}, "options.bins makes classes"),
        ({"views": ["image", GREY], "loss": "cross_entropy"}, "has 1 channel, and cross_entropy predicts"),
        ({"views": ["image", "simclr"], "bins": 40}, "options.bins 40 makes 64000 classes a pixel"),
    ],
)
def test_what_does_not_fit_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        made(**options)
    assert "\n" not in str(caught.value)
