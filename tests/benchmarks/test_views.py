"""Views beside their peers: ``pytest tests/benchmarks/test_views.py``.

SimCLR: torchvision draws for one image a call; ours takes a batch and its random numbers as arguments.
"""

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from mitools.views.augmentation.simclr import SimCLRView
from mitools.views.colour.spaces import SPACES
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

ITEMS = 64


def torchvision_views(size: int) -> v2.Compose:
    steps = [
        v2.RandomResizedCrop(size),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
        v2.RandomGrayscale(p=0.2),
    ]
    blur = [v2.RandomApply([v2.GaussianBlur(size // 10 | 1, sigma=(0.1, 2.0))], p=0.5)] if size > 32 else []
    return v2.Compose([*steps, *blur])


@pytest.mark.parametrize("size", [32, 224])
@pytest.mark.parametrize("who", ["torchvision", "ours"])
@pytest.mark.benchmark(group="64 views")
def test_throughput(benchmark, who, size):
    images, items = torch.rand(ITEMS, 3, size, size), np.arange(ITEMS)
    ours, theirs = ItemViews(SimCLRView(), count=1), torchvision_views(size)
    with torch.inference_mode():
        if who == "ours":
            drawn = benchmark.pedantic(lambda: ours.of(images, items)[:, 0], rounds=3, warmup_rounds=1)
        else:
            drawn = benchmark.pedantic(lambda: torch.stack([*map(theirs, images)]), rounds=3, warmup_rounds=1)
    assert drawn.shape == images.shape


def torchvision_infomin(size: int) -> v2.Compose:
    to_bytes, to_floats = v2.ToDtype(torch.uint8, scale=True), v2.ToDtype(torch.float32, scale=True)
    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.2, 1)),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
            v2.RandomApply([v2.GaussianBlur(size // 10 | 1, sigma=(0.1, 2.0))], p=0.5),
            v2.Compose([to_bytes, v2.RandAugment(2, 10), to_floats]),
            v2.RandomGrayscale(p=0.2),
        ]
    )


@pytest.mark.parametrize("who", ["torchvision", "ours"])
@pytest.mark.benchmark(group="64 views of InfoMin")
def test_infomin(benchmark, who):
    images, items = torch.rand(ITEMS, 3, 96, 96), np.arange(ITEMS)
    ours, theirs = ItemViews(make_view("infomin"), count=1), torchvision_infomin(96)
    with torch.inference_mode():
        if who == "ours":
            drawn = benchmark.pedantic(lambda: ours.of(images, items)[:, 0], rounds=3, warmup_rounds=1)
        else:
            drawn = benchmark.pedantic(lambda: torch.stack([*map(theirs, images)]), rounds=3, warmup_rounds=1)
    assert drawn.shape == images.shape


@pytest.mark.parametrize("space", sorted(set(SPACES) - {"rgb"}))
@pytest.mark.parametrize("who", ["skimage", "ours"])
def test_colour_spaces(benchmark, who, space):
    """A batch of pixels in, a batch in the colour space out, both with the channels before the rows."""
    color = pytest.importorskip("skimage.color")
    benchmark.group = f"{space}, 64 images of 96x96"
    pixels = torch.randint(0, 256, (ITEMS, 3, 96, 96), dtype=torch.uint8)

    def theirs():
        found = getattr(color, f"rgb2{space}")(pixels.permute(0, 2, 3, 1).numpy())
        return torch.from_numpy(found).permute(0, 3, 1, 2).float().contiguous()

    def ours():
        return SPACES[space].convert(pixels.float().div_(255))

    converted = benchmark.pedantic(ours if who == "ours" else theirs, rounds=5, warmup_rounds=1)
    assert converted.shape == pixels.shape
