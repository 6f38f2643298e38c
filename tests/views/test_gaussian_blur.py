"""Blur against scipy's Gaussian filter and torchvision's."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torchvision.transforms.v2 import functional

from mitools.views.gaussian_blur import blurred

IMAGES = torch.rand(4, 3, 24, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SIGMA = torch.tensor([0.1, 0.5, 1.3, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("radius", [(1, 1), (3, 8), (23, 39)])
def test_each_image_has_a_blur_of_its_own_as_scipys(radius: tuple[int, int]) -> None:
    expected = [
        gaussian_filter(image.numpy(), float(sigma), mode="mirror", radius=radius, axes=(1, 2))
        for image, sigma in zip(IMAGES, SIGMA, strict=True)
    ]
    np.testing.assert_allclose(blurred(IMAGES, SIGMA, radius).numpy(), np.stack(expected), atol=1e-12)


def test_as_torchvision_blurs() -> None:
    theirs = functional.gaussian_blur(IMAGES[2:3].float(), [9, 9], [1.3, 1.3])
    torch.testing.assert_close(blurred(IMAGES[2:3].float(), SIGMA[2:3].float(), (4, 4)), theirs)


def test_a_narrow_blur_is_none_and_a_constant_stays() -> None:
    torch.testing.assert_close(blurred(IMAGES, torch.full((4,), 0.05).double(), (3, 3)), IMAGES)
    flat = torch.full((4, 3, 8, 8), 0.3, dtype=torch.float64)
    torch.testing.assert_close(blurred(flat, SIGMA, (5, 5)), flat)
    torch.testing.assert_close(blurred(IMAGES, SIGMA, (0, 0)), IMAGES)
