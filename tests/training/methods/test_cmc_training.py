"""Contrastive multiview coding in the loop: it learns, goes on where it was killed, and is opened by view."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets.base import MultimodalData
from mitools.encoders import open_encoder
from mitools.encoders.encoder import Encoder
from mitools.encoders.untrained_twin import untrained_twin
from mitools.features import FeatureStore, extract
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

OWN_VIEWS = """
from torch import nn

def tiny(channels=3):
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(2), nn.Flatten())

class Grey:
    name, channels, draws = "python:own_views:Grey", 1, 0
    def __call__(self, items, draws):
        return items.mean(dim=1, keepdim=True)

class Depth:
    name, channels, draws, modality = "python:own_views:Depth", 1, 0, "depth"
    def __call__(self, items, draws):
        return items / 10
"""

SMALL: dict[str, Any] = {
    "encoder": "convnet",
    "data": "digits?limit=96",
    "method": "cmc",
    "epochs": 3,
    "batch_size": 32,
    "log_every": 1,
    "options": {"views": ["python:own_views:Grey", "image"]},
}

PROGRAM = """
import os, signal, sys
from pathlib import Path

import accelerate
import torch
from mitools.core.recipes import read_recipe
from mitools.datasets import open_data
from mitools.training.loop import trainer
from mitools.training.methods.registry import method_class
from mitools.training.recipes import TrainingRecipe

# What every child would import anew.
open_data("digits?limit=96")
method_class("cmc")
torch.optim.AdamW([torch.zeros(1, requires_grad=True)])

loss = trainer._Run._loss

def go(name, out, killed_at=None):
    child = os.fork()
    if not child:
        def killed(self, prepared, batch):
            if batch.step == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return loss(self, prepared, batch)
        trainer._Run._loss = killed
        trainer.train(read_recipe(Path(f"{name}.yaml"), TrainingRecipe), Path(name) / out)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

for name in ("bank", "nce", "queue", "jigsaw"):
    go(name, "whole")
    go(name, "killed", 4)  # in the middle of the second epoch
    go(name, "killed")
"""


class Scenes:
    """Twenty-four random images of 12 x 12 with their depth, which the items 3 and 7 lack."""

    name, classes, digest = "scenes", ["a", "b"], "scenes"
    labels = np.arange(24, dtype=np.int64) % 2
    modalities = ("depth",)

    def __init__(self, lacking: tuple[int, ...] = ()) -> None:
        rng = np.random.default_rng(0)
        self.pixels = rng.integers(0, 256, (24, 12, 12, 3)).astype(np.uint8)
        self.depth = rng.uniform(0, 10, (24, 1, 12, 12)).astype(np.float32)
        self.lacking = lacking

    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.fromarray(self.pixels[index]), int(self.labels[index])

    def modality(self, index: int, name: str) -> NDArray[np.float32] | None:
        return None if index in self.lacking else self.depth[index]


def recipe_of(**changes: Any) -> TrainingRecipe:
    return TrainingRecipe.model_validate({**SMALL, **changes}, strict=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's folder, with views of her own, as the current one."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "own_views.py").write_text(OWN_VIEWS)
    sys.modules.pop("own_views", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder
    sys.modules.pop("own_views", None)


@pytest.fixture(scope="module")
def trained(folder: Path) -> RunFolder:
    recipe = recipe_of(data="digits?limit=320", epochs=2, keep_every=1)
    return train(recipe, folder / "run")


@pytest.fixture(scope="module")
def with_depth(folder: Path) -> RunFolder:
    """A run on scenes, of which two lack their depth."""
    options = {"views": ["python:own_views:Grey", "image", "python:own_views:Depth"], "graph": "core"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "open_data", lambda spec: Scenes(lacking=(3, 7)))
        return train(recipe_of(options=options, batch_size=12, epochs=2), folder / "depth")


def opened(spec: str) -> Encoder:
    """Open a run of the views of this file, whose code is the user's own."""
    encoder = open_encoder(f"{spec}{'&' if '?' in spec else '?'}trust=yes")
    assert isinstance(encoder, Encoder)
    return encoder


def test_it_learns_what_the_views_share_and_logs_it_for_the_pair(trained: RunFolder) -> None:
    records = trained.metrics()
    pair = "[python:own_views:Grey,image]"
    first, last = records[0][f"nats{pair}"], np.mean([record[f"nats{pair}"] for record in records[-5:]])
    assert last > first + 1.0
    for record in records:
        assert record["in_training_bits"] == pytest.approx(record[f"nats{pair}"] / np.log(2), abs=1e-4)
        assert record["ceiling_bits"] == pytest.approx(5)
        assert record["loss"] == pytest.approx(record[f"loss{pair}"], rel=1e-5)


def test_a_run_opens_all_encoders_side_by_side_or_one_by_its_view(trained: RunFolder) -> None:
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    whole, grey, shown = (opened(f"run:run{part}") for part in ("", "?view=python:own_views:Grey", "?view=1"))
    rows = whole.module(images)
    assert rows.shape == (5, 1024)
    assert torch.equal(rows[:, :512], grey.module(images))
    assert torch.equal(rows[:, 512:], shown.module(images))
    assert (whole.name, shown.name) == ("run@2", "run@2-image")
    assert len({whole.digest, grey.digest, shown.digest}) == 3
    assert opened("run:run?view=1,0").module(images).shape == (5, 1024)
    assert opened("run:run@epoch=1?view=1").name == "run@1-image"
    # The encoder of a view sees it as in training: normalised to [-1, 1], RGB as pixels are.
    network = grey.module.network
    assert torch.equal(network((images.mean(dim=1, keepdim=True) - 0.5) / 0.5), grey.module(images))
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert torch.equal(shown.module.network((images - mean) / std), shown.module(images))


def test_a_shared_encoder_and_crops_are_kept_and_opened(folder: Path) -> None:
    crops = "strided_crops:convnet_half?size=6&stride=2"
    options = {"views": ["simclr", "image"], "same_encoder": {"simclr": "image"}, "point_layers": {
        "simclr": "crops", "image": "crops"}}  # fmt: skip
    run = train(
        recipe_of(encoder=crops, options=options, data="digits?limit=64", epochs=1), folder / "shared"
    )
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    rows = opened("run:shared").module(images)
    assert rows.shape == (5, 512)
    assert torch.equal(rows[:, :256], rows[:, 256:])
    assert len(run.metrics()) > 0


def test_its_untrained_twin_is_of_the_same_views(trained: RunFolder) -> None:
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    whole = opened("run:run")
    twin = untrained_twin(whole, seed=1)
    assert twin is not None
    assert twin.module(images).shape == (5, 1024)
    assert not torch.allclose(twin.module(images), whole.module(images))
    assert twin.preprocess == whole.preprocess


def test_its_layers_are_the_views_and_those_inside_each(trained: RunFolder) -> None:
    layers = opened("run:run?layers=all").layers
    assert layers == ("encoders.0", "encoders.1", "output")
    inside = opened("run:run?view=image&layers=all").layers
    assert len(inside) == 5
    assert all(name.startswith("network.layers.") for name in inside[:-1])


def test_features_and_augmented_views_come_out_of_the_concatenation(
    trained: RunFolder, tmp_path: Path
) -> None:
    data, store = Scenes(), FeatureStore(tmp_path / "store")
    found = extract(opened("run:run"), data, store=store).values[:, 0]
    images = torch.from_numpy(data.pixels).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(torch.tensor(found), opened("run:run").module(images), atol=1e-5, rtol=1e-4)
    views = ItemViews(make_view("simclr"), count=2)
    assert extract(opened("run:run"), data, store=store, views=views).values.shape == (24, 2, 1024)


def test_encoders_of_other_modalities_read_them_from_the_data(with_depth: RunFolder, tmp_path: Path) -> None:
    data, store = Scenes(), FeatureStore(tmp_path / "store")
    assert isinstance(data, MultimodalData)
    values = {
        part: extract(opened(f"run:depth{part}"), data, store=store).values[:, 0]
        for part in ("", "?view=0", "?view=image", "?view=python:own_views:Depth")
    }
    assert values[""].shape == (24, 1536)
    parts = [values[f"?view={name}"] for name in ("0", "image", "python:own_views:Depth")]
    np.testing.assert_allclose(values[""], np.hstack(parts), rtol=1e-4, atol=1e-5)
    network = opened("run:depth?view=2").module.network
    expected = network((torch.from_numpy(data.depth) / 10 - 0.5) / 0.5)
    torch.testing.assert_close(torch.tensor(parts[2]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "data", "said"),
    [
        (
            "run:depth",
            "digits?limit=20",
            "reads image, depth and .* has no depth; take the encoders of other",
        ),
        ("run:depth?view=2", Scenes(lacking=(3,)), "item 3 of scenes lacks its depth"),
        (
            "run:depth?view=normals",
            None,
            "no encoder of a view 'normals'; views: python:own_views:Grey, image",
        ),
        ("run:depth?mean=0,0,0", None, "unknown option 'mean'"),
        ("run:plain?view=image", None, "the run has one encoder for all views; leave view= out"),
    ],
)
def test_what_cannot_be_opened_or_read_is_one_line(
    spec: str, data: Any, said: str, with_depth: RunFolder, tmp_path: Path
) -> None:
    from mitools.datasets import open_data

    if spec.startswith("run:plain") and not Path("plain").exists():
        train(recipe_of(method="simclr", options={}, epochs=1), Path("plain"))
    found = open_data(data) if isinstance(data, str) else data
    with pytest.raises(InputError, match=said) as caught:
        extract(opened(spec), found, store=FeatureStore(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_view_of_what_the_data_lack_is_one_line_and_leaves_nothing(folder: Path) -> None:
    options = {"views": ["image", "python:own_views:Depth"]}
    with pytest.raises(InputError, match=r"has no depth; its views can be drawn from image$"):
        train(recipe_of(options=options), folder / "none")
    assert not (folder / "none").exists()


@pytest.mark.slow
def test_killed_and_started_again_bank_queue_z_and_nine_crops_end_as_if_nothing_had_been(
    folder: Path,
) -> None:
    for name in ("bank", "nce", "queue", "jigsaw"):
        negatives = "queue" if name == "jigsaw" else name
        options = SMALL["options"] | {"negatives": negatives, "negatives_count": 40}
        if name == "jigsaw":
            options |= {"jigsaw": "jigsaw?crop_area=0.9&keep=1"}
        recipe = SMALL | {"options": options, "encoder": "python:own_views:tiny"}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-P", "-c", PROGRAM]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=settings, timeout=240, stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"0", str(-signal.SIGKILL).encode(), b"0"] * 4
    remembered = {
        "bank": "negatives.banks.1.rows",
        "nce": "negatives.log_z",
        "queue": "negatives.queues.1.rows",
        "jigsaw": "jigsaw_heads.1.joined.weight",
    }
    for name, buffer in remembered.items():
        whole, killed = (
            torch.load(folder / name / run / "checkpoints" / "epoch-0003" / "training.pt", weights_only=True)
            for run in ("whole", "killed")
        )
        for part in whole["method"]:
            torch.testing.assert_close(
                whole["method"][part], killed["method"][part], rtol=0, atol=0, equal_nan=True
            )
        assert whole["method"][buffer].isfinite().any()
        weights = [
            (folder / name / run / "checkpoints" / "epoch-0003" / "encoder.safetensors").read_bytes()
            for run in ("whole", "killed")
        ]
        assert weights[0] == weights[1]


def test_an_augmentation_is_drawn_once_for_all_views_of_the_image(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    loss = trainer._Run._loss

    def note(self: Any, prepared: Any, batch: Any) -> Any:
        seen.append((self.data, batch))
        return loss(self, prepared, batch)

    monkeypatch.setattr(trainer._Run, "_loss", note)
    options = {"views": ["python:own_views:Grey", "image"]}
    train(recipe_of(options=options, augmentation={"crop_area": 0.3}, epochs=1), folder / "augmented")
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    for data, batch in seen:
        grey, image = batch.views
        crop = image * std + mean
        torch.testing.assert_close(grey * 0.5 + 0.5, crop.mean(dim=1, keepdim=True), atol=1e-5, rtol=0)
        assert not torch.allclose(crop, data.pixels[batch.items].float() / 255, atol=0.1)
