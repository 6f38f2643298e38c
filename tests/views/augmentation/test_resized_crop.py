"""Random resized crops against torchvision's: the boxes drawn, and what is made of one."""

import pytest
import torch
from scipy.stats import ks_2samp
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from mitools.views.augmentation.resized_crop import ATTEMPTS, CROP_DRAWS, Boxes, drawn_boxes, resized


def uniform(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, CROP_DRAWS, generator=torch.Generator().manual_seed(seed))


def test_each_box_is_resized_as_torchvision_does() -> None:
    images = torch.rand(60, 3, 24, 40, generator=torch.Generator().manual_seed(1))
    boxes, mirrored = drawn_boxes(uniform(60), 24, 40, 0.1), torch.arange(60) % 2 == 0
    for size in ((24, 40), (33, 48)):
        found = resized(images, boxes, mirrored, size)
        for image, view, flipped, box in zip(images, found, mirrored, zip(*boxes, strict=True), strict=True):
            expected = functional.resized_crop(image, *map(int, box), list(size), antialias=True)
            expected = functional.horizontal_flip(expected) if flipped else expected
            torch.testing.assert_close(view, expected, atol=1e-3, rtol=0)


def test_the_whole_image_stays_as_it_is() -> None:
    images = torch.rand(2, 3, 7, 9)
    whole = Boxes(*(torch.full((2,), value) for value in (0, 0, 7, 9)))
    torch.testing.assert_close(resized(images, whole, torch.zeros(2, dtype=torch.bool), (7, 9)), images)


@pytest.mark.parametrize(("height", "width", "least"), [(64, 64, 0.2), (40, 90, 0.08)])
def test_boxes_are_distributed_as_torchvisions(height: int, width: int, least: float) -> None:
    ours = drawn_boxes(uniform(3000), height, width, least)
    transform, image = v2.RandomResizedCrop(32, scale=(least, 1)), torch.empty(3, height, width)
    torch.manual_seed(0)
    theirs = [transform.make_params([image]) for _ in range(3000)]
    for name in Boxes._fields:
        assert ks_2samp(getattr(ours, name).numpy(), [one[name] for one in theirs]).pvalue > 1e-3, name
    assert (ours.top >= 0).all()
    assert (ours.left >= 0).all()
    assert (ours.top + ours.height <= height).all()
    assert (ours.left + ours.width <= width).all()


@pytest.mark.parametrize(
    ("height", "width", "box"), [(10, 40, (0, 13, 10, 13)), (40, 10, (13, 0, 13, 10)), (9, 9, None)]
)
def test_where_nothing_fits_the_box_is_the_largest_in_the_middle(height, width, box) -> None:
    draws = uniform(1)
    draws[:, :ATTEMPTS] = 1.0 if box else 0.999  # the whole area
    draws[:, ATTEMPTS : 2 * ATTEMPTS] = 0.999  # as wide as may be
    found = tuple(int(value) for value in drawn_boxes(draws, height, width, 1.0))
    assert found == (box or (0, 0, 9, 9))
