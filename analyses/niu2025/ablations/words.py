"""What the ablations say: every setting against the shared row, paired by seed, and the paper beside it."""

import pandas as pd

from mitools.analyses.niu2025.ablations.recipe import IMSVD, TABLES, VICREG
from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import OverSeeds, paired_by_seed

LEVEL = 0.05
"""How often one or more of a comparison's intervals, of all classifiers, misses what it is of."""

SUBJECTS = {
    "batch_size": "Batch size",
    "depth": "Layers of the projector",
    "width": "Outputs of the projector",
    "terms": "Terms of the loss",
    "units": "Units of a variable",
}

PAPER = {
    "batch_size": "the paper has IMSVD above VICReg at every batch size, by 0.1 to 1.0 points",
    "depth": "in the paper two layers are the best, 1.5 points above four",
    "width": (
        "in the paper accuracy rises by 5.3 points from 960 to 8,160 outputs, and IMSVD is above VICReg at"
        " all widths"
    ),
    "terms": "in the paper TIC loses 1.1 points, no invariance 4.0, and no diagonal entropy 5.3",
    "units": "in the paper 80 is the best, 1.6 points above 32 and 1.0 above 128",
}
"""What Tables V to IX found with ResNet-50 on ImageNet."""

NEAREST = ("knn20_test_acc", "knn200_test_acc")


def describe(table: pd.DataFrame) -> str:
    """Say for each table which settings are told apart from the shared row, and what the paper found.

    Intervals of differences are Student's over seeds; those of one comparison (a table's settings, or its two
    methods) hold together in 95% over settings and classifiers (Bonferroni).

    Parameters
    ----------
    table
        One row a table, setting, method and seed, as ``results.csv`` has them.
    """
    table = table.assign(setting=table["setting"].fillna("").astype(str))
    seeds = table["seed"].nunique()
    start = table[table["method"] == "untrained"]
    text = (
        f"{seeds} seed{'s' * (seeds > 1)} of every row, differences paired by seed, in points of accuracy on"
        f" {int(table['n_test'].iloc[0]):,} test images (linear; 20 and 200 nearest neighbours). Untrained:"
        f" {_three(start)}. Intervals of one comparison, over settings and classifiers, hold together in 95%."
    )
    for name in TABLES:
        text += f"\n{_of_table(table[table['table'] == name], name)}"
    if seeds == 1:
        text += "\nThere is one seed, so no difference has an interval, and nothing is told apart."
    return text


def _of_table(rows: pd.DataFrame, name: str) -> str:
    methods = [method for method in (IMSVD, VICREG) if (rows["method"] == method).any()]
    settings = list(dict.fromkeys(rows["setting"]))
    shared = rows.loc[rows["shared"], "setting"].iloc[0]
    values = [
        f"{method} {listed([f'{_mean(rows, method, setting):.1%} with {setting}' for setting in settings])}"
        for method in methods
    ]
    others = [setting for setting in settings if setting != shared]
    of_settings = {
        setting: ({"setting": setting, "method": IMSVD}, {"setting": shared, "method": IMSVD})
        for setting in others
    }
    text = f"{SUBJECTS[name]} ({TABLES[name]}): {'; '.join(values)}."
    text += f" Against {shared}: {_differences(rows, of_settings)}."
    if VICREG in methods:
        of_methods = {
            f"at {setting}": (
                {"setting": setting, "method": IMSVD},
                {"setting": setting, "method": VICREG},
            )
            for setting in settings
        }
        text += f" IMSVD less VICReg: {_differences(rows, of_methods)}."
    return f"{text} {PAPER[name][0].upper()}{PAPER[name][1:]}."


def _differences(rows: pd.DataFrame, pairs: dict[str, tuple[dict[str, str], dict[str, str]]]) -> str:
    """Say each linear difference, then which ones are told apart, by each of the three classifiers."""
    columns = ("linear_test_acc", *NEAREST)
    confidence = 1 - LEVEL / (len(pairs) * len(columns))
    parts = []
    told: dict[str, list[str]] = {}
    for name, (one, other) in pairs.items():
        found = paired_by_seed(rows, "linear_test_acc", one, other, confidence)
        parts.append(f"{name} {_points(found)}")
        for column in columns:
            sign = paired_by_seed(rows, column, one, other, confidence).sign
            if sign:
                told.setdefault(name, []).append(f"{'more' if sign > 0 else 'less'} by {_classifier(column)}")
    verdict = "; ".join(f"{name} has {listed(ways)}" for name, ways in told.items())
    return f"{', '.join(parts)}; {'told apart: ' + verdict if told else 'none is told apart'}"


def _classifier(column: str) -> str:
    return (
        "the linear classifier" if column.startswith("linear") else f"{column[3:].split('_')[0]} neighbours"
    )


def _points(found: OverSeeds) -> str:
    if found.low != found.low:  # one seed has no interval
        return f"{100 * found.mean:+.1f}"
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _mean(rows: pd.DataFrame, method: str, setting: str) -> float:
    chosen = (rows["method"] == method) & (rows["setting"] == setting)
    return float(rows.loc[chosen, "linear_test_acc"].mean())


def _three(rows: pd.DataFrame) -> str:
    return ", ".join(f"{rows[column].mean():.1%}" for column in ("linear_test_acc", *NEAREST))
