"""What the table of numbers of views says, in words that pairs of seeds allow."""

from itertools import pairwise

import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import over_seeds, paired_by_seed, slope_over_seeds
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import (
    ONE_SEED,
    VERDICTS,
    Measure,
    measures_of,
)


def describe(table: pd.DataFrame) -> str:
    """Say whether quality rises with views, and how it lies between untrained and supervised.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of ``number_of_views`` has them.
    """
    view, seeds = table["view"].iloc[0], table["seed"].nunique()
    core = table[table["method"] == "core view"]
    counts = sorted(core["views"].unique())
    further = listed([str(setting) for setting in dict.fromkeys(core["setting"])])
    text = (
        f"The encoder of {view} is measured, {seeds} seed{'s' * (seeds > 1)} of every setting, differences"
        f" paired by seed. Views: {further}; H(C) is {core['h_c_bits'].iloc[0]:.2f} bits."
    )
    for measure in measures_of(table):
        text += _over_views(core, counts, measure)
        text += _beside_untrained(table, counts, measure)
    text += _full_graph(table)
    text += _supervised(table, counts[-1])
    if core["setting"].str.contains("segmentation").any():
        text += (
            " A view that is the segmentation itself gives its labels to the encoder: that setting is no"
            " unsupervised one where segmentation is the measure."
        )
    return text + ONE_SEED * (seeds == 1)


def _over_views(core: pd.DataFrame, counts: list[int], measure: Measure) -> str:
    means = core.groupby("views")[measure.column].mean()
    values = listed([f"{measure.value(means[count])} with {count}" for count in counts])
    text = f" {measure.title}: {values}."
    if len(counts) < 3:
        return text
    slope = slope_over_seeds(core, measure.column, "views")
    told = {1: "it rises", -1: "it falls", 0: "a trend is not told"}[slope.sign]
    steps = [
        paired_by_seed(core, measure.column, {"views": after}, {"views": before})
        for before, after in pairwise(counts)
    ]
    up, down = (sum(step.sign == sign for step in steps) for sign in (1, -1))
    return (
        f"{text} Over the number of views {told}: {measure.change(slope)}{measure.unit} a view; of"
        f" {len(steps)} added views {up} bring more beyond the interval and {down} less."
    )


def _beside_untrained(table: pd.DataFrame, counts: list[int], measure: Measure) -> str:
    start = table.loc[table["method"] == "untrained", measure.column].mean()
    signs = [
        paired_by_seed(
            table, measure.column, {"method": "core view", "views": count}, {"method": "untrained"}
        ).sign
        for count in counts
    ]
    return (
        f" The untrained encoder has {measure.value(start)}; {signs.count(1)} of {len(signs)} settings have"
        f" more beyond the interval, {signs.count(-1)} less."
    )


def _full_graph(table: pd.DataFrame) -> str:
    full = table[table["method"] == "full graph"]
    if full.empty:
        return ""
    count = int(full["views"].iloc[0])
    told = []
    for measure in measures_of(table):
        difference = paired_by_seed(
            table,
            measure.column,
            {"method": "full graph", "views": count},
            {"method": "core view", "views": count},
        )
        told.append(f"{measure.name} {measure.change(difference)}{measure.unit}, {VERDICTS[difference.sign]}")
    return f" The full graph of {count} views against the core view: {'; '.join(told)}."


def _supervised(table: pd.DataFrame, most: int) -> str:
    if not (table["method"] == "supervised").any():
        return ""
    told = []
    for measure in measures_of(table)[1:]:
        values = table.loc[table["method"] == "supervised", measure.column]
        difference = paired_by_seed(
            table, measure.column, {"method": "supervised"}, {"method": "core view", "views": most}
        )
        told.append(
            f"{measure.value(over_seeds(values).mean)} {measure.name}, {measure.change(difference)} against"
            f" {most} views ({VERDICTS[difference.sign]})"
        )
    return f" An encoder trained together with its decoder has {' and '.join(told)}."
