"""Augmentation as a pure function of its random numbers."""

import colorsys

import pytest
import torch
from torch import Tensor

from mitools.views.recipes import AugmentationRecipe
from mitools.views.simclr import DRAWS, augmented

NOTHING = AugmentationRecipe(crop_area=1.0, flip=0.0, jitter_strength=0.0, jitter=0.0, grey=0.0)
AREA, ASPECT, ROW, COLUMN, FLIP, JITTER, BRIGHTNESS, CONTRAST, SATURATION, HUE, GREY = range(DRAWS)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def draws(n: int = 6, **fixed: float) -> Tensor:
    found = torch.rand(n, DRAWS, generator=torch.Generator().manual_seed(1))
    for name, value in fixed.items():
        found[:, globals()[name]] = value
    return found


def test_nothing_asked_is_nothing_done(images: Tensor) -> None:
    torch.testing.assert_close(augmented(images, draws(), NOTHING), images)


def test_a_flip_mirrors_columns(images: Tensor) -> None:
    flipped = augmented(images, draws(FLIP=0.3), NOTHING.model_copy(update={"flip": 0.5}))
    torch.testing.assert_close(flipped, images.flip(3), atol=1e-5, rtol=0)


def test_a_quarter_crop_of_the_upper_left_is_that_quarter_enlarged() -> None:
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    quarter = AugmentationRecipe(crop_area=0.25, flip=0.0, jitter_strength=0.0, jitter=0.0, grey=0.0)
    view = augmented(ramp, draws(1, AREA=0.0, ASPECT=0.5, ROW=0.0, COLUMN=0.0), quarter)
    expected = torch.nn.functional.interpolate(ramp[:, :, :8, :8], size=16, mode="bilinear")
    # Away from the box's border, where the enlargement of the box alone cannot see its neighbours.
    torch.testing.assert_close(view[..., :14, :14], expected[..., :14, :14], atol=1e-5, rtol=0)


def test_grey_is_luma_in_every_channel(images: Tensor) -> None:
    grey = augmented(images, draws(GREY=0.1), NOTHING.model_copy(update={"grey": 0.2}))
    luma = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    torch.testing.assert_close(grey, luma[:, None].expand_as(images))


def test_the_middle_of_every_draw_leaves_colours_alone(images: Tensor) -> None:
    jitter = NOTHING.model_copy(update={"jitter_strength": 1.0, "jitter": 1.0})
    still = augmented(images, draws(BRIGHTNESS=0.5, CONTRAST=0.5, SATURATION=0.5, HUE=0.5), jitter)
    torch.testing.assert_close(still, images, atol=1e-5, rtol=0)


def test_hue_turns_the_way_colorsys_counts_it() -> None:
    """A turn keeps luma and saturation near and moves the hue by the angle drawn, for muted colours."""
    colour = torch.tensor([0.55, 0.5, 0.45]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    jitter = NOTHING.model_copy(update={"jitter_strength": 1.0, "jitter": 1.0})
    hue = 0.9
    view = augmented(colour, draws(1, BRIGHTNESS=0.5, CONTRAST=0.5, SATURATION=0.5, HUE=hue), jitter)[
        0, :, 0, 0
    ]
    before, after = colorsys.rgb_to_hsv(0.55, 0.5, 0.45)[0], colorsys.rgb_to_hsv(*view.tolist())[0]
    moved = (after - before + 0.5) % 1 - 0.5
    assert abs(abs(moved) - 0.2 * (2 * hue - 1)) < 0.06
    luma = torch.tensor([0.299, 0.587, 0.114])
    assert float(luma @ view) == pytest.approx(float(luma @ colour[0, :, 0, 0]), abs=1e-3)


def test_a_view_depends_on_its_own_draws_alone(images: Tensor) -> None:
    recipe, chosen = AugmentationRecipe(jitter_strength=1.0), draws()
    together = augmented(images, chosen, recipe)
    torch.testing.assert_close(together[2:4], augmented(images[2:4], chosen[2:4], recipe))
    assert 0 <= float(together.min()) <= float(together.max()) <= 1
    assert float((together - images).abs().mean()) > 0.05
