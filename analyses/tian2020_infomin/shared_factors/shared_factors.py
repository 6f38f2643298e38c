"""Which factors that views share a network learns: Colorful Moving-MNIST (Tian et al. 2020, 4.1, Table 4)."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.tian2020_infomin.pair_training import (
    STEPS,
    Loss,
    PairTrainingRecipe,
    contrast_loss,
    train,
)
from mitools.analyses.tian2020_infomin.shared_factors.factor_heads import FactorRows, factor_errors
from mitools.analyses.tian2020_infomin.shared_factors.pair_networks import (
    WIDTH,
    ClipEmbedding,
    ImageEmbedding,
    Norm,
    PooledConvNet,
)
from mitools.analyses.tian2020_infomin.shared_factors.shared_factors_figure import factors_chart
from mitools.analyses.tian2020_infomin.shared_factors.shared_factors_words import (
    SUPERVISED,
    UNTRAINED,
    describe,
)
from mitools.analyses.tian2020_infomin.three_regimes.attribute_bits import LINEAR, attribute_bits
from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed, seeded
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.moving_pairs import Level
from mitools.datasets.synthetic.moving_scenes import CANVAS_SIDE, FACTORS
from mitools.report.figures.save import write_chart
from mitools.training.recipes import Count

HEAD_SEED = derive_seed(34)
"""Of the images that linear heads are fitted to: other ones than any run is trained on."""

IMAGES_AT_ONCE = 500

ALL_SUBSETS = (
    ("digit",), ("background",), ("position",), ("background", "digit", "position"), ("background", "digit"),
    ("background", "position"), ("digit", "position"),
)  # fmt: skip
"""In the order of Table 4."""


class SharedFactorsRecipe(Recipe):
    """What the study is made from.

    Attributes
    ----------
    glyphs, background
        As ``colorful_moving_mnist?glyphs=...&background=...`` has them.
    shared
        What the second view shares with the frame that it is built from, a row of the table each.
    level
        ``instance``: the very glyph, window and place, as in the paper; ``class``: digit, class and cell.
    frames
        Of the sequence, for view 1.
    later_frame
        The one that view 2 is built from, and that tasks are read on.
    image_side
        In pixels: the 64 of the data, or a half or a quarter of them, by averages.
    training
        See :class:`mitools.analyses.tian2020_infomin.pair_training.PairTrainingRecipe`.
    norm
        Of the convolutional network, see
        :class:`mitools.analyses.tian2020_infomin.shared_factors.pair_networks.PooledConvNet`.
    supervised_steps
        Of the supervised row, a network and three linear heads trained end to end.
    seeds
        One run a row and seed.
    head_images, images
        How many images linear heads are fitted to, and how many, of other glyphs and photographs, errors and
        bits are read on.
    """

    glyphs: str = "digits"
    background: str = "embedded"
    shared: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)] = ALL_SUBSETS
    level: Level = "instance"
    frames: Annotated[tuple[Count, ...], Field(min_length=1)] = tuple(range(1, 11))
    later_frame: Count = 20
    image_side: Annotated[int, Field(ge=16, le=CANVAS_SIDE)] = CANVAS_SIDE
    training: PairTrainingRecipe = PairTrainingRecipe()
    norm: Norm = "batch"
    supervised_steps: Count = 500
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0, 1)
    head_images: Count = 3000
    images: Count = 2000

    @model_validator(mode="after")
    def _factors_are_there(self) -> "SharedFactorsRecipe":
        for shared in self.shared:
            if not shared:
                raise ValueError("an entry of shared names no factor: views that share nothing teach nothing")
            for factor in shared:
                check_name("factor", factor, FACTORS)
        if len({frozenset(shared) for shared in self.shared}) < len(self.shared):
            raise ValueError("shared names the same factors twice")
        if CANVAS_SIDE % self.image_side:
            raise ValueError(f"image_side must divide {CANVAS_SIDE}: 16, 32 or 64")
        return self

    def open(self, n: int, part: str = "train", seed: int = 0) -> ColorfulMovingMNIST:
        """Make the data."""
        assert part in ("train", "test")
        return ColorfulMovingMNIST(
            n,
            part="test" if part == "test" else "train",
            seed=seed,
            glyphs=self.glyphs,
            background=self.background,
            frame=self.later_frame,
        )

    def as_input(self, pixels: Tensor) -> Tensor:
        """Make floats of pixels (..., 3, 64, 64), of the side that networks read."""
        small = functional.avg_pool2d(pixels.flatten(0, -4).float(), CANVAS_SIDE // self.image_side)
        # Scaled after the average: on a quarter of the pixels, and in place.
        return small.div_(127.5).sub_(1).unflatten(0, pixels.shape[:-3])


class _Job(NamedTuple):
    """One network: its row of the table, what its views share, and its seed."""

    recipe: SharedFactorsRecipe
    row: str
    shared: tuple[str, ...]
    seed: int
    cells: Path


def run(
    recipe: SharedFactorsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train a network a row and seed, and read all three tasks off each, in errors and in bits.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    runtime = runtime or Runtime()
    if not runtime.is_main:
        return None
    rows: dict[str, tuple[str, ...]] = {", ".join(shared): shared for shared in recipe.shared}
    rows |= {SUPERVISED: (), UNTRAINED: ()}
    jobs = {
        f"{row}, seed {seed}": _Job(recipe, row, shared, seed, out / "cells")
        for row, shared in rows.items()
        for seed in recipe.seeds
    }
    found = side_by_side(_kept_rows, jobs, runtime, STEPS, advance)
    table = pd.DataFrame([row for values in found.values() for row in values["rows"]])
    subject = subject_line("colorful_moving_mnist", recipe.images, recipe.seeds)
    figures = write_chart(out / "shared_factors", factors_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def _kept_rows(job: _Job, runtime: Runtime, advance: Advance | None) -> Values:
    recipe = job.recipe
    request = recipe.model_dump(mode="json", exclude={"shared", "seeds"})
    request |= {"row": job.row, "seed": job.seed, "data": recipe.open(1).digest}
    return ResultStore(job.cells).cell(
        "shared factors", request, lambda: {"rows": _rows(job, runtime, advance)}
    )


def _rows(job: _Job, runtime: Runtime, advance: Advance | None) -> list[Values]:
    recipe, training = job.recipe, job.recipe.training
    data = recipe.open(max(training.pairs, recipe.supervised_steps * training.batch_size), seed=job.seed)
    data.to(runtime.device)
    with seeded(derive_seed(job.seed, 33)):
        network = PooledConvNet(training.strides, recipe.norm).to(runtime.device)
        clips = ClipEmbedding(network, training.head_width).to(runtime.device)
        images = ImageEmbedding(network, training.head_width).to(runtime.device)
        heads = nn.Linear(WIDTH, sum(_head_columns(data))).to(runtime.device)
    if job.row == SUPERVISED:
        supervised = training.model_copy(update={"steps": recipe.supervised_steps})
        both = nn.ModuleList([network, heads])
        train(both.parameters(), _supervised_loss(recipe, data, network, heads), supervised, advance)
    elif job.shared:
        pairs = data.pairs(job.shared, level=recipe.level)

        def loss(items: NDArray[np.int64]) -> Tensor:
            x = clips(recipe.as_input(data.clips(items, recipe.frames)))
            return contrast_loss(x, images(recipe.as_input(pairs.images(items))), training.temperature)

        both = nn.ModuleList([clips, images])  # the shared network's parameters come once
        train(both.parameters(), loss, training, advance)
    network.eval()
    fitted = _read(recipe, recipe.open(recipe.head_images, seed=HEAD_SEED), network)
    tested = _read(recipe, recipe.open(recipe.images, part="test"), network)
    errors, bits = factor_errors(fitted, tested), attribute_bits(tested.rows, tested.labels, readers=[LINEAR])
    return [
        {
            "shared": job.row, "seed": job.seed, "factor": factor, "is_shared": factor in job.shared,
            "shared_bits": data.pairs([factor], level=recipe.level).shared_bits,
        } | errors[factor] | bits[factor]
        for factor in FACTORS
    ]  # fmt: skip


def _head_columns(data: ColorfulMovingMNIST) -> list[int]:
    """Give the outputs of the supervised row's heads: digits, backgrounds, and the two of a place."""
    return [len(data.glyphs.classes), len(data.backgrounds.classes), 2]


def _supervised_loss(
    recipe: SharedFactorsRecipe,
    data: ColorfulMovingMNIST,
    network: Callable[[Tensor], Tensor],
    heads: nn.Linear,
) -> Loss:
    """Sum the cross-entropies of digit and background, and the squared error of the place (half canvases)."""
    columns = _head_columns(data)

    def loss(items: NDArray[np.int64]) -> Tensor:
        images = recipe.as_input(data.compose(items))
        digit, background, place = heads(network(images)).split(columns, dim=1)
        codes = torch.from_numpy(data.codes(items)).to(images.device)
        truth = torch.from_numpy(data.pixel_positions(items, [data.frame])[:, 0]).to(images) / (
            CANVAS_SIDE / 2
        )
        return (
            functional.cross_entropy(digit, codes[:, FACTORS.index("digit")])
            + functional.cross_entropy(background, codes[:, FACTORS.index("background")])
            + functional.mse_loss(place, truth)
        )

    return loss


@torch.no_grad()
def _read(recipe: SharedFactorsRecipe, data: ColorfulMovingMNIST, network: PooledConvNet) -> FactorRows:
    """Run the network over the later frames, and say what they show."""
    device = next(network.parameters()).device
    data.to(device)
    batches = [
        np.arange(start, min(start + IMAGES_AT_ONCE, len(data)))
        for start in range(0, len(data), IMAGES_AT_ONCE)
    ]
    rows = torch.cat([network(recipe.as_input(data.compose(items))) for items in batches])
    labels = {factor: data.label_of([factor]) for factor in FACTORS}
    places = data.pixel_positions(np.arange(len(data)), [data.frame])[:, 0]
    return FactorRows(rows.cpu().numpy(), labels, places)
