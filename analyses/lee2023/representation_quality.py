"""Which measure goes with linear accuracy: information, or RankMe, LogME, alignment (Lee et al.)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from mitools.analyses.lee2023.figures.forest import forest_chart
from mitools.analyses.lee2023.quality.on_halves import complete, measure_halves, oriented, other_halves
from mitools.analyses.lee2023.quality.shelf import SHELF, family_of, fill_shelf, run_of
from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import RUNS, require_held_out
from mitools.auditing.audit import Audit
from mitools.auditing.auditor import run_audit
from mitools.auditing.cells import GROUPS
from mitools.auditing.settings import AuditSettings
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance, silent
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import kept_epochs, read_run_recipe
from mitools.features.store import FeatureStore, default_root
from mitools.measures.registry import MEASURES
from mitools.report.audit import audit_tables, write_audit
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.statistics.correlation_differences import (
    NOT_TOLD,
    JointCorrelations,
    apart_correlations,
    joint_correlations,
)
from mitools.statistics.grouped_correlation import correlate_groups
from mitools.training.recipes import TrainingRecipe

TARGET, OWN = "linear_acc", "i_class_bits"
"""What measures are to go with, and the measure of the paper."""

NAMES = {OWN: "I_class", "i_simclr_bits": "I_SimCLR", "label_information_bits": "label information"}
"""What the reading calls columns; others by their own name."""

ALWAYS = (
    "i_class", "label_information", "linear_acc", "alignment", "uniformity", "tolerance", "recall_at_1",
    "nmi", "effective_rank",
)  # fmt: skip
"""Measures of every audit that are computed on every half of the items as well. The accuracies of neighbours
are another probe of the same thing, and are left out."""

ON_FEATURES = tuple(name for names in GROUPS.values() for name in names if not MEASURES[name].needs_views)
"""Measures on demand that are computed on every half as well: those of the features alone."""

ONE_CLASSIFIER = (
    "Linear accuracy, label information and I_class are read off one classifier on the same images, which"
    " brings them together. Measured on one half of the images, against the accuracy of a classifier that is"
    " fitted and read on the other half, it is"
)
"""What a reader has to know of the three that lie closest; their correlations apart follow."""

FEWEST_ENCODERS = 4
"""Encoders that measures can be told apart on."""

SHOWN = 8
"""Measures whose correlations the reading gives; all are in the table."""


class RepresentationQualityRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    data
        Labelled images, others than any of the encoders was trained on.
    encoders
        Encoder specs; when none is named, those of `shelf`, and without one the checkpoints of the runs in
        the folders of other analyses next to this one's.
    shelf
        Runs that are trained once into the folder ``encoder_shelf`` beside this one's.
    shelf_seeds
        Each run of the shelf is trained once for every one; no two runs start from the same network.
    measures
        Beside those of every audit, as ``mitools audit --measures`` takes them.
    critics
        Fit a critic to same-class pairs and one to pairs of views, as the paper does: most of the time.
    halves
        Random halves of the images on which every measure is computed again; they come in pairs, the second
        of a pair holding what the first leaves out.
    at_most
        Checkpoints taken of those found in other analyses, spread evenly over them.
    seed
        Of the split, the views, the critics and the halves.
    """

    data: Annotated[str, Field(min_length=1)]
    encoders: tuple[str, ...] = ()
    shelf: tuple[TrainingRecipe, ...] = ()
    shelf_seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1)
    measures: tuple[str, ...] = ("quick",)
    critics: bool = True
    halves: Annotated[int, Field(ge=2, multiple_of=2)] = 6
    at_most: Annotated[int, Field(ge=FEWEST_ENCODERS)] = 16
    seed: Annotated[int, Field(ge=0)] = 0


class Quality(NamedTuple):
    """Every measure beside linear accuracy, on the same encoders.

    Attributes
    ----------
    joint
        Correlations and differences, over encoders and images together.
    apart
        The same of measures on one half of the images and accuracy on the other; without measures of views.
    table
        ``joint.measures``, with ``within`` and ``between`` families (a method on its data) where there are
        several, and ``apart_pearson`` with its interval.
    accuracies
        The least and the greatest linear accuracy.
    encoder_alone
        Measures that are not computed on halves: their intervals are over encoders alone.
    """

    joint: JointCorrelations
    apart: JointCorrelations
    table: pd.DataFrame
    accuracies: tuple[float, float]
    encoder_alone: list[str]


def run(
    recipe: RepresentationQualityRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Audit the encoders with every measure, and tell which of them goes better with linear accuracy.

    Parameters and result are those of :func:`mitools.analyses.lee2023.batch_size.run`.

    Raises
    ------
    InputError
        When there are fewer than four encoders, or of three runs; all are equally accurate, or one was
        trained on the data.
    """
    runtime = runtime or Runtime()
    if not runtime.is_main:
        return None
    encoders = list(recipe.encoders)
    if not encoders and recipe.shelf:
        for one in recipe.shelf:
            require_held_out(one.data, recipe.data)
        encoders = fill_shelf(
            recipe.shelf, recipe.shelf_seeds, out.resolve().parent / SHELF, runtime, advance
        )
    encoders = encoders or find_checkpoints(out.resolve().parent, recipe.at_most)
    if len(encoders) < FEWEST_ENCODERS:
        raise InputError(
            f"{len(encoders)} encoders are too few to correlate: name four or more in the recipe's encoders,"
            f" or run other analyses into folders beside {out}"
        )
    for spec in encoders:
        folder = run_of(spec)
        if folder is not None:
            require_held_out(read_run_recipe(folder)["data"], recipe.data)
    settings = AuditSettings(
        view_pairings=("simclr",) if recipe.critics else (),
        critic=recipe.critics,
        control=False,
        seed=recipe.seed,
        further_measures=recipe.measures,
        device=str(runtime.device),
    )
    store = FeatureStore(default_root())
    audit = run_audit(
        open_data(recipe.data), encoders, out=out, store=store, settings=settings, advance=advance
    )
    tables = audit_tables(audit, recipe.seed)
    files = write_audit(audit, tables, out)
    if tables.correlation is None:
        raise InputError(f"all {len(audit.encoders)} encoders are equally accurate; nothing goes with that")
    quality = correlate_together(audit, recipe, out, advance or silent)
    for name, table in (
        ("measures", quality.table),
        ("differences", quality.joint.differences),
        ("differences_apart", quality.apart.differences),
    ):
        write_csv(table, out / f"{name}.csv")
        files.append(out / f"{name}.csv")
    encoders_read = f"n = {len(audit.labels):,}, {len(audit.encoders)} encoders"
    subject = subject_line(audit.data, encoders_read, bars="lines: 95% intervals")
    files += write_chart(out / "representation_quality", forest_chart, quality.table, subject=subject)
    finding = write_finding(tables.results, describe(quality), out, [])
    return finding._replace(files=[out / "reading.txt", *files])


def correlate_together(
    audit: Audit,
    recipe: RepresentationQualityRecipe,
    out: Path,
    advance: Advance = silent,
) -> Quality:
    """Correlate every measure with accuracy, over runs and halves of the images together.

    Parameters
    ----------
    audit
        The last layer of every encoder is taken.
    recipe, out, advance
        As for :func:`run`.
    """
    columns = set(audit.encoders[0].row)
    asked = [name for name in MEASURES if name in columns or f"{name}_bits" in columns]
    again = [name for name in asked if name in ALWAYS or name in ON_FEATURES]
    encoders = audit.last_layers()
    halves = measure_halves(
        audit, encoders, again, ResultStore(out / "cells"), recipe.halves, recipe.seed, advance
    )
    results = pd.DataFrame([one.row for one in encoders])
    specs = [one.spec for one in encoders]
    wanted = [f"{name}_bits" if f"{name}_bits" in results else name for name in again if name != TARGET]
    of_views = [name for name in ("i_simclr_bits", "alignment_simclr", "lidar_simclr") if name in results]
    full = oriented(results, [*wanted, *of_views])
    turned = [oriented(half, wanted).join(full[of_views]) for half in halves]
    names = complete([full, *turned])
    runs = [run_of(spec) or spec for spec in specs]
    clusters = np.unique([str(one) for one in runs], return_inverse=True)[1]
    read = np.stack([half[names].to_numpy(np.float64) for half in turned])
    accuracy = np.stack([half[TARGET].to_numpy(np.float64) for half in halves])
    joint = joint_correlations(
        full[names], results[TARGET].to_numpy(np.float64), read, accuracy, clusters, seed=recipe.seed
    )
    of_halves = [name not in of_views for name in names]
    apart = apart_correlations(
        [name for name in names if name not in of_views],
        read[:, :, of_halves],
        accuracy[other_halves(len(halves))],
        clusters,
        seed=recipe.seed,
    )
    grouped = full[names].assign(**{TARGET: results[TARGET], "family": [family_of(spec) for spec in specs]})
    scopes = correlate_groups(grouped, TARGET, "family", bootstrap=100, seed=recipe.seed)
    table = joint.measures
    for scope in ("within", "between"):
        own = scopes[scopes["scope"] == scope].set_index("column")["pearson"]
        table = table.assign(**{scope: table["measure"].map(own)})
    pearson = apart.measures.set_index("measure")
    for column in ("pearson", "pearson_low", "pearson_high"):
        table = table.assign(**{f"apart_{column}": table["measure"].map(pearson[column])})
    accuracies = float(results[TARGET].min()), float(results[TARGET].max())
    return Quality(joint, apart, table, accuracies, [name for name in of_views if name in names])


def find_checkpoints(folder: Path, at_most: int) -> list[str]:
    """Find the checkpoints of the analyses in a folder: encoder specs, no two of the same weights.

    Parameters
    ----------
    folder
        The folder in which the analyses' folders are.
    at_most
        The number taken, spread evenly over those found in the order of their paths.
    """
    specs = {
        open_encoder(spec).digest: spec
        for recipe in sorted(folder.glob(f"*/{RUNS}/*/recipe.yaml"), reverse=True)
        for epoch in kept_epochs(recipe.parent)
        for spec in [f"run:{recipe.parent}@epoch={epoch}"]
    }
    found = sorted(specs.values())
    if len(found) <= at_most:
        return found
    return [found[place] for place in np.linspace(0, len(found) - 1, at_most).round().astype(int)]


def describe(quality: Quality) -> str:
    """Say which measures go with linear accuracy, and which of them are told apart.

    Parameters
    ----------
    quality
        As :func:`correlate_together` returns it.
    """
    joint, least, most = quality.joint, *quality.accuracies
    text = (
        f"Over {joint.encoders} encoders of {joint.clusters} runs, Pearson's correlation with linear"
        f" accuracy ({least:.1%} to {most:.1%}), turned so that more is better, with 95% intervals over runs"
        f" and images together, is {_values(joint)}. {_verdicts(joint)}"
    )
    if quality.encoder_alone:
        text += f". The intervals of {listed(_names(quality.encoder_alone))} are over runs alone"
    return f"{text}. {ONE_CLASSIFIER} {_values(quality.apart)}. {_verdicts(quality.apart)}."


def _values(joint: JointCorrelations) -> str:
    """Give the correlations of the measures that lie closest, and of the one that is furthest."""
    numbers = joint.measures[["pearson", "pearson_low", "pearson_high"]].to_numpy()
    values = [
        f"{_called(name)} {r:.2f} ({low:.2f} to {high:.2f})"
        for name, (r, low, high) in zip(joint.measures["measure"], numbers, strict=True)
    ]
    least = f"; least is {values[-1]}" if len(values) > SHOWN else ""
    return listed(values[:SHOWN]) + least


def _verdicts(joint: JointCorrelations) -> str:
    """Say how many pairs of measures are told apart, and which ones from I_class."""
    told = joint.differences[joint.differences["verdict"] != NOT_TOLD]
    pairs = len(joint.differences)
    text = f"{len(told)} of {pairs} pairs of measures are told apart (95% for all together, Holm)"
    if OWN not in set(joint.measures["measure"]):
        return text
    better = _beside(told, OWN, wins=False)
    worse = _beside(told, OWN, wins=True)
    rest = [name for name in joint.measures["measure"] if name not in {OWN, *better, *worse}]
    if worse:
        text += f"; I_class goes better with accuracy than {listed(_names(worse))}"
    if better:
        text += f"; I_class goes worse with accuracy than {listed(_names(better))}"
    if not worse and not better:
        text += "; I_class is not told apart from any other"
    elif rest:
        text += f"; it is not told apart from {listed(_names(rest))}"
    return text


def _beside(told: pd.DataFrame, name: str, *, wins: bool) -> list[str]:
    """Name the measures that one goes better, or worse, with accuracy than."""
    a, b = ("a goes better", "b goes better") if wins else ("b goes better", "a goes better")
    first = told[(told["measure_a"] == name) & (told["verdict"] == a)]
    second = told[(told["measure_b"] == name) & (told["verdict"] == b)]
    return [*first["measure_b"], *second["measure_a"]]


def _names(columns: Sequence[str]) -> list[str]:
    return [_called(name) for name in columns]


def _called(column: str) -> str:
    return NAMES.get(column, column.removesuffix("_bits"))
