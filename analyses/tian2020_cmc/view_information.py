"""What two views of an image share before anything is trained on them, by MINE and by InfoNCE."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from mitools.analyses.shared.evaluation import interval_columns
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.shared.view_pairs import require_image_views
from mitools.backends.runtime import Runtime
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.open import open_data
from mitools.estimators.neural.mine_protocol import MineProtocol
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.training.loop.images_in_memory import load_images
from mitools.training.recipes import Count, Positive
from mitools.views.base import View, view_key
from mitools.views.item_views import draw_views
from mitools.views.registry import make_view

MEASURED = "pairs of views"
"""What the progress counts."""

IMAGES_AT_ONCE = 256


class ViewInformationRecipe(Recipe):
    """On what images, and how, the information of two views is estimated.

    Attributes
    ----------
    data
        A data spec; one pair of views an image, so that pairs are independent.
    image_size
        Images are brought to this size; None for their own.
    cells
        Each view is averaged over a grid of so many cells a side before it is measured. That can only lose
        information, so a lower bound for the averages is one for the views.
    hidden, batch_size, learning_rate, steps
        Of MINE: see :class:`mitools.estimators.neural.mine_protocol.MineProtocol`.
    infonce_steps
        Steps of InfoNCE's critic at the most.
    seed
        Of random views, splits and critics.
    """

    data: Annotated[str, Field(min_length=1)]
    image_size: Count | None = None
    cells: Count = 4
    hidden: Count = 1024
    batch_size: Annotated[int, Field(ge=2)] = 1000
    learning_rate: Positive = 1e-4
    steps: Count = 10_000
    infonce_steps: Count = 3000
    seed: Annotated[int, Field(ge=0)] = 0


class _Job(NamedTuple):
    """Two views by name, and where the values are kept."""

    views: tuple[str, str]
    recipe: ViewInformationRecipe
    cells: Path


def measure_pairs(
    pairs: Mapping[str, tuple[str, str]],
    recipe: ViewInformationRecipe,
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> dict[str, Values]:
    """Estimate the information of every pair of views, side by side on a CPU; what is kept is read.

    Parameters
    ----------
    pairs
        Names of two views, by the name of the pair.
    recipe
        See :class:`ViewInformationRecipe`.
    out
        Folder of the analysis; cells lie in ``OUT/cells``.
    runtime
        Where critics are fitted.
    advance
        Called with how many pairs are measured.

    Returns
    -------
    dict
        By the pair's name the columns ``mine_in_sample_bits``, ``mine_held_out_bits`` and ``infonce_bits``,
        each with ``_low``, ``_high`` and ``_null``, ``infonce_ceiling``, ``n_pairs`` and ``mi_warnings``.

    Raises
    ------
    InputError
        When the data or a view cannot be had, or a view is not drawn from the image.
    """
    require_image_views(pairs)
    jobs = {name: _Job(views, recipe, out / "cells") for name, views in pairs.items()}
    return side_by_side(_measure, jobs, runtime, MEASURED, advance)


def _measure(job: _Job, runtime: Runtime, advance: Advance | None) -> Values:
    recipe, data = job.recipe, open_data(job.recipe.data)
    views = [make_view(name) for name in job.views]
    on = recipe.model_dump(mode="json") | {"data": data.digest, "views": [view_key(view) for view in views]}

    def compute() -> Values:
        pixels = load_images(data, recipe.image_size).pixels
        x, y = averaged_views(views, pixels, recipe.cells, recipe.seed)
        return _values(x, y, recipe, str(runtime.device))

    values = ResultStore(job.cells).cell("view information", on, compute)
    if advance:
        advance(MEASURED, 1, 1)
    return values


def averaged_views(
    views: list[View], pixels: Tensor, cells: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw two views of every image, and average each over a grid of cells.

    Parameters
    ----------
    views
        The two; those that belong together, as two patches, are drawn from the same random numbers.
    pixels
        Shape (n, 3, height, width), uint8.
    cells
        Cells a side; a view is not enlarged.
    seed
        Of random views.

    Returns
    -------
    tuple of two arrays
        Shape (n, channels * cells^2) each.
    """
    parts: list[list[Tensor]] = []
    for start in range(0, len(pixels), IMAGES_AT_ONCE):
        images = pixels[start : start + IMAGES_AT_ONCE].float() / 255
        drawn = draw_views(views, images, np.arange(start, start + len(images)), seed)
        parts.append([adaptive_avg_pool2d(view, min(cells, *view.shape[-2:])).flatten(1) for view in drawn])
    first, second = (torch.cat(side).numpy() for side in zip(*parts, strict=True))
    return first, second


def _values(
    x: NDArray[np.float32], y: NDArray[np.float32], recipe: ViewInformationRecipe, device: str
) -> Values:
    mine = MineProtocol(
        hidden=recipe.hidden,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        steps=recipe.steps,
        device=device,
        seed=recipe.seed,
    ).fit(x, y)
    infonce = VariationalEstimator(
        method="infonce", critic="separable", max_steps=recipe.infonce_steps, device=device, seed=recipe.seed
    ).estimate(x, y)
    estimates = {
        "mine_in_sample": mine.in_sample_estimate_,
        "mine_held_out": mine.estimate_,
        "infonce": infonce,
    }
    columns: Values = {}
    for name, estimate in estimates.items():
        columns |= _columns(name, estimate)
    words = dict.fromkeys(
        f"{name}: {one.word}" for name, found in estimates.items() for one in found.warnings
    )
    return columns | {
        "infonce_ceiling": infonce.ceiling_bits, "n_pairs": len(x), "mi_warnings": ", ".join(words),
    }  # fmt: skip


def _columns(name: str, estimate: Estimate) -> Values:
    return interval_columns(name, estimate) | {f"{name}_null": estimate.null_bits}
