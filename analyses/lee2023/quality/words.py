"""What the study of measures says: which go with linear accuracy, and which of them are told apart."""

from collections.abc import Sequence

import pandas as pd

from mitools.analyses.lee2023.quality.together import Quality
from mitools.analyses.shared.finding import listed
from mitools.statistics.correlation_differences import NOT_TOLD, JointCorrelations

OWN = "i_class_bits"
"""The measure of the paper."""

NAMES = {OWN: "I_class", "i_simclr_bits": "I_SimCLR", "label_information_bits": "label information"}
"""What the reading calls columns; others by their own name."""

ONE_CLASSIFIER = (
    "Linear accuracy, label information and I_class are read off one classifier on the same images, which may"
    " bring them together. On halves of the images, with the accuracy of the same half and with that of a"
    " classifier that is fitted and read on the other half, it is"
)
"""What a reader has to know of the three that lie closest; their correlations apart follow."""

SHOWN = 8
"""Measures whose correlations the reading gives; all are in the table."""


def describe(quality: Quality) -> str:
    """Say which measures go with linear accuracy, and which of them are told apart.

    Parameters
    ----------
    quality
        As :func:`mitools.analyses.lee2023.quality.together.correlate_together` returns it.
    """
    joint, (least, most) = quality.joint, quality.accuracies
    text = (
        f"Over {joint.encoders} encoders of {joint.clusters} runs, Pearson's correlation with linear"
        f" accuracy ({least:.1%} to {most:.1%}), turned so that more is better, with 95% intervals over runs"
        f" and images together, is {_values(joint)}. {_verdicts(joint)}."
    )
    if quality.encoder_alone:
        text += f" The intervals of {listed(_names(quality.encoder_alone))} are over runs alone."
    if quality.left_out:
        text += f" Not compared, since some encoder has no number of it: {listed(_names(quality.left_out))}."
    if quality.within is not None:
        text += (
            " Within families (a method on its data), whose means are taken off, it is"
            f" {_values(quality.within)}. {_verdicts(quality.within)}."
        )
    same = quality.table.set_index("measure")["same_half_pearson"]
    return f"{text} {ONE_CLASSIFIER} {_values(quality.apart, same)}. {_verdicts(quality.apart)}."


def _values(joint: JointCorrelations, beside: "pd.Series[float] | None" = None) -> str:
    """Give the correlations of the measures that lie closest, and of the one that is furthest.

    Parameters
    ----------
    joint
        The correlations.
    beside
        By measure: a correlation that is said before each.
    """
    numbers = joint.measures[["pearson", "pearson_low", "pearson_high"]].to_numpy()
    first = {} if beside is None else {name: f"{r:.2f} and " for name, r in beside.items()}
    values = [
        f"{_called(name)} {first.get(name, '')}{r:.2f} ({low:.2f} to {high:.2f})"
        for name, (r, low, high) in zip(joint.measures["measure"], numbers, strict=True)
    ]
    least = f"; least is {values[-1]}" if len(values) > SHOWN else ""
    return listed(values[:SHOWN]) + least


def _verdicts(joint: JointCorrelations) -> str:
    """Say how many pairs of measures are told apart, and which ones from I_class."""
    told = joint.differences[joint.differences["verdict"] != NOT_TOLD]
    pairs = len(joint.differences)
    text = f"{len(told)} of {pairs} pairs of measures are told apart (95% for all together, Holm)"
    if OWN not in set(joint.measures["measure"]):
        return text
    better = _beside(told, OWN, wins=False)
    worse = _beside(told, OWN, wins=True)
    rest = [name for name in joint.measures["measure"] if name not in {OWN, *better, *worse}]
    if worse:
        text += f"; I_class goes better with accuracy than {listed(_names(worse))}"
    if better:
        text += f"; I_class goes worse with accuracy than {listed(_names(better))}"
    if not worse and not better:
        text += "; I_class is not told apart from any other"
    elif rest:
        text += f"; it is not told apart from {listed(_names(rest))}"
    return text


def _beside(told: pd.DataFrame, name: str, *, wins: bool) -> list[str]:
    """Name the measures that one goes better, or worse, with accuracy than."""
    a, b = ("a goes better", "b goes better") if wins else ("b goes better", "a goes better")
    first = told[(told["measure_a"] == name) & (told["verdict"] == a)]
    second = told[(told["measure_b"] == name) & (told["verdict"] == b)]
    return [*first["measure_b"], *second["measure_a"]]


def _names(columns: Sequence[str]) -> list[str]:
    return [_called(name) for name in columns]


def _called(column: str) -> str:
    return NAMES.get(column, column.removesuffix("_bits"))
