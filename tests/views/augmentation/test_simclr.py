"""Augmentation as a pure function of its random numbers."""

import colorsys
import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor
from torchvision.transforms.v2 import functional

from mitools.views.augmentation.simclr import BLUR_DRAWS, DRAWS, SimCLRView, augmented, draw_count
from mitools.views.recipes import AugmentationRecipe

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


def changed(**steps: float | str) -> AugmentationRecipe:
    return NOTHING.model_copy(update=steps)


def test_crops_are_the_boxes_drawn_enlarged_as_scipy_enlarges() -> None:
    """The box from its four numbers in closed form; its pixels by scipy's linear interpolation."""
    images, chosen = torch.rand(8, 3, 20, 28, generator=torch.Generator().manual_seed(2)), draws(8)
    found = augmented(images, chosen, changed(crop_area=0.1, flip=0.5)).numpy()
    for image, view, (area, aspect, row, column, flip, *_) in zip(
        images, found, chosen.tolist(), strict=True
    ):
        share, ratio = 0.1 + 0.9 * area, (3 / 4) * (16 / 9) ** aspect
        width, height = min(math.sqrt(share * ratio), 1), min(math.sqrt(share / ratio), 1)
        y = 20 * ((1 - height) * row + height * (np.arange(20) + 0.5) / 20) - 0.5
        x = 28 * ((1 - width) * column + width * (np.arange(28) + 0.5) / 28) - 0.5
        places = np.meshgrid(y, x[::-1] if flip < 0.5 else x, indexing="ij")
        expected = [map_coordinates(plane, places, order=1, mode="nearest") for plane in image.numpy()]
        np.testing.assert_allclose(view, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("BRIGHTNESS", functional.adjust_brightness),
        ("CONTRAST", functional.adjust_contrast),
        ("SATURATION", functional.adjust_saturation),
    ],
)
@pytest.mark.parametrize("drawn", [0.0, 0.2, 0.9])
def test_each_step_of_the_jitter_is_torchvisions(images: Tensor, name: str, step, drawn: float) -> None:
    strength = 0.7
    chosen = draws(**({"BRIGHTNESS": 0.5, "CONTRAST": 0.5, "SATURATION": 0.5, "HUE": 0.5} | {name: drawn}))
    found = augmented(images, chosen, changed(jitter_strength=strength, jitter=1.0))
    expected = step(images, 1 + 0.8 * strength * (2 * drawn - 1))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)  # its luma has 0.2989 for red


def test_a_change_of_hue_is_a_rotation_in_yiq() -> None:
    muted = 0.5 + 0.2 * torch.rand(6, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    middle = {"BRIGHTNESS": 0.5, "CONTRAST": 0.5, "SATURATION": 0.5}
    found = augmented(muted, draws(**middle, HUE=0.8), changed(jitter_strength=1.0, jitter=1.0))
    yiq = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    before, after = (np.einsum("ij,bjhw->bihw", yiq, one.double().numpy()) for one in (muted, found))
    turned = (before[:, 1] + 1j * before[:, 2]) * np.exp(2j * math.pi * 0.2 * (2 * 0.8 - 1))
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-5)
    np.testing.assert_allclose(after[:, 1] + 1j * after[:, 2], turned, atol=1e-5)


def test_grey_is_pillows() -> None:
    pixels = torch.randint(0, 256, (1, 3, 16, 16), generator=torch.Generator().manual_seed(4))
    found = augmented(pixels / 255, draws(1, GREY=0.0), changed(grey=0.2))[0, 0]
    image = Image.fromarray(pixels[0].permute(1, 2, 0).to(torch.uint8).numpy()).convert("L")
    np.testing.assert_allclose(255 * found.numpy(), np.array(image), atol=1.0)


@pytest.mark.parametrize(("size", "reach"), [(8, 1), (50, 2), (112, 5)])
def test_a_blur_is_scipys_as_wide_as_drawn_and_cut_at_a_tenth(size: int, reach: int) -> None:
    images = torch.rand(3, 3, size, size, generator=torch.Generator().manual_seed(5))
    further = torch.tensor([[0.1, 0.0], [0.1, 0.7], [0.9, 0.7]])
    found = augmented(images, torch.cat([draws(3), further], dim=1), changed(blur=0.5))
    for image, view, (whether, width) in zip(images.numpy(), found.numpy(), further.tolist(), strict=True):
        sigma = 0.1 + 1.9 * width
        blurred = gaussian_filter(image, sigma, mode="mirror", radius=reach, axes=(1, 2))
        np.testing.assert_allclose(view, blurred if whether < 0.5 else image, atol=1e-5)


def test_a_blur_comes_before_auto_augment_and_leaves_the_other_draws_alone(images: Tensor) -> None:
    """The numbers that training draws stay where they were; the blur's come next, and AutoAugment's last."""
    assert draw_count(AugmentationRecipe()) == DRAWS
    blurring, both = changed(blur=1.0), changed(blur=1.0, auto="cifar10")
    assert draw_count(both) == DRAWS + BLUR_DRAWS + 5
    chosen = torch.rand(6, draw_count(both), generator=torch.Generator().manual_seed(6))
    soft = augmented(images, chosen[:, : DRAWS + BLUR_DRAWS], blurring)
    without_blur = torch.cat([chosen[:, :DRAWS], chosen[:, DRAWS + BLUR_DRAWS :]], dim=1)
    expected = augmented(soft, without_blur, changed(auto="cifar10"))
    torch.testing.assert_close(augmented(images, chosen, both), expected)


def test_a_view_is_the_function_of_its_recipe(images: Tensor) -> None:
    recipe = AugmentationRecipe()
    view = SimCLRView(recipe)
    assert (view.channels, view.draws) == (3, DRAWS)
    assert torch.equal(view(images, draws()), augmented(images, draws(), recipe))


def test_images_of_one_row_and_large_ones_are_augmented(images: Tensor) -> None:
    for height, width in ((1, 40), (40, 1), (1, 1), (224, 160)):
        view = SimCLRView()(torch.rand(2, 3, height, width), torch.rand(2, 13))
        assert view.shape == (2, 3, height, width)
        assert view.isfinite().all()


def test_solarising_inverts_what_is_bright_and_comes_before_auto_augment(images: Tensor) -> None:
    """As PIL does, from 128 on; the numbers that other steps draw stay where they were."""
    plain = changed(solarise=0.5)
    assert draw_count(plain) == DRAWS + 1
    pixels = torch.arange(256).reshape(1, 1, 16, 16).expand(2, 3, 16, 16)
    chosen = torch.cat([draws(2), torch.tensor([[0.4], [0.6]])], dim=1)
    found = (augmented(pixels / 255, chosen, plain) * 255).round().int()
    picture = Image.fromarray(pixels[0].permute(1, 2, 0).byte().numpy())
    inverted = torch.from_numpy(np.array(ImageOps.solarize(picture))).permute(2, 0, 1)
    assert torch.equal(found[0], inverted.int())
    assert torch.equal(found[1], pixels[1].int())
    both = changed(solarise=1.0, auto="cifar10")
    chosen = torch.rand(len(images), draw_count(both), generator=torch.Generator().manual_seed(5))
    solarised = augmented(images, chosen[:, : DRAWS + 1], changed(solarise=1.0))
    without = torch.cat([chosen[:, :DRAWS], chosen[:, DRAWS + 1 :]], dim=1)
    expected = augmented(solarised, without, changed(auto="cifar10"))
    torch.testing.assert_close(augmented(images, chosen, both), expected)
