"""JigSaw: the nine crops put together again, in the order that they were drawn in."""

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor
from torchvision.transforms.v2 import functional

from mitools.core.errors import InputError
from mitools.views.augmentation.jigsaw import DRAWS, JigsawRecipe, JigsawView, cell_order
from mitools.views.augmentation.resized_crop import ATTEMPTS, CROP_DRAWS, drawn_boxes
from mitools.views.registry import make_view

IMAGES = torch.rand(8, 3, 24, 30, generator=torch.Generator().manual_seed(0))
WHOLE_CELLS = JigsawRecipe(crop_area=0.3, flip=0.5, keep=1)


def uniform(count: int, seed: int = 1) -> Tensor:
    return torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(seed))


def together(crops: Tensor, order: Tensor) -> Tensor:
    """Put whole cells (9, 3, h, w) back in their places."""
    cells = crops[order.argsort()].unflatten(0, (3, 3))
    return torch.cat([torch.cat(list(row), dim=2) for row in cells], dim=1)


def test_whole_cells_are_the_crop_that_torchvision_makes() -> None:
    draws = uniform(8)
    found, order = JigsawView(WHOLE_CELLS)(IMAGES, draws), cell_order(draws)
    assert found.shape == (8, 9, 3, 8, 10)
    boxes = zip(*drawn_boxes(draws[:, :CROP_DRAWS], 24, 30, 0.3), strict=True)
    for image, crops, places, box, number in zip(IMAGES, found, order, boxes, draws, strict=True):
        expected = functional.resized_crop(image, *map(int, box), [24, 30], antialias=True)
        if number[CROP_DRAWS] < 0.5:
            expected = functional.horizontal_flip(expected)
        torch.testing.assert_close(together(crops, places), expected, atol=1e-3, rtol=0)


def test_sides_that_do_not_divide_by_three_are_enlarged_to_the_next() -> None:
    draws = uniform(2)
    draws[:, :ATTEMPTS], draws[:, ATTEMPTS : 2 * ATTEMPTS] = 0.99999, 0.5
    images = IMAGES[:2, :, :22, :22]
    found = JigsawView(JigsawRecipe(crop_area=1.0, flip=0.0, keep=1.0))(images, draws)
    expected = functional.resize(images, [24, 24], antialias=True)
    for crops, order, whole in zip(found, cell_order(draws), expected, strict=True):
        torch.testing.assert_close(together(crops, order), whole, atol=1e-3, rtol=0)


def test_crops_lie_inside_their_cells_and_anywhere_in_them() -> None:
    """Images whose pixels say in which cell they lie, and where in it."""
    rows, columns = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")
    image = torch.stack([rows // 4 * 3 + columns // 4, rows % 4, columns % 4]).float()
    draws = uniform(400)
    draws[:, :ATTEMPTS], draws[:, ATTEMPTS : 2 * ATTEMPTS] = 0.99999, 0.5
    view = JigsawView(JigsawRecipe(crop_area=1.0, flip=0.0, keep=0.5))
    found = view(image.expand(400, 3, 12, 12), draws)
    assert found.shape == (400, 9, 3, 2, 2)
    cells = cell_order(draws)[:, :, None, None].expand(400, 9, 2, 2)
    torch.testing.assert_close(found[:, :, 0], cells.float(), atol=1e-4, rtol=0)
    for channel in (1, 2):
        _, counts = found[:, :, channel, 0, 0].round().unique(return_counts=True)
        assert len(counts) == 3
        assert chisquare(counts.numpy()).pvalue > 1e-4


def test_every_cell_comes_at_every_place_equally_often() -> None:
    order = cell_order(uniform(4000))
    assert (order.sort(dim=1).values == torch.arange(9)).all()
    for place in range(9):
        assert chisquare(order[:, place].bincount(minlength=9).numpy()).pvalue > 1e-4


def test_the_papers_crops_are_64_of_85_pixels() -> None:
    assert JigsawView()(torch.zeros(1, 3, 255, 255), uniform(1)).shape == (1, 9, 3, 64, 64)


def test_names() -> None:
    assert make_view("jigsaw") == JigsawView()
    assert make_view("jigsaw?keep=0.9&flip=0").name == "jigsaw?flip=0&keep=0.9"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("jigsaw?keep=0", "'keep': .*greater than 0, not 0"),
        ("jigsaw?grid=2", "unknown option 'grid'"),
        ("jigsaw#1", "jigsaw has no parts; leave #1 out"),
    ],
)
def test_a_wrong_name_is_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make_view(spec)
