"""What the temporal analysis found, in words that follow from paired intervals alone."""

import pandas as pd

from mitools.analyses.cui2022.changes import (
    CTC,
    FALL_QUESTION,
    REMEDY_QUESTION,
    SECOND_STAGE_QUESTION,
    SOURCE_DATA,
    TRANSFER_QUANTITIES,
    VANILLA,
)
from mitools.analyses.cui2022.over_fitting import OVER_FITTING_QUESTION, describe_over_fitting
from mitools.analyses.shared.finding import listed
from mitools.report.words import worded

INTERVALS_CAVEAT = (
    "Intervals are over images, each at 95%; there is one training run each, so they do not cover another"
    " seed."
)

SCHEDULE_CAVEAT = (
    "CTC differs from cross-entropy alone by its learning rates too, which fall in either stage:"
    " stage_weights parts these from the contrast."
)


def seeds_caveat(seeds: int) -> str:
    """Say what intervals over several seeds are those of."""
    return f"Differences are paired by seed; intervals are Student's over {seeds} seeds, each at 95%."


def describe(table: pd.DataFrame, changes: pd.DataFrame) -> str:
    """Say whether over-compression and its remedy were seen, and where not.

    A quantity counts as fallen, or as higher, where its whole paired interval lies on that side of 0;
    transfer where both classifiers agree. Over-compression is seen on a target where its transfer and the
    source's I(X;T) both fell; the remedy, where CTC ends higher in both.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    changes
        As :func:`mitools.analyses.cui2022.changes.changes_over_seeds` gives them, with those of
        :func:`mitools.analyses.cui2022.over_fitting.loss_changes`.
    """
    targets = [name for name in dict.fromkeys(changes["data"]) if name != SOURCE_DATA]
    sentences = [_discriminability(table)]
    fall = _Answers(changes[changes["question"] == FALL_QUESTION])
    remedy = _Answers(changes[changes["question"] == REMEDY_QUESTION])
    second = _Answers(changes[changes["question"] == SECOND_STAGE_QUESTION])

    sentences.append(
        "Cross-entropy alone, last epoch against the best one picked on other images: InfoNCE's lower bound"
        " on I(X;T) on the source"
        f" {fall.describe(SOURCE_DATA, 'input_bits')};"
        f" {'; '.join(f'transfer to {name} {fall.transfer(name)}' for name in targets)}."
    )
    fell = [name for name in targets if fall.sign(name, *TRANSFER_QUANTITIES) < 0]
    compressed = fall.sign(SOURCE_DATA, "input_bits") < 0
    sentences.append(_over_compression(fell, compressed, targets))
    sentences.append(describe_over_fitting(changes[changes["question"] == OVER_FITTING_QUESTION], fell))

    sentences.append(
        "CTC against cross-entropy alone, both at the last epoch: the bound on I(X;T) on the source"
        f" {remedy.describe(SOURCE_DATA, 'input_bits')};"
        f" {'; '.join(f'transfer to {name} {remedy.transfer(name)}' for name in targets)}."
    )
    better = [name for name in targets if remedy.sign(name, *TRANSFER_QUANTITIES) > 0]
    worse = [name for name in targets if remedy.sign(name, *TRANSFER_QUANTITIES) < 0]
    kept = remedy.sign(SOURCE_DATA, "input_bits") > 0
    sentences.append(_remedy(better, worse, kept, fell if compressed else []))
    sentences.append(remedy.excluded([name for name in targets if name not in better]))
    label = listed([f"on {name} {second.describe(name, 'label_bits')}" for name in targets])
    sentences.append(
        f"In CTC's second stage I(X;T) on the source {second.describe(SOURCE_DATA, 'input_bits')}"
        f" and I(T;Y) {label}."
    )
    sentences.append(_untrained(table, targets))
    sentences += _warnings(table)
    sentences.append(SCHEDULE_CAVEAT)
    seeds = int(table["seed"].nunique())
    sentences.append(INTERVALS_CAVEAT if seeds == 1 else seeds_caveat(seeds))
    return " ".join(filter(None, sentences))


class _Answers:
    """The answers to one question."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._rows = rows.set_index(["data", "quantity"])

    def sign(self, data: str, *quantities: str) -> int:
        """Give the side of 0 on which all these intervals lie; 0 where one contains it, or they differ."""
        signs = set()
        for quantity in quantities:
            row = self._rows.loc[data, quantity]
            signs.add(int(row["low"] > 0) - int(row["high"] < 0))
        return signs.pop() if len(signs) == 1 else 0

    def describe(self, data: str, quantity: str) -> str:
        """Say how a quantity changed on a data set, with the interval, and since when."""
        row = self._rows.loc[data, quantity]
        if pd.isna(row["low"]):
            return f"is highest at the last epoch, {row['to_epoch']}"
        accuracy = quantity.endswith("_acc")
        scale, unit = (100, " points") if accuracy else (1, " bits")
        low, high = (f"{scale * row[end]:+.{1 if accuracy else 2}f}" for end in ("low", "high"))
        value = f"{scale * row['difference']:+.{1 if accuracy else 2}f}{unit}"
        since = _since(row)
        return f"changes by {value} ({low} to {high}){since}" if since else f"is {value} ({low} to {high})"

    def transfer(self, data: str) -> str:
        first, second = (self.describe(data, quantity) for quantity in TRANSFER_QUANTITIES)
        if first == second:
            return first
        return f"{first} by the SGD classifier and {second.removeprefix('is ')} by logistic regression"

    def excluded(self, targets: list[str]) -> str:
        """Say how large a gain in transfer the intervals of both classifiers leave no room for."""
        if not targets:
            return ""
        most = []
        for name in targets:
            high = max(self._rows.loc[name, one]["high"] for one in TRANSFER_QUANTITIES)
            most.append(f"{100 * high:+.1f} points on {name}")
        return f"Where it was not seen, a gain in transfer above {listed(most)} is excluded."


def _since(row: pd.Series) -> str:
    first, latest = row["from_epoch"], row["latest_from_epoch"]
    if first == latest:
        return f" since epoch {first}" if first != row["to_epoch"] else ""
    return f" since each seed's best epoch ({first} to {latest})"


def _discriminability(table: pd.DataFrame) -> str:
    source = table[table["data"] == SOURCE_DATA]
    parts = []
    for run, name in ((VANILLA, "cross-entropy alone"), (CTC, "CTC")):
        own = source[source["run"] == run]
        curve = own.groupby("epoch", as_index=False)[["recall_at_1", "nmi"]].mean()
        first, last = curve[curve["epoch"] > 0].iloc[0], curve.iloc[-1]
        parts.append(
            f"{name} R@1 goes from {first['recall_at_1']:.3f} at epoch {first['epoch']:.0f} to"
            f" {last['recall_at_1']:.3f} at epoch {last['epoch']:.0f} and NMI from {first['nmi']:.2f} to"
            f" {last['nmi']:.2f}"
        )
    return f"On the source, with {listed(parts)}."


def _over_compression(fell: list[str], compressed: bool, targets: list[str]) -> str:
    if fell and compressed:
        rest = [name for name in targets if name not in fell]
        text = (
            "Over-compression was seen at this scale, as far as a lower bound can show it (I(X;T) need not"
            f" fall with its bound): the bound fell, and with it transfer to {listed(fell)}"
        )
        return text + (f", but not to {listed(rest)}." if rest else ".")
    if fell:
        return (
            f"Transfer to {listed(fell)} fell, but I(X;T) on the source did not by this reading, so that"
            " over-compression as the cause was not seen at this scale."
        )
    if compressed:
        return (
            "I(X;T) on the source fell, but transfer to none of the targets did by both classifiers, so that"
            " over-compression was not seen at this scale."
        )
    return "Neither fell beyond its interval: over-compression was not seen at this scale."


def _remedy(better: list[str], worse: list[str], kept: bool, compressed: list[str]) -> str:
    mended = [name for name in better if name in compressed]
    if kept and mended:
        text = f"CTC's remedy was seen for {listed(mended)}: it ends with more I(X;T) and better transfer"
    elif kept and better:
        text = (
            f"CTC ends with more I(X;T) and better transfer to {listed(better)}, where no over-compression"
            " was seen to be mended"
        )
    elif better:
        text = (
            f"CTC transfers better to {listed(better)}, but its I(X;T) is not higher by this reading, so that"
            " less compression as the reason was not seen"
        )
    else:
        text = "CTC's remedy was not seen: it transfers better to none of the targets by both classifiers"
    return text + (f"; it transfers worse to {listed(worse)}." if worse else ".")


def _untrained(table: pd.DataFrame, targets: list[str]) -> str:
    own = table[table["run"] == VANILLA]
    start = own[own["epoch"] == 0].groupby("data")["logistic_acc"].mean()
    end = own[own["epoch"] == own["epoch"].max()].groupby("data")["logistic_acc"].mean()
    parts = [f"{start[name]:.1%} on {name} ({end[name]:.1%} trained)" for name in targets]
    return f"Logistic regression on the untrained network reaches {listed(parts)}."


def _warnings(table: pd.DataFrame) -> list[str]:
    """Count the warnings that readings came with."""
    sentences = []
    for column, name in (("input_warnings", "I(X;T)"), ("label_warnings", "I(T;Y)")):
        words = table[column].fillna("").str.split(", ").explode()
        counts = words[words != ""].value_counts()
        if len(counts):
            named = listed([f"{worded(word)} ({count} of {len(table)})" for word, count in counts.items()])
            sentences.append(f"Readings of {name} came with the warnings {named}.")
    return sentences
