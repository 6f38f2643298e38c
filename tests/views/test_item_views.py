"""Views of every item: what they depend on, and that SimCLR's are drawn as often as it says."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.augmentation.simclr import SimCLRView
from mitools.views.image import ImageView
from mitools.views.item_views import ItemViews
from mitools.views.recipes import AugmentationRecipe

NOTHING = AugmentationRecipe(crop_area=1.0, flip=0.0, jitter_strength=0.0, jitter=0.0, grey=0.0)
IMAGES = torch.rand(12, 3, 16, 20, generator=torch.Generator().manual_seed(0))
ITEMS = np.arange(100, 112)


def drawn(count: int, size: int, image: Tensor, **steps: object) -> Tensor:
    """Draw a view of so many items that are all one image of a size."""
    views = ItemViews(SimCLRView(NOTHING.model_copy(update=steps)), count=1)
    return views.of(image.expand(count, 3, size, size), np.arange(count))[:, 0]


def shares(found: Tensor, expected: float) -> None:
    """Check a rate against the binomial law's four standard errors."""
    assert abs(float(found.double().mean()) - expected) <= 4 * np.sqrt(expected * (1 - expected) / len(found))


@pytest.mark.parametrize("auto", [None, "cifar10"])
def test_a_view_depends_on_seed_item_and_view_alone(auto: str | None) -> None:
    views = ItemViews(SimCLRView(AugmentationRecipe(blur=0.5, auto=auto)), count=3, seed=5)
    together = views.of(IMAGES, ITEMS)
    assert together.shape == (12, 3, 3, 16, 20)
    for size in (1, 5):
        chunks = [views.of(IMAGES[k : k + size], ITEMS[k : k + size]) for k in range(0, 12, size)]
        torch.testing.assert_close(torch.cat(chunks), together, atol=1e-6, rtol=0)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        views.of(IMAGES[order], ITEMS[order.numpy()]), together[order], atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("numbers", [1, 3 * 16 * 20 * 5])
def test_a_view_does_not_depend_on_how_many_are_drawn_in_one_call(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = ItemViews(SimCLRView()).of(IMAGES, ITEMS)
    monkeypatch.setattr("mitools.views.item_views.AT_ONCE", numbers)
    torch.testing.assert_close(ItemViews(SimCLRView()).of(IMAGES, ITEMS), together, atol=1e-6, rtol=0)


def test_more_views_keep_the_first_ones() -> None:
    four, two = (ItemViews(SimCLRView(), count=count).of(IMAGES, ITEMS) for count in (4, 2))
    assert torch.equal(four[:, :2], two)


def test_views_differ_between_views_items_and_seeds() -> None:
    one = IMAGES[:1].expand(2, -1, -1, -1)
    found = torch.cat([ItemViews(SimCLRView(), 3, seed).of(one, ITEMS[:2]) for seed in (0, 1)])
    assert len({view.numpy().tobytes() for view in found.flatten(0, 1)}) == 12


def test_drawing_leaves_the_callers_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    ItemViews(SimCLRView()).of(IMAGES, ITEMS)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_setting_is_in_the_key() -> None:
    views = [
        ItemViews(SimCLRView()),
        ItemViews(SimCLRView(), count=3),
        ItemViews(SimCLRView(), seed=1),
        ItemViews(SimCLRView(AugmentationRecipe())),
        ItemViews(SimCLRView(AugmentationRecipe(jitter_strength=0.5000001))),
        ItemViews(ImageView(), count=1),
    ]
    assert len({one.key for one in views}) == len(views)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((SimCLRView(), 0), "at least 1 view"),
        ((SimCLRView(), 2, -1), "a seed of at least 0"),
        ((ImageView(), 2), "view 'image' draws nothing at random, so 2 of them are one and the same"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: tuple, said: str) -> None:
    with pytest.raises(InputError, match=said):
        ItemViews(*arguments)


def test_flips_and_grey_come_as_often_as_the_recipe_says() -> None:
    ramp = torch.zeros(3, 8, 8)
    ramp[0] = torch.linspace(0, 1, 8)
    found = drawn(2000, 8, ramp, flip=0.5, grey=0.2)
    red, green = found[:, 0], found[:, 1]
    shares((red == green).all(dim=2).all(dim=1), 0.2)
    shares(red[:, 0, 0] > red[:, 0, -1], 0.5)


def test_jitter_comes_as_often_as_the_recipe_says() -> None:
    found = drawn(2000, 4, torch.full((3, 4, 4), 0.4), jitter_strength=0.5, jitter=0.8)
    shares((found != 0.4).flatten(1).any(dim=1), 0.8)


@pytest.mark.parametrize(("blur", "size", "rate"), [("large", 33, 0.5), ("large", 32, 0.0), (0.3, 32, 0.3)])
def test_blur_comes_to_large_images_or_as_often_as_the_recipe_says(
    blur: float | str, size: int, rate: float
) -> None:
    checks = (torch.arange(size)[:, None] + torch.arange(size)) % 2
    found = drawn(1000, size, checks.float(), blur=blur)
    # A width below 0.2 pixels changes nothing that float32 can see: one in nineteen.
    shares((found - checks).abs().flatten(1).amax(dim=1) > 1e-5, rate * (2 - 0.2) / (2 - 0.1))


def test_crops_have_uniform_areas_and_stay_inside() -> None:
    """Ramps in both directions: the range of values left in a crop is its height and its width."""
    ramp = torch.stack(torch.meshgrid(torch.arange(64) / 63, torch.arange(64) / 63, indexing="ij"))
    found = drawn(2000, 64, torch.cat([ramp, ramp[:1]]), crop_area=0.08)[:, :2].flatten(2)
    area = (found.amax(2) - found.amin(2)).prod(dim=1).numpy()
    whole = area[area < 0.7]  # a box of more than three quarters may be cut at the image's border
    assert len(whole) > 1000
    assert kstest(whole, "uniform", args=(0.08, 0.62)).pvalue > 1e-4
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_strength_widens_the_jitter() -> None:
    spread = [
        float(drawn(500, 2, torch.full((3, 2, 2), 0.4), jitter_strength=s, jitter=1.0).mean((1, 2, 3)).std())
        for s in (0.0, 0.3, 1.0)
    ]
    assert spread[0] < 1e-7
    assert 0.01 < spread[1] < spread[2]
