"""AutoAugment as a pure function of its random numbers, against torchvision's own for each image."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.views.augmentation.auto_augment import AUTO_DRAWS, auto_augmented
from mitools.views.augmentation.simclr import DRAWS, augmented, draw_count
from mitools.views.recipes import AugmentationRecipe

NOTHING = AugmentationRecipe(crop_area=1.0, flip=0.0, jitter_strength=0.0, jitter=0.0, grey=0.0)


def levels(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 12, 12), generator=generator, dtype=torch.uint8)


def uniform(count: int) -> Tensor:
    return torch.rand(count, AUTO_DRAWS, generator=torch.Generator().manual_seed(1))


def one_by_one(pixels: Tensor, draws: Tensor, policy: str, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Run torchvision's transform on every image, and let it draw our numbers in the order it asks."""
    transform, views = v2.AutoAugment(v2.AutoAugmentPolicy(policy)), []
    for image, (chosen, *steps) in zip(pixels, draws, strict=True):
        pair = int(chosen * 25)
        asked: list[Tensor] = []
        for (whether, direction), (name, probability, _) in zip(
            (steps[:2], steps[2:]), transform._policies[pair], strict=True
        ):
            asked.append(whether)
            if whether <= probability and transform._AUGMENTATION_SPACE[name][1]:
                asked.append(direction)
        numbers = iter(asked)
        monkeypatch.setattr(torch, "randint", lambda *_, pair=pair: torch.tensor(pair))
        monkeypatch.setattr(torch, "rand", lambda _, numbers=numbers: next(numbers))
        views.append(transform(image))
        monkeypatch.undo()
        assert next(numbers, None) is None, "it drew fewer numbers than were laid out"
    return torch.stack(views)


@pytest.mark.parametrize("policy", ["cifar10", "imagenet", "svhn"])
def test_a_batch_is_torchvisions_transform_of_every_image(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, draws = levels(200), uniform(200)
    ours = auto_augmented(pixels / 255, draws, policy)
    theirs = one_by_one(pixels, draws, policy, monkeypatch)
    assert torch.equal((ours * 255).round().to(torch.uint8), theirs)
    assert (theirs != pixels).flatten(1).any(dim=1).double().mean() > 0.5


def test_a_view_depends_on_its_own_draws_alone() -> None:
    images, recipe = levels(32) / 255, NOTHING.model_copy(update={"auto": "cifar10"})
    draws = torch.rand(32, draw_count(recipe), generator=torch.Generator().manual_seed(2))
    together = augmented(images, draws, recipe)
    assert torch.equal(together[5:9], augmented(images[5:9], draws[5:9], recipe))
    assert not torch.equal(together, augmented(images, draws[:, :DRAWS], NOTHING))


def test_one_seed_gives_one_network_under_auto_augment(tmp_path: Path) -> None:
    content = {
        "encoder": "convnet",
        "data": "digits?limit=64",
        "objective": "cross_entropy",
        "epochs": 1,
        "batch_size": 32,
        "log_every": 1,
        "augmentation": {"auto": "svhn"},
    }
    recipe = TrainingRecipe.model_validate(content, strict=False)
    losses = [
        [record["loss"] for record in train(one, tmp_path / str(number)).metrics()]
        for number, one in enumerate(
            [recipe, recipe, recipe.model_copy(update={"augmentation": AugmentationRecipe()})]
        )
    ]
    assert losses[0] == losses[1] != losses[2]
