"""Patches of a pair: where they lie, and that both take the same corner."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.base import draw_numbers
from mitools.views.item_views import ItemViews, draw_views
from mitools.views.patch import PatchView
from mitools.views.registry import make_view

ITEMS = np.arange(4000)


def places(height: int, width: int, count: int = len(ITEMS)) -> Tensor:
    """Images whose pixels say where they lie: row and column in the first two channels."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows, columns, rows]).float().expand(count, 3, height, width)


def pair(size: int, distance: int) -> list[PatchView]:
    return [PatchView(size, distance, number) for number in (0, 1)]


@pytest.mark.parametrize(("size", "distance"), [(4, 0), (4, 2), (3, 7)])
def test_the_second_patch_is_shifted_by_the_distance_and_both_lie_inside(size: int, distance: int) -> None:
    first, second = draw_views(pair(size, distance), places(12, 14), ITEMS, seed=3)
    assert first.shape == second.shape == (len(ITEMS), 3, size, size)
    assert torch.equal(first + distance, second)
    steps = first[:, :2] - first[:, :2, :1, :1]
    assert torch.equal(steps[:, 0], torch.arange(size)[:, None].expand(len(ITEMS), size, size).float())
    assert torch.equal(steps[:, 1], torch.arange(size).expand(len(ITEMS), size, size).float())
    # Every place that leaves room, equally often.
    corners = first[:, 0, 0, 0] * 14 + first[:, 1, 0, 0]
    _, counts = corners.unique(return_counts=True)
    assert len(counts) == (12 - size - distance + 1) * (14 - size - distance + 1)
    assert chisquare(counts.numpy()).pvalue > 1e-4


def test_patches_that_fill_the_image_have_one_place() -> None:
    first, second = draw_views(pair(6, 4), places(10, 10, 5), ITEMS[:5], seed=0)
    assert (first[:, :2, 0, 0] == 0).all()
    assert (second[:, :2, -1, -1] == 9).all()


def test_a_pair_extracted_one_after_the_other_is_a_pair() -> None:
    """Audits and studies encode view by view: number v of patch 0 belongs to number v of patch 1."""
    first, second = (ItemViews(view, count=3, seed=1).of(places(12, 14), ITEMS) for view in pair(4, 5))
    assert torch.equal(first + 5, second)
    assert not torch.equal(first[:, 0], first[:, 1])


def test_numbers_of_views() -> None:
    near, far = pair(4, 5), pair(4, 6)
    simclr = make_view("simclr")
    assert draw_numbers([simclr, simclr, make_view("image")]) == [0, 1, 2]
    assert draw_numbers([simclr, *near, *far]) == [0, 1, 1, 3, 3]
    assert draw_numbers([*near, simclr, *near]) == [0, 0, 2, 3, 3]
    assert draw_numbers([near[0], near[0], near[1], near[1]]) == [0, 1, 0, 1]
    assert draw_numbers([]) == []


def test_names() -> None:
    assert make_view("patch?size=64&distance=128#1") == PatchView(64, 128, 1)
    assert make_view("patch#0").name == "patch?size=64&distance=64#0"
    assert make_view("patch?size=8#1").name == "patch?size=8&distance=8#1"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("patch", "patches come in pairs, numbered 0 and 1; write patch.size=64&distance=128#0"),
        ("patch?size=8#2", "numbered 0 and 1"),
        ("patch:l#0", "numbered 0 and 1"),
        ("patch?size=0#0", "size=0 must be a whole number of at least 1"),
        ("patch?size=8&distance=-1#0", "distance=-1 must be a whole number of at least 0"),
        ("patch?sise=8#0", "unknown option 'sise'; accepted: size or distance"),
    ],
)
def test_a_wrong_name_is_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "distance", "said"),
    [
        (13, 13, "have no room in images of 12x14; size must be at most 12"),
        (8, 8, "have no room in images of 12x14; distance must be at most 4"),
    ],
)
def test_a_pair_without_room_is_one_line(size: int, distance: int, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        PatchView(size, distance, 0)(places(12, 14, 2), torch.rand(2, 2))
    assert "\n" not in str(caught.value)
