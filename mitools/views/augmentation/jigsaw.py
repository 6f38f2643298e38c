"""JigSaw: nine crops of an image in random order, as PIRL contrasts them with the whole."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.views.augmentation.resized_crop import CROP_DRAWS, drawn_boxes, resized
from mitools.views.base import View, is_rgb, modality_of
from mitools.views.recipes import Share
from mitools.views.specs import ViewSpec, recipe_of_options, spec_text

GRID = 3
CELLS = GRID * GRID

DRAWS = CROP_DRAWS + 1 + 3 * CELLS
"""Random numbers an image: those of the crop, flip or not, the order of the cells, and row and column of the
crop in each."""


class JigsawRecipe(Recipe):
    """How the nine crops are made; the defaults are those of PIRL and InfoMin for ImageNet.

    Attributes
    ----------
    crop_area
        The least share of the image's area that the first random crop keeps.
    flip
        Probability of a horizontal flip.
    keep
        The share of a cell's side that the crop of it keeps: 64 of 85 pixels.
    """

    crop_area: Annotated[float, Field(gt=0, le=1)] = 0.6
    flip: Share = 0.5
    keep: Annotated[float, Field(gt=0, le=1)] = 0.75


PAPER = JigsawRecipe()
"""What ``jigsaw`` means without options."""


@dataclass(frozen=True)
class JigsawView:
    """Nine crops of a 3 x 3 grid, in random order (Misra and van der Maaten 2020; Tian et al. 2020, C.3).

    A random resized crop of the image, flipped or not, has its sides brought to the next multiple of 3 and is
    cut into nine cells; of each a random crop is kept, and they come in random order. So no crop lies beside
    another, and nothing is learnt from edges that fit.

    Parameters
    ----------
    recipe
        How large crops are.

    Examples
    --------
    >>> view = JigsawView()
    >>> view(torch.rand(4, 3, 96, 96), torch.rand(4, view.draws)).shape
    torch.Size([4, 9, 3, 24, 24])
    """

    recipe: JigsawRecipe = PAPER
    channels = 3
    draws = DRAWS

    @property
    def name(self) -> str:
        """``jigsaw`` with the options that differ from the paper's."""
        return spec_text("jigsaw", self.recipe, PAPER)

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Cut images into crops.

        Parameters
        ----------
        items
            Shape (B, 3, H, W), in [0, 1].
        draws
            Shape (B, DRAWS), uniform in [0, 1).

        Returns
        -------
        Tensor
            Shape (B, 9, 3, h, w), in [0, 1]: crop k is of cell ``order[k]``, counted row by row, as
            :func:`cell_order` gives it.
        """
        whole_height, whole_width = items.shape[-2:]
        height, width = (math.ceil(side / GRID) for side in (whole_height, whole_width))
        boxes = drawn_boxes(draws[:, :CROP_DRAWS], whole_height, whole_width, self.recipe.crop_area)
        mirrored = draws[:, CROP_DRAWS] < self.recipe.flip
        images = resized(items, boxes, mirrored, (GRID * height, GRID * width))
        order, places = cell_order(draws), draws[:, -2 * CELLS :].unflatten(1, (CELLS, 2))
        rows = _kept(order // GRID, height, places[..., 0], self.recipe.keep)
        columns = _kept(order % GRID, width, places[..., 1], self.recipe.keep)
        batch = torch.arange(len(items), device=items.device)[:, None, None, None]
        crops = images[batch, :, rows[..., :, None], columns[..., None, :]]
        return crops.movedim(-1, 2)


@dataclass(frozen=True)
class JigsawOfView:
    """Nine crops of an image, each drawn as another view of it: the same crops for all such views of an item.

    Parameters
    ----------
    jigsaw
        How the crops are made.
    view
        Of an image and without random numbers, as a channel of a colour space.

    Raises
    ------
    InputError
        When the view is of something else than the image, or random.

    Examples
    --------
    >>> from mitools.views.registry import make_view
    >>> view = JigsawOfView(JigsawView(), make_view("lab:ab"))
    >>> view(torch.rand(4, 3, 96, 96), torch.rand(4, view.draws)).shape
    torch.Size([4, 9, 2, 24, 24])
    """

    jigsaw: JigsawView
    view: View

    def __post_init__(self) -> None:
        if self.view.draws or modality_of(self.view) != "image":
            raise InputError(
                f"nine crops are made of views of the image in which nothing is random, and {self.view.name}"
                " is none; leave jigsaw out, or that view"
            )

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.jigsaw.name} of {self.view.name}"

    @property
    def channels(self) -> int:
        """Of the view."""
        return self.view.channels

    @property
    def draws(self) -> int:
        """Of the crops."""
        return self.jigsaw.draws

    @property
    def draws_together(self) -> str:
        """What all views of the same crops have in common."""
        return self.jigsaw.name

    @property
    def rgb(self) -> bool:
        """As the view."""
        return is_rgb(self.view)

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Cut images (B, 3, H, W) into crops, and draw each as the view: (B, 9, channels, h, w)."""
        crops = self.jigsaw(items, draws)
        drawn = self.view(crops.flatten(0, 1), draws.new_empty(len(crops) * CELLS, 0))
        return drawn.unflatten(0, (-1, CELLS))


def cell_order(draws: Tensor) -> Tensor:
    """Give which cell each crop is of, shape (B, 9): a permutation of 0 to 8, all equally likely."""
    return draws[:, CROP_DRAWS + 1 : CROP_DRAWS + 1 + CELLS].argsort(dim=1)


def _kept(cells: Tensor, side: int, place: Tensor, keep: float) -> Tensor:
    """Give which rows or columns of the image a crop of each cell keeps, shape (B, 9, kept)."""
    kept = max(1, round(keep * side))
    room = side - kept + 1
    start = cells * side + (place * room).long().clamp(max=room - 1)
    return start[..., None] + torch.arange(kept, device=cells.device)


def jigsaw_view(spec: ViewSpec) -> JigsawView:
    """Make the view ``jigsaw?crop_area=0.6&flip=0.5&keep=0.75``.

    Raises
    ------
    InputError
        When an option is unknown or out of its range.
    """
    return JigsawView(recipe_of_options(spec, JigsawRecipe))
