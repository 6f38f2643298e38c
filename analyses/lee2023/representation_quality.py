"""Which measure goes with linear accuracy: information, or RankMe, LogME, alignment (Lee et al.)."""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from mitools.analyses.lee2023.figures.forest import forest_chart
from mitools.analyses.lee2023.quality.in_shares import measure_in_shares
from mitools.analyses.lee2023.quality.shelf import SHELF, fill_shelf, run_of
from mitools.analyses.lee2023.quality.together import correlate_together
from mitools.analyses.lee2023.quality.words import describe
from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import RUNS, require_held_out
from mitools.auditing.auditor import run_audit
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
from mitools.report.audit import audit_tables, write_audit
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.statistics.correlation_differences import FEWEST_ENCODERS
from mitools.training.recipes import TrainingRecipe


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
    measure_in_shares(recipe.data, encoders, settings, recipe.halves, out, runtime, advance)
    store = FeatureStore(default_root())
    audit = run_audit(
        open_data(recipe.data), encoders, out=out, store=store, settings=settings, advance=advance
    )
    tables = audit_tables(audit, recipe.seed)
    files = write_audit(audit, tables, out)
    if tables.correlation is None:
        raise InputError(f"all {len(audit.encoders)} encoders are equally accurate; nothing goes with that")
    quality = correlate_together(
        audit, ResultStore(out / "cells"), recipe.halves, recipe.seed, advance or silent
    )
    tables_of = {"measures": quality.table, "differences": quality.joint.differences}
    tables_of["differences_apart"] = quality.apart.differences
    if quality.within is not None:
        tables_of["differences_within"] = quality.within.differences
    for name, table in tables_of.items():
        write_csv(table, out / f"{name}.csv")
        files.append(out / f"{name}.csv")
    encoders_read = f"n = {len(audit.labels):,}, {len(audit.encoders)} encoders"
    subject = subject_line(audit.data, encoders_read, bars="lines: 95% intervals")
    files += write_chart(out / "representation_quality", forest_chart, quality.table, subject=subject)
    finding = write_finding(tables.results, describe(quality), out, [])
    return finding._replace(files=[out / "reading.txt", *files])


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
