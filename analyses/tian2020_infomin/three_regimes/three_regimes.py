"""Views of CDP that share too little, just the task, and more: what their encoders keep, in exact bits.

The three regimes of Tian et al. (2020, What makes for good views, 3.2), and their Proposition 3.1.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.tian2020_infomin.pair_training import (
    STEPS,
    PairTrainingRecipe,
    contrast_loss,
    train,
)
from mitools.analyses.tian2020_infomin.shared_factors.pair_networks import ImageEmbedding, PooledConvNet
from mitools.analyses.tian2020_infomin.three_regimes.attribute_bits import attribute_bits
from mitools.analyses.tian2020_infomin.three_regimes.label_efficiency import LabelledRows, few_label_accuracy
from mitools.analyses.tian2020_infomin.three_regimes.three_regimes_figure import regimes_chart
from mitools.analyses.tian2020_infomin.three_regimes.three_regimes_words import describe
from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed, seeded
from mitools.core.entropy import LOG2
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.synthetic.cdp import ATTRIBUTES, CDP
from mitools.estimators.bounds.infonce import read_infonce
from mitools.report.figures.save import write_chart
from mitools.training.recipes import Count

TASK, NUISANCE = "task", "nuisance"
"""Variables beside the attributes: all that belong to the task together, and all others together."""

UNTRAINED = "untrained"

LOSS_LAYER, BACKBONE = "loss layer", "backbone"
"""Where bits are read: the unit rows that the loss compares, and the pooled features below the head."""

POOL_SEED = derive_seed(32)
"""Of the images of which the labelled ones are drawn: other ones than any run is trained on."""

NORMAL_95 = 1.96


class CDPWorld(Recipe):
    """The images.

    Attributes
    ----------
    size
        In pixels.
    strength
        Of the photographs behind the digits.
    counts
        Colours, digits and positions.
    """

    size: Count = 32
    strength: Annotated[float, Field(ge=0, le=1)] = 0.25
    counts: tuple[Count, Count, Count] = (4, 4, 4)

    def open(self, n: int, **options: Any) -> CDP:
        """Make `n` of them."""
        return CDP(n, size=self.size, strength=self.strength, counts=self.counts, **options)


class ThreeRegimesRecipe(Recipe):
    """What the study is made from.

    Attributes
    ----------
    data
        See :class:`CDPWorld`.
    task
        Attributes whose combination is the label; the others are nuisances.
    shared
        What the views share, a regime each.
    training
        See :class:`mitools.analyses.tian2020_infomin.pair_training.PairTrainingRecipe`.
    seeds
        One run a regime and seed.
    images
        Held-out images on which bits and accuracies are read.
    pool
        Images, with other random numbers than those trained on, of which the labelled ones are drawn.
    labels_a_class
        How many labels of every class of the task a linear classifier gets.
    draws
        How many times they are drawn anew.
    """

    data: CDPWorld = CDPWorld()
    task: tuple[str, ...] = ("color", "digit")
    shared: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)] = (
        ("color",), ("color", "digit"), ("color", "digit", "position"),
    )  # fmt: skip
    training: PairTrainingRecipe = PairTrainingRecipe()
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0, 1, 2)
    images: Count = 2000
    pool: Count = 4000
    labels_a_class: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 10, 100)
    draws: Count = 5

    @model_validator(mode="after")
    def _attributes_are_there(self) -> "ThreeRegimesRecipe":
        for attributes in (self.task, *self.shared):
            if not attributes:
                raise ValueError("task and each entry of shared name one attribute or more")
            for attribute in attributes:
                check_name("attribute", attribute, ATTRIBUTES)
        if set(self.task) == set(ATTRIBUTES):
            raise ValueError("the task names all attributes, and leaves none as a nuisance; leave one out")
        if len({frozenset(shared) for shared in self.shared}) < len(self.shared):
            raise ValueError("shared names the same attributes twice")
        return self


class _Job(NamedTuple):
    """One network: what its views share (nothing: it stays untrained), and its seed."""

    recipe: ThreeRegimesRecipe
    shared: tuple[str, ...]
    seed: int
    cells: Path


def run(
    recipe: ThreeRegimesRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train on views of each regime, and certify the task and the nuisances in every encoder.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    runtime = runtime or Runtime()
    if not runtime.is_main:
        return None
    jobs = {
        f"{'+'.join(shared) or UNTRAINED}, seed {seed}": _Job(recipe, shared, seed, out / "cells")
        for shared in (*recipe.shared, ())
        for seed in recipe.seeds
    }
    found = side_by_side(_kept_rows, jobs, runtime, STEPS, advance)
    table = pd.DataFrame([row for values in found.values() for row in values["rows"]])
    subject = subject_line("cdp", recipe.images, recipe.seeds)
    figures = write_chart(out / "three_regimes", regimes_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def regime_name(shared: Sequence[str], task: Sequence[str]) -> str:
    """Name the regime of what two views share, exactly: ``missing``, ``sweet spot``, ``excess`` or both.

    Examples
    --------
    >>> regime_name(["color", "position"], ["color", "digit"])
    'missing and excess'
    """
    missing, excess = set(task) - set(shared), set(shared) - set(task)
    names = [name for name, found in (("missing", missing), ("excess", excess)) if found]
    return " and ".join(names) or "sweet spot"


def _kept_rows(job: _Job, runtime: Runtime, advance: Advance | None) -> Values:
    recipe = job.recipe
    request = recipe.model_dump(mode="json", exclude={"shared", "seeds"})
    request |= {"shared": list(job.shared), "seed": job.seed}
    return ResultStore(job.cells).cell(
        "three regimes", request, lambda: {"rows": _rows(job, runtime, advance)}
    )


def _rows(job: _Job, runtime: Runtime, advance: Advance | None) -> list[Values]:
    """Train one network, and lay out all that is read of it."""
    recipe, training = job.recipe, job.recipe.training
    with seeded(derive_seed(job.seed, 31)):
        network = ImageEmbedding(PooledConvNet(training.strides), training.head_width).to(runtime.device)
    if job.shared:
        pairs = recipe.data.open(training.pairs, seed=job.seed).to(runtime.device).pairs(job.shared)

        def loss(items: NDArray[np.int64]) -> Tensor:
            x, y = (network(_as_input(images)) for images in pairs.compose(items))
            return contrast_loss(x, y, training.temperature)

        train(network.parameters(), loss, training, advance)
    return _read(job, network.eval(), runtime)


@torch.no_grad()
def _read(job: _Job, network: ImageEmbedding, runtime: Runtime) -> list[Values]:
    recipe, task = job.recipe, job.recipe.task
    test = recipe.data.open(recipe.images, part="test").to(runtime.device)
    pool = recipe.data.open(recipe.pool, seed=POOL_SEED).to(runtime.device)
    truth, nuisance = test.truth, tuple(one for one in ATTRIBUTES if one not in task)
    groups = {TASK: task, NUISANCE: nuisance} | {attribute: (attribute,) for attribute in ATTRIBUTES}
    labels = {name: test.label_of(group) for name, group in groups.items()}
    layers = {LOSS_LAYER: network, BACKBONE: network.network}
    common = {
        "regime": regime_name(job.shared, task) if job.shared else UNTRAINED,
        "shared": "+".join(truth.ordered(job.shared)),
        "seed": job.seed,
        "shared_bits": truth.bits(job.shared),
        **_shared_reading(job, network, test),
    }
    rows = []
    for layer, encoder in layers.items():
        tested, pooled = (
            torch.cat([encoder(_as_input(data.compose(items))) for items in _batches(len(data))])
            .cpu()
            .numpy()
            for data in (test, pool)
        )
        bits = attribute_bits(tested, labels)
        accuracy = few_label_accuracy(
            LabelledRows(pooled, pool.label_of(task)),
            LabelledRows(tested, labels[TASK]),
            recipe.labels_a_class,
            recipe.draws,
            job.seed,
        )
        for name, columns in bits.items():
            predicted = truth.bits([one for one in groups[name] if one in job.shared])
            rows.append(common | {"layer": layer, "variable": name, "predicted_bits": predicted} | columns)
            if name == TASK:
                rows[-1] |= {f"accuracy_{count}": right for count, right in accuracy.items()}
    return rows


def _shared_reading(job: _Job, network: ImageEmbedding, test: CDP) -> Values:
    """Read InfoNCE of held-out pairs with the critic that was trained: how sufficient the encoder is."""
    if not job.shared:
        return {"infonce_bits": None, "infonce_low": None, "infonce_high": None}
    pairs = test.pairs(job.shared)
    drawn = [pairs.compose(items) for items in _batches(len(test))]
    x, y = (torch.cat([network(_as_input(images)) for images in side]) for side in zip(*drawn, strict=True))
    reading = read_infonce(lambda a, b: a @ b.T / job.recipe.training.temperature, x, y)
    bits, reach = reading.nats / LOG2, NORMAL_95 * reading.stderr / LOG2
    return {"infonce_bits": bits, "infonce_low": bits - reach, "infonce_high": bits + reach}


def _as_input(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def _batches(n: int, size: int = 500) -> list[NDArray[np.int64]]:
    return [np.arange(start, min(start + size, n)) for start in range(0, n, size)]
