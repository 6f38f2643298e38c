"""The page of a study, from the table of its cells."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mitools.core.run_record import read_record
from mitools.measures.registry import MEASURES
from mitools.report.finding import listed
from mitools.report.html.columns import SHARES, coefficients_chart, study_label, study_measure
from mitools.report.html.gather import read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Column, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed
from mitools.report.study_finding import study_finding
from mitools.report.words import worded
from mitools.statistics.correlation import FEW_ROWS, correlate

CELL_TEXTS = (
    "data", "encoder", "family", "pairing", "measure", "state", "unit", "kind", "warnings", "error",
)  # fmt: skip

TARGET = "linear_acc"

_FOLDERS = re.compile(r"^(\w+:)[^?]*/")
MOST_ROWS = 400

WORDS = (
    "mutual information", "entropy", "pairing", "same-class pairs", "certificate", "label information",
    "lower bound", "point estimate", "ceiling", "null", "linear probe", "Holm",
)  # fmt: skip


def study_page(folder: Path) -> Page:
    """Make the page of a study from ``cells.csv`` in its folder."""
    cells, run = read_table(folder / "cells.csv", CELL_TEXTS), read_record(folder)
    cells = cells.assign(data=without_folders(cells["data"]), encoder=without_folders(cells["encoder"]))
    done = cells[cells["state"] == "done"]
    rows = _over_seeds(done)
    names = list(dict.fromkeys(rows["column"]))
    wide = _wide(rows, names)
    data, seeds = list(dict.fromkeys(cells["data"])), sorted(set(cells["seed"]))
    states = cells["state"].value_counts()
    facts = [
        Row("data", ", ".join(data)),
        Row("encoders", f"{cells['encoder'].nunique():,}"),
        Row("seeds", ", ".join(map(str, seeds))),
        Row("cells", ", ".join(f"{count:,} {state}" for state, count in states.items())),
        *([Row("H(C)", _entropies(rows))] if rows["entropy"].notna().any() else []),
        *(row for row in provenance(run, {}) if row.name not in ("seed", "seeds")),
    ]
    sections = [_results(wide, names, len(seeds)), *_correlation(wide, names), *_failed(cells)]
    on = listed(data) if len(data) < 4 else f"{len(data)} data sets"
    title = f"{wide['encoder'].nunique()} encoders on {on}"
    return Page(
        "study",
        title,
        study_finding(cells),
        facts,
        [
            *sections,
            Section("downloads", "Downloads", [Block("downloads.html", {"names": ["results"]})]),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
    )


def without_folders(specs: pd.Series) -> pd.Series:
    """Leave the folders of files out of specs, where these stay different from each other.

    Examples
    --------
    >>> without_folders(pd.Series(["tar:/data/a.tar", "digits", "checkpoint:x/y.pt?arch=z"])).tolist()
    ['tar:a.tar', 'digits', 'checkpoint:y.pt?arch=z']
    >>> without_folders(pd.Series(["tar:/one/a.tar", "tar:/two/a.tar"])).tolist()
    ['tar:/one/a.tar', 'tar:/two/a.tar']
    """
    short = {spec: _FOLDERS.sub(r"\1", spec) for spec in specs.unique()}
    return specs.map(short) if len(set(short.values())) == len(short) else specs


def _over_seeds(done: pd.DataFrame) -> pd.DataFrame:
    """Join the seeds of a cell: the mean, from the lowest limit to the highest."""
    column = (done["pairing"] + ":" + done["measure"]).str.removeprefix(":")
    keys = ["data", "encoder", "family", "column"]
    grouped = done.assign(column=column).groupby(keys, sort=False, dropna=False)
    return grouped.agg(
        value=("value", "mean"), low=("low", "min"), high=("high", "max"), entropy=("entropy", "mean"),
        unit=("unit", "first"), n=("n_report", "min"), seeds=("seed", "nunique"),
        warnings=("warnings", _words),
    ).reset_index()  # fmt: skip


def _words(warnings: pd.Series) -> str:
    words = (word for one in warnings for word in str(one).split(", ") if word)
    return worded(", ".join(dict.fromkeys(words)))


def _wide(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Lay out one row an encoder and data set; limits beside their values."""
    wide = rows.groupby(["encoder", "data", "family"], sort=False).agg(
        entropy=("entropy", "max"), n=("n", "max"), seeds=("seeds", "min"), warnings=("warnings", _words)
    )
    for name in names:
        own = rows[rows["column"] == name].set_index(["encoder", "data", "family"])
        wide[name] = own["value"]
        if own["low"].notna().any():
            wide[f"{name}_low"], wide[f"{name}_high"] = own["low"], own["high"]
    return wide.reset_index()


def _results(wide: pd.DataFrame, names: list[str], seeds: int) -> Section:
    columns = [_column(name, wide, shown=place < 7) for place, name in enumerate(names)]
    families = bool(wide["family"].astype(str).str.len().any())
    warned = bool(wide["warnings"].str.len().any())
    family = Column("family", "family", "Encoders that are not independent of each other.")
    counted = "How many seeds the measure with the fewest finished has."
    shown = [
        Column("encoder", "encoder", "Press a name to mark it everywhere in the page."),
        Column("data", "data"),
        *([family] if families else []),
        *columns,
        Column("entropy", "H(C)", "The entropy of the classes in bits.", digits=3, shown=False),
        Column("n", "items", "Items that the numbers are read on.", digits=0, shown=False),
        Column("seeds", "seeds", counted, digits=0, shown=False),
        *([Column("warnings", "warnings")] if warned else []),
    ]
    caption = "One row an encoder and data set" + (
        f"; means over {seeds} seeds, from the lowest to the highest limit of their 95% intervals"
        if seeds > 1
        else "; bits with their 95% intervals"
    )
    left_out = max(0, len(wide) - MOST_ROWS)
    table = Table("results", wide.head(MOST_ROWS), shown, caption, "encoder", left_out=left_out)
    bounded = [name for name in names if f"{name}_low" in wide and wide["entropy"].notna().any()]
    if not bounded:
        return Section("results", "Results", [table])
    chart = Chart(
        "brackets",
        "brackets",
        "results",
        "What is certified of each encoder and what is open, in bits",
        {
            "label": "encoder",
            "y": [_choice(name, wide) for name in bounded],
            "entropy": "entropy",
            "n": "n",
            "unit": "mutual information (bits)",
            "filters": [{"key": "data", "label": "Data"}],
        },
        "What is certified lies below the truth, and no information about the class lies above H(C).",
    )
    return Section("results", "Results", [chart, table])


def _correlation(wide: pd.DataFrame, names: list[str]) -> list[Section]:
    """Correlate with linear accuracy, each data set by itself: they differ in H(C)."""
    if TARGET not in names:
        return []
    found, few = [], 0
    for data, own in wide.groupby("data", sort=False):
        if len(own) < 3 or own[TARGET].nunique() < 2:
            continue
        lower = [name for name in names if name in MEASURES and not MEASURES[name].higher_is_better]
        known = [name for name in names if own[name].nunique() > 1]
        table = correlate(own[known], TARGET, lower_is_better=[name for name in lower if name in known])
        found.append(table.assign(data=data, label=[study_label(str(name)) for name in table["column"]]))
        few = max(few, len(own))
    if not found:
        return []
    frame = pd.concat(found, ignore_index=True)
    limits = [str(name) for name in frame if str(name).endswith(("_low", "_high"))]
    too_few = (frame["n"] < FEW_ROWS).to_numpy()
    frame.loc[too_few, limits] = np.nan
    filters = [{"key": "data", "label": "Data"}]
    forest = coefficients_chart(
        "Each data set by itself. Where lower is better the sign is turned.", filters=filters
    )
    axes = [_choice(name, wide) for name in names]
    scatter = Chart(
        "scatter",
        "scatter",
        "results",
        "Two measures of the encoders against each other",
        {"label": "encoder", "x": axes, "y": axes, "y_start": names.index(TARGET), "x_start": 0, "n": "n",
         "y_name": "Up", "x_name": "Across", "filters": filters},
    )  # fmt: skip
    caution = (
        f"Fewer than {FEW_ROWS} encoders are too few for an interval of a correlation; points are then shown"
        " without one, and say little of other encoders."
        if too_few.any()
        else ""
    )
    return [Section("correlation", "What goes with accuracy",
                    [forest, Table("correlation", frame), scatter], caution=caution)]  # fmt: skip


def _failed(cells: pd.DataFrame) -> list[Section]:
    failed = cells[cells["state"] == "failed"]
    if failed.empty:
        return []
    columns = [Column(name, name) for name in ("encoder", "data", "pairing", "measure", "seed", "error")]
    frame = failed[[one.key for one in columns]].head(MOST_ROWS).reset_index(drop=True)
    table = Table("failed", frame, columns, "Cells that failed; --retry-failed tries again", "encoder")
    return [Section("failed", "Failed cells", [table])]


def _column(name: str, wide: pd.DataFrame, shown: bool) -> Column:
    measure = MEASURES.get(study_measure(name))
    low, high = (f"{name}_low", f"{name}_high") if f"{name}_low" in wide else ("", "")
    said = f"{measure.what[0].upper()}{measure.what[1:]}. Source: {measure.source}." if measure else ""
    share = name in SHARES
    return Column(name, study_label(name), said, low, high, 1 if share else 3, percent=share, shown=shown)


def _choice(name: str, wide: pd.DataFrame) -> Choice:
    low, high = (f"{name}_low", f"{name}_high") if f"{name}_low" in wide else ("", "")
    return Choice(name, study_label(name) + (" (bits)" if low else ""), low, high)


def _entropies(rows: pd.DataFrame) -> str:
    found: dict[str, Any] = rows.groupby("data", sort=False)["entropy"].max().to_dict()
    return ", ".join(f"{value:.3f} bits ({data})" for data, value in found.items() if value == value)
