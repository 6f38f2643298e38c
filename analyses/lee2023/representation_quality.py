"""Which measure goes with linear accuracy: information, or alignment and the like (Lee et al., Table II)."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import RUNS, require_held_out
from mitools.auditing.auditor import run_audit
from mitools.auditing.settings import AuditSettings
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import kept_epochs, read_run_recipe
from mitools.features.store import FeatureStore, default_root
from mitools.report.audit import audit_tables, write_audit

MEASURE_NAMES = {
    "i_class_bits": "I_class",
    "i_simclr_bits": "I_SimCLR",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "tolerance": "tolerance",
}
"""The measures of Table II, and what the reading calls them."""

FEWEST_ENCODERS = 3
"""Encoders that a correlation needs."""


class RepresentationQualityRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    data
        Labelled images, others than any of the encoders was trained on.
    encoders
        Encoder specs; when none is named, the checkpoints of the runs in the folders of other
        analyses next to this one's.
    at_most
        Checkpoints taken of those found, spread evenly over them.
    seed
        Of the split, the views and the critics.
    """

    data: Annotated[str, Field(min_length=1)]
    encoders: tuple[str, ...] = ()
    at_most: Annotated[int, Field(ge=FEWEST_ENCODERS)] = 16
    seed: Annotated[int, Field(ge=0)] = 0


def run(
    recipe: RepresentationQualityRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Audit the encoders, views included, and correlate every measure with linear accuracy.

    Parameters and result are those of :func:`mitools.analyses.lee2023.batch_size.run`.

    Raises
    ------
    InputError
        When there are fewer than three encoders, all are equally accurate, or one was trained on the data.
    """
    runtime = runtime or Runtime()
    if not runtime.is_main:
        return None
    encoders = list(recipe.encoders) or find_checkpoints(out.resolve().parent, recipe.at_most)
    if len(encoders) < FEWEST_ENCODERS:
        raise InputError(
            f"{len(encoders)} encoders are too few to correlate: name three or more in the recipe's encoders,"
            f" or run other analyses into folders beside {out}"
        )
    for spec in encoders:
        if spec.startswith("run:"):
            folder = Path(spec.removeprefix("run:").partition("@")[0].partition("?")[0])
            require_held_out(read_run_recipe(folder)["data"], recipe.data)
    settings = AuditSettings(
        view_pairings=("simclr",), control=False, seed=recipe.seed, device=str(runtime.device)
    )
    store = FeatureStore(default_root())
    audit = run_audit(
        open_data(recipe.data), encoders, out=out, store=store, settings=settings, advance=advance
    )
    tables = audit_tables(audit, recipe.seed)
    files = write_audit(audit, tables, out)
    if tables.correlation is None:
        raise InputError(f"all {len(audit.encoders)} encoders are equally accurate; nothing goes with that")
    finding = write_finding(tables.results, describe(tables.correlation), out, [])
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


def describe(correlation: pd.DataFrame) -> str:
    """Say which measure goes best with linear accuracy.

    Parameters
    ----------
    correlation
        As :func:`mitools.statistics.correlation.correlate` returns it.
    """
    rows = correlation.set_index("column").reindex(list(MEASURE_NAMES)).dropna(subset=["pearson"])
    rows = rows.sort_values("pearson", ascending=False)
    values = [
        f"{MEASURE_NAMES[str(name)]} {row['pearson']:.2f}"
        f" ({row['pearson_low']:.2f} to {row['pearson_high']:.2f}; Kendall {row['kendall']:.2f})"
        for name, row in rows.iterrows()
    ]
    best = MEASURE_NAMES[str(rows.index[0])]
    text = (
        f"Over {rows['n'].max():.0f} encoders, Pearson's correlation with linear accuracy, turned so that"
        f" more is better, is {listed(values)}. {best} goes best with accuracy,"
    )
    if best != "I_class":
        return text + " unlike in Lee et al., where I_class does."
    own = rows.loc["i_class_bits"]
    below = [
        MEASURE_NAMES[str(name)] for name, row in rows.iterrows() if row["pearson_high"] < own["pearson_low"]
    ]
    text += " as in Lee et al.;"
    if len(below) == len(rows) - 1:
        return text + " its interval lies above that of every other measure."
    overlap = [MEASURE_NAMES[str(name)] for name in rows.index[1:] if MEASURE_NAMES[str(name)] not in below]
    return text + f" its interval overlaps that of {listed(overlap)}, so that more encoders are needed."
