"""Low and high frequencies: against scipy's Gaussian filter, and that they add up to the image."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from mitools.core.errors import InputError
from mitools.views.base import is_rgb
from mitools.views.registry import make_view

IMAGES = torch.rand(3, 3, 24, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
NO_DRAWS = torch.empty(3, 0)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 2.0])
def test_the_blur_is_scipys_and_the_residual_is_the_rest(sigma: float) -> None:
    blur, residual = (make_view(f"{name}?sigma={sigma}") for name in ("blur", "residual"))
    expected = gaussian_filter(IMAGES.numpy(), sigma, mode="mirror", truncate=6, axes=(2, 3))
    low, high = blur(IMAGES, NO_DRAWS), residual(IMAGES, NO_DRAWS)
    np.testing.assert_allclose(low, expected, atol=1e-4)  # ours is cut off at four standard deviations
    torch.testing.assert_close(low + high, IMAGES + 0.5)
    torch.testing.assert_close(high.mean(), torch.tensor(0.5).double(), atol=0.01, rtol=0)


def test_a_wide_blur_leaves_the_mean_of_small_images() -> None:
    """The Gaussian is wider than the image, and is cut off at its borders."""
    flat = make_view("blur?sigma=100")(IMAGES[..., :5, :6], NO_DRAWS)
    assert float((flat.amax(dim=(2, 3)) - flat.amin(dim=(2, 3))).max()) < 0.2


@pytest.mark.parametrize("sigma", [1e-3, 1e4])
def test_the_widest_and_the_narrowest_blur_are_numbers(sigma: float) -> None:
    low = make_view(f"blur?sigma={sigma}")(IMAGES.float(), NO_DRAWS)
    assert bool(torch.isfinite(low).all())
    # One pixel, or as good as the mean of what is mirrored.
    assert torch.equal(low, IMAGES.float()) == (sigma < 1)


def test_names_and_what_networks_take_them_for() -> None:
    assert make_view("blur").name == "blur?sigma=0.7"
    assert make_view("residual?sigma=1.50").name == "residual?sigma=1.5"
    # Two widths that differ in a late digit are two views.
    assert make_view("blur?sigma=1.0000001").name == "blur?sigma=1.0000001"
    assert is_rgb(make_view("blur"))
    assert not is_rgb(make_view("residual"))


@pytest.mark.parametrize("name", ["blur", "residual"])
@pytest.mark.parametrize("sigma", ["0", "-1", "inf", "nan", "wide", "1e39", "1e308", "1e400", "1e-50"])
def test_a_width_that_is_none_is_refused(name: str, sigma: str) -> None:
    said = f"view '{name}.sigma={sigma}': sigma={sigma} must be a number from 0.001 to 10000, as sigma=0.7"
    with pytest.raises(InputError, match=said):
        make_view(f"{name}?sigma={sigma}")


def test_other_options_and_parts_are_refused() -> None:
    for spec in ("blur?width=1", "blur:low", "residual#1"):
        with pytest.raises(InputError):
            make_view(spec)
