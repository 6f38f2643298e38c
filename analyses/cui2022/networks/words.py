"""For which networks and targets transfer falls, and where CTC mends it, in words that intervals allow."""

from math import isnan

import pandas as pd

from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, TRANSFER_QUANTITIES, VANILLA
from mitools.analyses.cui2022.settings_table import Transfer, gains_of, seeds_said, targets_of
from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import CONFIDENCE, OverSeeds


def describe(table: pd.DataFrame, peaks: pd.DataFrame) -> str:
    """Count the networks whose transfer falls from its best epoch to the last, a target at a time.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    peaks
        As :func:`mitools.analyses.cui2022.networks.peaks.peaks` gives them.
    """
    networks = list(dict.fromkeys(table["network"]))
    sentences = [_compression(peaks)]
    for target in targets_of(table):
        sentences.append(_falls(peaks, target))
        if CTC in set(table["method"]):
            sentences.append(_mends(table, networks, target))
    together = (
        ""
        if len(networks) == 1 or table["seed"].nunique() == 1
        else (
            f" Each interval is widened so that those of all {len(networks)} networks, of one change and by"
            " one classifier, hold together in 95%."
        )
    )
    both = " A change of transfer counts where both classifiers tell it."
    return " ".join(sentences) + f"{both} {seeds_said(table)}{together}"


def _compression(peaks: pd.DataFrame) -> str:
    own = peaks[
        (peaks["data"] == SOURCE_DATA) & (peaks["quantity"] == "input_bits") & (peaks["method"] == VANILLA)
    ]
    fell = int((own["wide_high"] < 0).sum())
    counted = "" if own["wide_high"].isna().all() else f": it falls for {fell} of {len(own)} networks"
    each = []
    for row in own.itertuples():
        interval = "" if isnan(row.wide_low) else f" ({row.wide_low:+.2f} to {row.wide_high:+.2f})"
        each.append(f"{row.network} {row.difference:+.2f} bits{interval}")
    return (
        "With cross-entropy alone the bound on I(X;T) on the source changes from its best epoch to the last"
        f" by {', '.join(each)}{counted}."
    )


def _falls(peaks: pd.DataFrame, target: str) -> str:
    of_target = peaks[(peaks["data"] == target) & (peaks["method"] == VANILLA)]
    fell: list[str] = []
    rest: list[str] = []
    for network, own in of_target.groupby("network", sort=False):
        found = own.set_index("quantity")
        change = Transfer(
            *(
                OverSeeds(*(found.loc[column, name] for name in ("difference", "wide_low", "wide_high")))
                for column in TRANSFER_QUANTITIES
            )
        )
        row = found.loc["logistic_acc"]
        first, last = row["best_epoch"], row["latest_best_epoch"]
        since = f"epoch {first}" if first == last else f"epochs {first} to {last}"
        (fell if change.sign < 0 else rest).append(f"{network} (best at {since}, then {change})")
    if of_target["wide_low"].isna().all():
        return f"Transfer to {target}, from its best epoch to the last: {'; '.join(rest)}."
    total = len(fell) + len(rest)
    text = f"Transfer to {target} falls from its best epoch to the last for {len(fell)} of {total} networks"
    text += f": {'; '.join(fell)}" if fell else ""
    return text + (f"; it is not seen to fall for {'; '.join(rest)}." if rest else ".")


def _mends(table: pd.DataFrame, networks: list[str], target: str) -> str:
    """Set CTC beside cross-entropy alone, both at the last epoch, for every network."""
    confidence = 1 - (1 - CONFIDENCE) / len(networks)
    said: dict[int, list[str]] = {1: [], 0: [], -1: []}
    for network in networks:
        own = table[table["network"] == network]
        names = {method: rows["setting"].iloc[0] for method, rows in own.groupby("method")}
        change = Transfer.of(gains_of(own, names[CTC], names[VANILLA], target), confidence)
        said[change.sign].append(f"{network} ({change})")
    parts = []
    for sign, what in ((1, "better for"), (-1, "worse for"), (0, "not told apart for")):
        if said[sign]:
            parts.append(f"{what} {listed(said[sign])}")
    return f"There CTC ends, beside cross-entropy alone, {'; '.join(parts)}."
