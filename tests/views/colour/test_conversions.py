"""Colour spaces against scikit-image's, on all colours of a grid."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.views.colour import conversions
from mitools.views.colour.spaces import SPACES

color = pytest.importorskip("skimage.color")

LEVELS = torch.arange(0, 256, 5, dtype=torch.float64) / 255
GRID = torch.cartesian_prod(LEVELS, LEVELS, LEVELS).T.reshape(1, 3, len(LEVELS), -1)
"""Every fifth of the 256 levels of each channel: 140,608 colours, black and white among them."""

CONVERTED = sorted(set(SPACES) - {"rgb"})


def theirs(space: str, images: Tensor) -> Tensor:
    found = getattr(color, f"rgb2{space}")(images.permute(0, 2, 3, 1).numpy())
    return torch.from_numpy(found).permute(0, 3, 1, 2)


@pytest.mark.parametrize("space", CONVERTED)
def test_each_space_is_scikit_images_in_its_natural_units(space: str) -> None:
    ours = getattr(conversions, f"rgb_to_{space}")(GRID)
    assert ours.dtype == torch.float64
    torch.testing.assert_close(ours, theirs(space, GRID), atol=1e-5, rtol=0)


@pytest.mark.parametrize("space", CONVERTED)
def test_single_precision_is_enough_for_a_network(space: str) -> None:
    found, exact = SPACES[space].scaled(GRID.float()), SPACES[space].scaled(GRID)
    assert found.dtype == torch.float32
    error = (found - exact).abs()
    if space == "hsv":  # hues of 0 and 1 are one colour
        error = torch.minimum(error, 1 - error)
    assert float(error.max()) < 1e-5


@pytest.mark.parametrize("space", sorted(SPACES))
def test_every_colour_lies_within_the_bounds_and_some_at_them(space: str) -> None:
    scaled = SPACES[space].scaled(GRID)
    assert float(scaled.min()) >= -1e-9
    assert float(scaled.max()) <= 1 + 1e-9
    np.testing.assert_allclose(scaled.amin(dim=(0, 2, 3)), 0, atol=1e-9)
    # No hue is 1: it begins again at 0.
    np.testing.assert_allclose(scaled.amax(dim=(0, 2, 3)), 1, atol=4e-3 if space == "hsv" else 1e-9)


def test_hue_saturation_and_value_go_back() -> None:
    torch.testing.assert_close(conversions.hsv_to_rgb(conversions.rgb_to_hsv(GRID)), GRID)
    hsv = GRID.clone()
    expected = color.hsv2rgb(hsv.permute(0, 2, 3, 1).numpy())
    found = conversions.hsv_to_rgb(hsv).permute(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    hsv[:, 0] -= 1
    np.testing.assert_allclose(conversions.hsv_to_rgb(hsv).permute(0, 2, 3, 1), expected, atol=1e-12)


@pytest.mark.parametrize("space", CONVERTED)
def test_gradients_flow_and_are_finite(space: str) -> None:
    """Also at black, white and grey, where logarithms, roots and hues have their corners."""
    images = torch.rand(1, 3, 2, 6, generator=torch.Generator().manual_seed(0)).double()
    images[..., 0], images[..., 1], images[..., 2] = 0, 1, 0.5
    images.requires_grad_()
    SPACES[space].scaled(images).sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()
    assert images.grad[..., 3:].abs().max() > 0.01
