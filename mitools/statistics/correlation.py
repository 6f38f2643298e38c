"""Which columns of a table go with a target column, and how surely: one row a column."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from mitools.core.errors import InputError
from mitools.core.names import nearest, whole_number
from mitools.statistics.bootstrap import bca_interval, resample_counts
from mitools.statistics.coefficients import COEFFICIENT_NAMES, Floats, coefficients, p_values
from mitools.statistics.holm import holm

LOWER_IS_BETTER: tuple[str, ...] = ("alignment", "uniformity")
"""Columns that are negated unless the caller names others."""

FEW_ROWS = 8
"""With fewer rows no interval is shown, and a note says so."""

NO_MEASURES = frozenset(
    {"constant_dims", "dead_units", "depth", "dim", "duplicate_rows", "epoch", "h_c_bits", "h_y_bits",
     "mean_prevalence", "n", "nonfinite_rows", "seconds", "seed", "seeds", "targets"}
)  # fmt: skip
"""Columns of numbers that say how or on what a row was measured, or count faults of its features."""

_ENDS_OF_NO_MEASURES = (
    "_null", "_null_bits", "_ceiling_bits", "_entropy_bits", "_up_to", "_up_to_bits", "_n",
)  # fmt: skip
"""Ends of the names of what limits a measure, and of counts."""

MOST_ROWS = 2000
MOST_RESAMPLES = 20_000

_COEFFICIENT_COLUMNS = ("", "_low", "_high", "_loo_low", "_loo_high", "_p", "_p_holm")

CORRELATION_COLUMNS = (
    *("column", "sign", "n", "missing"),
    *(name + part for name in COEFFICIENT_NAMES for part in _COEFFICIENT_COLUMNS),
    "note",
)
"""The columns of the result, in order."""


def correlate(
    table: pd.DataFrame,
    target: str,
    *,
    lower_is_better: str | Iterable[str] = LOWER_IS_BETTER,
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate every numeric column of a table with its target column.

    Coefficients are Pearson's r, Kendall's tau-b and Spearman's rho over the rows where both columns have a
    finite value. Where lower is better the column is negated first (the target too, if it is named), so
    that +1 always means "a better value goes with a better target".

    Parameters
    ----------
    table
        One row an encoder (3 to 2,000). Columns of numbers are used; truth values and text are not.
    target
        The column to correlate with, such as ``linear_acc``. Columns go by their names as texts: 0 is ``0``.
    lower_is_better
        The column, or columns, to negate. The two defaults are skipped where the table lacks them; any other
        name must be a numeric column.
    confidence
        Of the bootstrap intervals.
    bootstrap
        Resamples of rows, 100 to 20,000. One set of resamples serves all columns without missing values.
    seed
        Of the resamples.

    Returns
    -------
    pandas.DataFrame
        One row a column, in the table's order: ``column``; ``sign`` (-1 where it was negated); ``n`` rows
        used and ``missing`` rows left out; for each coefficient its value, ``_low`` and ``_high`` of the BCa
        bootstrap interval (:func:`mitools.statistics.bootstrap.bca_interval` says why), ``_loo_low`` and
        ``_loo_high``, the range over leaving each row out, ``_p``, the two-sided p-value
        (:func:`mitools.statistics.coefficients.p_values`), and ``_p_holm``, Holm-adjusted over the columns;
        ``note``, why a value is absent or to be read with care. Absent values are NaN and always have a note.

    Raises
    ------
    InputError
        When the target is missing, not numeric, constant or has fewer than three values; when a name of
        `lower_is_better` is no numeric column; when a column name occurs twice; when an option is out of
        range, or not of its form.
    """
    target, negated = str(target), _names(lower_is_better)
    whole_number(seed, "seed")
    table = table.rename(columns=str)
    numeric = _check(table, target, negated, confidence, bootstrap)
    oriented = {
        name: (-1 if name in negated else 1) * table[name].to_numpy(np.float64, na_value=np.nan)
        for name in numeric
    }
    y = oriented.pop(target)
    rows = [
        {"column": name, "sign": -1 if name in negated else 1}
        | _one_column(x, y, confidence, bootstrap, seed)
        for name, x in oriented.items()
    ]
    result = pd.DataFrame(rows, columns=list(CORRELATION_COLUMNS))
    for name in COEFFICIENT_NAMES:
        result[f"{name}_p_holm"] = holm(result[f"{name}_p"])
    return result


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Names of the columns that hold real numbers; truth values do not count."""
    kinds = pd.api.types
    return [
        str(name)
        for name, dtype in table.dtypes.items()
        if kinds.is_numeric_dtype(dtype)
        and not kinds.is_bool_dtype(dtype)
        and not kinds.is_complex_dtype(dtype)
    ]


def measure_columns(table: pd.DataFrame, target: str) -> list[str]:
    """Name the columns of numbers that are measures: no limits of an interval, counts or seconds.

    Parameters
    ----------
    table
        One row an encoder.
    target
        A column that stays, whatever it is.

    Examples
    --------
    >>> columns = ["encoder", "n", "i_class_bits", "i_class_low", "i_class_high", "seconds", "linear_acc"]
    >>> measure_columns(pd.DataFrame([["net", 100, 2.0, 1.9, 2.1, 3.5, 0.8]], columns=columns), "linear_acc")
    ['i_class_bits', 'linear_acc']
    """
    numeric = numeric_columns(table)
    stems = {name.removesuffix("_bits") for name in numeric}
    # An interval may also stand alone, of a difference that has no column: both ends of it are there then.
    stems |= {name.removesuffix("_low") for name in numeric if f"{name.removesuffix('_low')}_high" in numeric}
    limits = {f"{stem}_{end}" for stem in stems for end in ("low", "high")}
    left_out = {name for name in numeric if name.startswith("n_") or name.endswith(_ENDS_OF_NO_MEASURES)}
    return [name for name in numeric if name == target or name not in NO_MEASURES | limits | left_out]


def _names(columns: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(columns, str):  # one name, and not its letters
        return (columns,)
    if not isinstance(columns, Iterable):
        raise InputError(f"lower_is_better is a {type(columns).__name__}; give names of columns")
    return tuple(map(str, columns))


def _check(
    table: pd.DataFrame, target: str, negated: tuple[str, ...], confidence: float, bootstrap: int
) -> list[str]:
    """Refuse what cannot be correlated; return the numeric columns."""
    if not (isinstance(confidence, float | int | np.number) and 0 < confidence < 1):
        raise InputError(f"confidence={confidence} must lie between 0 and 1")
    if not 100 <= whole_number(bootstrap, "bootstrap") <= MOST_RESAMPLES:
        raise InputError(f"bootstrap={bootstrap} must lie between 100 and {MOST_RESAMPLES:,} resamples")
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        raise InputError(f"column {twice[0]!r} occurs twice; rename one of the two")
    numeric = numeric_columns(table)
    required = negated if negated != LOWER_IS_BETTER else ()
    for role, name in [("target", target), *(("lower_is_better", name) for name in required)]:
        if name not in table.columns:
            raise InputError(
                f"{role}: no column {name!r} in the table; did you mean {nearest(name, numeric)}?"
            )
        if name not in numeric:
            raise InputError(f"{role}: column {name!r} holds no numbers; numeric are {', '.join(numeric)}")
    values = table[target].to_numpy(np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    if len(values) < 3:
        raise InputError(
            f"target: column {target!r} has {len(values)} finite values, but a correlation needs three rows"
        )
    if np.ptp(values) == 0:
        raise InputError(f"target: column {target!r} is constant, so nothing can go with it")
    if len(table) > MOST_ROWS:
        raise InputError(
            f"the table has {len(table):,} rows, but at most {MOST_ROWS:,} (one an encoder) are expected;"
            " average or sample them"
        )
    return numeric


def _one_column(x: Floats, y: Floats, confidence: float, bootstrap: int, seed: int) -> dict[str, Any]:
    """One row of the result, but for its name, its sign and Holm's adjustment."""
    complete = np.isfinite(x) & np.isfinite(y)
    x, y = x[complete], y[complete]
    n = len(x)
    row: dict[str, Any] = {"n": n, "missing": int((~complete).sum())}
    if n < 3:
        return row | {"note": f"only {n} complete rows: a correlation needs three"}
    for values, what in [(x, "the column"), (y, "the target")]:
        if values.min() == values.max():
            return row | {"note": f"{what} is constant over these rows: no correlation is defined"}
    points = coefficients(x, y, np.ones((1, n)))[:, 0]
    resampled = coefficients(x, y, resample_counts(n, bootstrap, seed))
    left_out = coefficients(x, y, 1.0 - np.eye(n))
    without_interval = []
    for name, point, draws, without, p in zip(
        COEFFICIENT_NAMES, points, resampled, left_out, p_values(x, y), strict=True
    ):
        low, high = bca_interval(point, draws, without, confidence)
        defined = without[np.isfinite(without)]
        row |= {name: point, f"{name}_low": low, f"{name}_high": high, f"{name}_p": p}
        row |= {
            f"{name}_loo_low": defined.min() if len(defined) else np.nan,
            f"{name}_loo_high": defined.max() if len(defined) else np.nan,
        }
        if np.isnan(low):
            without_interval.append(name)
    notes = []
    if n < FEW_ROWS:
        notes.append(f"fewer than {FEW_ROWS} rows: too few for an interval, and points alone show little")
    elif without_interval:
        names = " and ".join(name.capitalize() for name in without_interval)
        notes.append(f"no interval for {names}: all resamples agree, read the p-value")
    return row | {"note": "; ".join(notes)}
