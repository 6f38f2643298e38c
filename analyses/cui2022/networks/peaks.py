"""The best epoch of every network on every target, against its last."""

from typing import Any

import pandas as pd

from mitools.analyses.cui2022.changes import SOURCE_DATA, TRANSFER_QUANTITIES
from mitools.analyses.cui2022.settings_table import at_end, best_rows, fall, targets_of
from mitools.analyses.shared.paired_seeds import CONFIDENCE, over_seeds

QUANTITIES = {**dict.fromkeys(TRANSFER_QUANTITIES, "targets"), "input_bits": "all", "label_bits": "all"}
"""What is set beside its best epoch, and on which data."""


def peaks(table: pd.DataFrame) -> pd.DataFrame:
    """Lay out one row a network, method, data set and quantity.

    The best epoch of each seed is chosen on *select* (I(X;T) by itself, all else by I(T;Y)), and both epochs
    are read on *report*.

    Parameters
    ----------
    table
        As ``results.csv`` has it.

    Returns
    -------
    pandas.DataFrame
        ``network``, ``method``, ``data``, ``quantity``, ``best_epoch`` and ``latest_best_epoch`` (those of
        the seeds lie between them), ``last_epoch``, ``at_best`` and ``at_last`` (means), ``difference`` with
        ``low`` and ``high``, the interval over seeds at 95%, and ``wide_low`` and ``wide_high``, which hold
        for all networks of a method together in 95% (Bonferroni), and ``seeds``.
    """
    rows: list[dict[str, Any]] = []
    count = int(table["network"].nunique())
    for (setting, network, method), own in table.groupby(["setting", "network", "method"], sort=False):
        for data in (SOURCE_DATA, *targets_of(table)):
            for quantity, where in QUANTITIES.items():
                if data == SOURCE_DATA and where == "targets":
                    continue
                by = "input_select_bits" if quantity == "input_bits" else "label_select_bits"
                best, end = best_rows(own, setting, data, by), at_end(own, setting, data, quantity)
                change = fall(own, setting, data, quantity)
                mean = over_seeds(change)
                wide = over_seeds(change, 1 - (1 - CONFIDENCE) / count)
                rows.append(
                    {
                        "network": network,
                        "method": method,
                        "data": data,
                        "quantity": quantity,
                        "best_epoch": int(best["epoch"].min()),
                        "latest_best_epoch": int(best["epoch"].max()),
                        "last_epoch": int(own["epoch"].max()),
                        "at_best": best[quantity].mean(),
                        "at_last": end.mean(),
                        "difference": mean.mean,
                        "low": mean.low,
                        "high": mean.high,
                        "wide_low": wide.low,
                        "wide_high": wide.high,
                        "seeds": len(change),
                    }
                )
    return pd.DataFrame(rows)
