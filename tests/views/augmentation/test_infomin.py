"""InfoMin's augmentation: its steps in order, against torchvision's chain on the same parameters."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from mitools.core.errors import InputError
from mitools.views.augmentation.infomin import InfoMinRecipe, InfoMinView
from mitools.views.augmentation.rand_augment import rand_augmented
from mitools.views.augmentation.resized_crop import CROP_DRAWS, drawn_boxes
from mitools.views.registry import make_view

IMAGES = torch.rand(24, 3, 48, 40, generator=torch.Generator().manual_seed(0))


def draws_of(view: InfoMinView) -> Tensor:
    return torch.rand(len(IMAGES), view.draws, generator=torch.Generator().manual_seed(1))


def torchvisions(image: Tensor, draws: Tensor, view: InfoMinView) -> Tensor:
    """One image through torchvision's functions, up to RandAugment."""
    box = [int(value) for value in drawn_boxes(draws[None, :CROP_DRAWS], 48, 40, view.recipe.crop_area)]
    flip, jitter, brightness, contrast, saturation, hue, blur, width, _ = draws[CROP_DRAWS:][:9].tolist()
    image = functional.resized_crop(image, *box, [48, 40], antialias=True)
    if flip < 0.5:
        image = functional.horizontal_flip(image)
    if jitter < 0.8:
        image = functional.adjust_brightness(image, 0.2 + 1.6 * brightness)
        image = functional.adjust_contrast(image, 0.2 + 1.6 * contrast)
        image = functional.adjust_saturation(image, 0.2 + 1.6 * saturation)
        image = functional.adjust_hue(image, 0.2 * (2 * hue - 1))
    if blur < 0.5:
        image = functional.gaussian_blur(image, [5, 5], [0.1 + 1.9 * width] * 2)
    return image


def test_the_steps_are_torchvisions_in_the_order_of_the_paper() -> None:
    view = make_view("infomin")
    draws = draws_of(view)
    before = make_view("infomin?steps=0&grey=0")(IMAGES, draws[:, :-4])
    expected = torch.stack([torchvisions(*one, view) for one in zip(IMAGES, draws, strict=True)])
    torch.testing.assert_close(before, expected, atol=2e-3, rtol=0)  # two steps of luma, 0.2989 for red
    after = rand_augmented(before, draws[:, -4:], 10)
    grey = draws[:, CROP_DRAWS + 8] < 0.2
    assert grey.any()
    torch.testing.assert_close(
        view(IMAGES, draws),
        torch.where(grey[:, None, None, None], functional.rgb_to_grayscale(after, 3), after),
        atol=1e-3,
        rtol=0,
    )


def test_nothing_is_done_where_every_step_is_left_out() -> None:
    view = make_view("infomin?crop_area=1&flip=0&jitter=0&blur=0&steps=0&grey=0")
    square = IMAGES[:, :, :40]  # a crop of the whole area has an aspect, and only the fallback is the image
    draws = draws_of(view)
    draws[:, CROP_DRAWS // 2 - 1 : CROP_DRAWS - 2] = 0.5
    torch.testing.assert_close(view(square, draws), square, atol=1e-6, rtol=0)


def test_names() -> None:
    recipe = InfoMinRecipe(crop_area=0.08, strength=2.5, steps=1, magnitude=30)
    assert make_view("infomin?crop_area=0.08&strength=2.5&steps=1&magnitude=30") == InfoMinView(recipe)
    assert InfoMinView(recipe).name == "infomin?crop_area=0.08&strength=2.5&steps=1&magnitude=30"
    assert make_view("infomin?strength=1.0&steps=2").name == "infomin"
    assert make_view("infomin?steps=3").draws == make_view("infomin?steps=0").draws + 6


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("infomin?strength=2.6", "'strength': .*less than or equal to 2.5, not 2.6"),
        ("infomin?steps=0.5", "'steps': .*valid integer, not 0.5"),
        ("infomin?magnitude=31", "'magnitude': .*less than 31, not 31"),
        ("infomin?blur=large", "'blur': .*valid number, not 'large'"),
        ("infomin?grey=1.5", "'grey': .*less than or equal to 1"),
        ("infomin?jiter=0", "unknown option 'jiter'; accepted: jitter"),
        ("infomin:strong", "infomin has no parts"),
    ],
)
def test_a_wrong_name_is_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)
