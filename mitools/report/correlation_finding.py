"""Which columns go with a target, in a sentence that claims no more than Holm's p-values tell."""

import pandas as pd

from mitools.report.finding import NAMED_ENCODERS, listed
from mitools.statistics.coefficients import COEFFICIENT_NAMES
from mitools.statistics.correlation import FEW_ROWS


def correlation_finding(table: pd.DataFrame, target: str, confidence: float = 0.95) -> str:
    """Say which columns go with a target by all three coefficients, after Holm's adjustment.

    Parameters
    ----------
    table
        As :func:`mitools.statistics.correlation.correlate` gives it.
    target
        The column that they are correlated with.
    confidence
        Of the table's intervals: what is told has Holm's p below ``1 - confidence``.

    Examples
    --------
    >>> rows = pd.DataFrame({"column": ["a", "b"], "n": 20, "pearson": [0.9, 0.1]})
    >>> for name in COEFFICIENT_NAMES:
    ...     rows[f"{name}_p_holm"] = [0.001, 0.6]
    >>> correlation_finding(rows[:1], "accuracy", confidence=0.9)
    "a (Pearson 0.90) goes with accuracy: all three coefficients are told from 0 (Holm's p below 0.1)."
    >>> correlation_finding(rows[1:], "accuracy")
    "No column is seen to go with accuracy by all three coefficients (Holm's p below 0.05)."
    """
    defined = table[table["pearson"].notna()]
    if defined.empty:
        return f"No column has a correlation with {target}."
    known = defined[defined["n"] >= FEW_ROWS]
    if known.empty:
        return f"Fewer than {FEW_ROWS} rows do not tell which columns go with {target}."
    level = f"Holm's p below {1 - confidence:.3g}"
    told = known[(known[[f"{name}_p_holm" for name in COEFFICIENT_NAMES]] < 1 - confidence).all(axis=1)]
    if told.empty:
        return f"No column is seen to go with {target} by all three coefficients ({level})."
    told = told.reindex(told["pearson"].abs().sort_values(ascending=False).index)
    names = [f"{row.column} (Pearson {row.pearson:.2f})" for row in told.itertuples()]
    verb = "goes" if len(names) == 1 else "go"
    left = len(known) - len(told)
    others = f" {left} other column{'s are' if left != 1 else ' is'} not seen to." if left else ""
    who = listed(names) if len(names) <= NAMED_ENCODERS else f"{len(names)} columns, {names[0]} first,"
    return f"{who} {verb} with {target}: all three coefficients are told from 0 ({level}).{others}"
