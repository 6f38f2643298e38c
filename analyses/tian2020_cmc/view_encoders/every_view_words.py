"""What the table of every view says, in words that pairs of seeds allow."""

import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import paired_by_seed
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import ONE_SEED, Measure, measures_of
from mitools.analyses.tian2020_cmc.view_encoders.quality import SUPERVISED, UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.recipe import CORE, FULL, PREDICTIVE

QUESTIONS = (
    (FULL, UNTRAINED),
    (CORE, UNTRAINED),
    (PREDICTIVE, UNTRAINED),
    (FULL, PREDICTIVE),
    (FULL, CORE),
    (SUPERVISED, FULL),
)
"""The pairs of methods that are compared."""


def describe(table: pd.DataFrame) -> str:
    """Say, by measure, which methods are better than which, for how many views.

    Parameters
    ----------
    table
        One row a view, method and seed, as ``results.csv`` of ``every_view`` has them.
    """
    seeds = table["seed"].nunique()
    views = listed([str(view) for view in dict.fromkeys(table["view"])])
    entropy = table["h_c_bits"].dropna().iloc[0]
    text = (
        f"Encoders of {views}, each measured on its own view alone, {seeds} seed{'s' * (seeds > 1)},"
        f" differences paired by seed; H(C) is {entropy:.2f} bits."
    )
    for measure in measures_of(table):
        text += _means(table, measure) + _answers(table, measure)
    return text + ONE_SEED * (seeds == 1)


def _means(table: pd.DataFrame, measure: Measure) -> str:
    told = []
    for view, own in table.dropna(subset=[measure.column]).groupby("view", sort=False):
        means = own.groupby("method", sort=False)[measure.column].mean()
        told.append(
            f"{view} " + listed([f"{measure.number(mean)} {method}" for method, mean in means.items()])
        )
    return f" {measure.title} ({measure.unit.strip()}): {'; '.join(told)}."


def _answers(table: pd.DataFrame, measure: Measure) -> str:
    known = set(table.dropna(subset=[measure.column])["method"])
    told = [_answer(table, measure, one, other) for one, other in QUESTIONS if {one, other} <= known]
    return f" Beyond the intervals {'; '.join(told)}."


def _answer(table: pd.DataFrame, measure: Measure, one: str, other: str) -> str:
    """Name the views for which a method is better or worse than another."""
    found: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for view in dict.fromkeys(table["view"]):
        difference = paired_by_seed(
            table, measure.column, {"view": view, "method": one}, {"view": view, "method": other}
        )
        found[difference.sign].append(str(view))
    words = {1: f"{one} lies above {other}", -1: f"{one} lies below {other}"}
    said = [f"{words[sign]} for {listed(found[sign])}" for sign in (1, -1) if found[sign]]
    return listed(said) or f"{one} and {other} are not told apart for any view"
