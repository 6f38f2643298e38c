"""A table of several seeds, averaged for a figure."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mitools.analyses.shared.paired_seeds import over_seeds


def means_over_seeds(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Average the seeds of every row; a table of one seed is given back as it is.

    Parameters
    ----------
    table
        With a column ``seed``. ``NAME_low`` and ``NAME_high`` are the ends of an interval around ``NAME`` or
        ``NAME_bits``.
    keys
        What tells rows apart that are not averaged.

    Returns
    -------
    pandas.DataFrame
        One row for each combination of `keys`: numbers are means, an interval is Student's over the seeds,
        and any other column is that of the first seed.
    """
    if table["seed"].nunique() == 1:
        return table
    rows: list[dict[str, Any]] = []
    for _, own in table.groupby(list(keys), sort=False):
        row = dict(own.iloc[0])
        for column in own.columns.difference([*keys, "seed"]):
            if column.endswith(("_low", "_high")) or not pd.api.types.is_numeric_dtype(own[column]):
                continue
            mean = over_seeds(own[column])
            stem = column.removesuffix("_bits")
            row[column] = mean.mean
            if f"{stem}_low" in own:
                row |= {f"{stem}_low": mean.low, f"{stem}_high": mean.high}
        rows.append(row)
    return pd.DataFrame(rows)


def bars_caption(seeds: int) -> str:
    """Say what the bars of a figure are."""
    if seeds == 1:
        return "Bars: 95% intervals over images, of one training run each."
    return f"Means over {seeds} seeds; bars: Student's 95% intervals over them."
