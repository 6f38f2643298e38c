"""Each step of an augmentation against torchvision's, with the same parameters."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from mitools.views.augmentation.steps import blurred_at_random, factor, greyed, hue_turned, toned

IMAGES = torch.rand(5, 3, 24, 30, generator=torch.Generator().manual_seed(0))
FACTORS = torch.tensor([0.0, 0.4, 1.0, 1.7, 3.0])
ONE = torch.ones(5)


def one_by_one(step, parameters: Tensor) -> Tensor:
    return torch.stack([step(image, value) for image, value in zip(IMAGES, parameters.tolist(), strict=True)])


@pytest.mark.parametrize(
    ("place", "step"),
    [
        (0, functional.adjust_brightness),
        (1, functional.adjust_contrast),
        (2, functional.adjust_saturation),
    ],
    ids=["brightness", "contrast", "saturation"],
)
def test_tones(place: int, step) -> None:
    factors = [ONE, ONE, ONE]
    factors[place] = FACTORS
    torch.testing.assert_close(toned(IMAGES, *factors), one_by_one(step, FACTORS), atol=1e-3, rtol=0)


def test_hue() -> None:
    turns = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.5])
    expected = one_by_one(functional.adjust_hue, turns)
    torch.testing.assert_close(hue_turned(IMAGES, turns), expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(hue_turned(IMAGES, turns + 1), expected, atol=1e-3, rtol=0)
    grey = IMAGES[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(hue_turned(grey, turns), grey)


def test_grey() -> None:
    chosen = torch.tensor([True, False, True, False, False])
    expected = torch.where(chosen[:, None, None, None], functional.rgb_to_grayscale(IMAGES, 3), IMAGES)
    torch.testing.assert_close(greyed(IMAGES, chosen), expected, atol=1e-3, rtol=0)


def test_blur() -> None:
    """Widths from 0.1 to 2 pixels; of an image of 100 x 120 pixels the kernel spans 11 and 13."""
    images = torch.rand(3, 3, 100, 120, generator=torch.Generator().manual_seed(1))
    whether, width = torch.tensor([0.1, 0.9, 0.49]), torch.tensor([0.2, 0.2, 1.0])
    expected = [
        functional.gaussian_blur(images[0], [13, 11], [0.1 + 1.9 * 0.2] * 2),
        images[1],
        functional.gaussian_blur(images[2], [13, 11], [2.0, 2.0]),
    ]
    found = blurred_at_random(images, 0.5, whether, width)
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-3, rtol=0)
    assert torch.equal(blurred_at_random(IMAGES, "large", ONE * 0, ONE), IMAGES)


def test_factors_lie_about_one_and_never_below_zero() -> None:
    ends = torch.tensor([0.0, 0.5, 1.0])
    torch.testing.assert_close(factor(ends, 0.8), torch.tensor([0.2, 1.0, 1.8]))
    torch.testing.assert_close(factor(ends, 2.0), torch.tensor([0.0, 1.5, 3.0]))
