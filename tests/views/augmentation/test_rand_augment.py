"""RandAugment as a pure function of its random numbers, against torchvision's own for each image."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from mitools.views.augmentation.rand_augment import LEVELS, rand_augmented

PIXELS = torch.randint(
    0, 256, (150, 3, 12, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
)


def one_by_one(draws: Tensor, magnitude: int, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Run torchvision's transform on every image, and let it draw our numbers in the order it asks."""
    transform, views = v2.RandAugment(draws.shape[1] // 2, magnitude, LEVELS), []
    space = list(transform._AUGMENTATION_SPACE.items())
    for image, numbers in zip(PIXELS, draws, strict=True):
        chosen = [int(which * len(space)) for which in numbers[0::2]]
        steps, directions = (
            iter(chosen),
            iter([u for k, u in zip(chosen, numbers[1::2], strict=True) if space[k][1][1]]),
        )
        monkeypatch.setattr(transform, "_get_random_item", lambda _, steps=steps: space[next(steps)])
        monkeypatch.setattr(torch, "rand", lambda _, directions=directions: next(directions))
        views.append(transform(image))
        monkeypatch.undo()
        assert next(directions, None) is None, "it drew fewer numbers than were laid out"
    return torch.stack(views)


@pytest.mark.parametrize(("steps", "magnitude"), [(1, 30), (2, 10)])
def test_a_batch_is_torchvisions_transform_of_every_image(
    steps: int, magnitude: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = torch.rand(len(PIXELS), 2 * steps, generator=torch.Generator().manual_seed(1))
    ours = rand_augmented(PIXELS / 255, draws, magnitude)
    theirs = one_by_one(draws, magnitude, monkeypatch)
    assert torch.equal((ours * 255).round().to(torch.uint8), theirs)
    assert (theirs != PIXELS).flatten(1).any(dim=1).double().mean() > 0.5


def test_all_steps_have_equal_shares_and_most_go_in_both_directions() -> None:
    """A number in the middle of each step's share, once in each direction."""
    draws = torch.cartesian_prod((torch.arange(14) + 0.5) / 14, torch.tensor([0.25, 0.75]))
    # A contrast that can be stretched, and enough pixels for all levels.
    images = (0.2 + PIXELS[:1] / 510).repeat(28, 1, 2, 2)
    found = rand_augmented(images, draws, 20)
    assert len({view.numpy().tobytes() for view in found}) == 1 + 2 * 9 + 4
