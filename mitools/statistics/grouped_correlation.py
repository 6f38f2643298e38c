"""Correlation where rows come in groups: pooled, within the groups, between them, and inside each."""

import numpy as np
import pandas as pd

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.statistics.coefficients import COEFFICIENT_NAMES
from mitools.statistics.correlation import CORRELATION_COLUMNS, correlate, numeric_columns

FEWEST_CORRELATED = 3
"""Rows, and groups, that a correlation needs."""


def correlate_groups(
    table: pd.DataFrame,
    target: str,
    group: str,
    *,
    lower_is_better: tuple[str, ...] = (),
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate every numeric column with the target, in several scopes.

    Encoders of one family are not independent: a pooled correlation may come from differences between
    families alone, or hide what holds inside each. The scopes are ``pooled`` (all rows), ``within`` (every
    row minus the mean of its group), ``between`` (the groups' means) and ``group: NAME`` for each group
    of three rows or more. Their intervals resample rows (groups, for ``between``). The p-values of
    ``pooled`` and ``within`` would count rows of one group as independent, so they are left empty where
    there are several groups; read the intervals and ``between``.

    Parameters
    ----------
    table
        One row an encoder.
    target
        The column to correlate with.
    group
        The column that names each row's group; an empty name is a group of its own row.
    lower_is_better, confidence, bootstrap, seed
        As :func:`mitools.statistics.correlation.correlate`.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`mitools.statistics.correlation.correlate` behind ``scope`` and ``groups``, the
        number of groups in it.

    Raises
    ------
    InputError
        When a column is missing, or as :func:`mitools.statistics.correlation.correlate` for the pooled rows.
    """
    if group not in table.columns:
        raise InputError(f"no column {group!r} in the table; did you mean {nearest(group, table.columns)}?")
    names = table[group].fillna("").astype(str)
    names = names.where(names != "", [f"row {position}" for position in range(len(table))])
    numbers = table[numeric_columns(table)].replace([np.inf, -np.inf], np.nan)
    means = numbers.groupby(names).mean()
    scopes = {"pooled": (numbers, len(means))}
    if len(means) < len(table) and len(means) > 1:
        within = numbers - means.loc[names].set_axis(numbers.index)
        several = names.map(names.value_counts()) > 1
        scopes["within"] = (within[several], int(names[several].nunique()))
        scopes["between"] = (means.reset_index(drop=True), len(means))
        scopes |= {f"group: {name}": (numbers[names == name], 1) for name in means.index}
    found = []
    for scope, (rows, groups) in scopes.items():
        if scope != "pooled" and not _correlates(rows, target):
            continue
        result = correlate(
            rows,
            target,
            lower_is_better=lower_is_better,
            confidence=confidence,
            bootstrap=bootstrap,
            seed=seed,
        )
        if scope in ("pooled", "within") and len(scopes) > 1:
            result[[f"{name}_p{end}" for name in COEFFICIENT_NAMES for end in ("", "_holm")]] = np.nan
        result.insert(0, "groups", groups)
        result.insert(0, "scope", scope)
        found.append(result)
    return pd.concat(found, ignore_index=True)[["scope", "groups", *CORRELATION_COLUMNS]]


def _correlates(rows: pd.DataFrame, target: str) -> bool:
    values = rows[target].dropna()
    return len(values) >= FEWEST_CORRELATED and bool(np.ptp(values.to_numpy()) > 0)
