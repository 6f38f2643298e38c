"""What AutoAugment and CTC do to transfer, together and alone, in words that intervals over seeds allow."""

import pandas as pd

from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, VANILLA
from mitools.analyses.cui2022.settings_table import (
    Transfer,
    at_end,
    bits,
    fall,
    points,
    seeds_said,
    targets_of,
)
from mitools.analyses.shared.paired_seeds import over_seeds

NAMES = {
    VANILLA: "cross-entropy alone",
    CTC: "CTC",
    f"{VANILLA}-auto": "cross-entropy with AutoAugment",
    f"{CTC}-auto": "CTC with AutoAugment",
}


def describe(table: pd.DataFrame) -> str:
    """Say what AutoAugment does to the source, to the fall of transfer and to its end, and what CTC adds.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    """
    sentences = [_source(table)]
    for target in targets_of(table):
        sentences += [_falls(table, target), _ends(table, target)]
    return " ".join([*sentences, seeds_said(table)])


def _source(table: pd.DataFrame) -> str:
    accuracies = [
        f"{at_end(table, setting, SOURCE_DATA, 'test_acc').mean():.1%} by {name}"
        for setting, name in NAMES.items()
    ]
    said = []
    for method in (VANILLA, CTC):
        with_auto, without = (
            at_end(table, f"{method}{end}", SOURCE_DATA, "test_acc") for end in ("-auto", "")
        )
        said.append(f"{points(over_seeds(with_auto - without))} for {NAMES[method]}")
    kept = {
        method: over_seeds(
            at_end(table, f"{method}-auto", SOURCE_DATA, "input_bits")
            - at_end(table, method, SOURCE_DATA, "input_bits")
        )
        for method in (VANILLA, CTC)
    }
    return (
        f"At equal epochs source accuracy is {', '.join(accuracies)}: AutoAugment changes it by"
        f" {' and '.join(said)}, and the bound on I(X;T) on the source by {bits(kept[VANILLA])} and"
        f" {bits(kept[CTC])}."
    )


def _falls(table: pd.DataFrame, target: str) -> str:
    """Compare the falls of cross-entropy without and with AutoAugment: a difference of differences."""
    without = Transfer.of(lambda column: fall(table, VANILLA, target, column))
    with_auto = Transfer.of(lambda column: fall(table, f"{VANILLA}-auto", target, column))
    less = Transfer.of(
        lambda column: fall(table, f"{VANILLA}-auto", target, column) - fall(table, VANILLA, target, column)
    )
    if without.sign >= 0:
        verdict = "no fall is seen without it that it could lessen"
    else:
        verdict = {
            1: "it falls less with AutoAugment",
            0: "that it falls less with AutoAugment is not seen",
            -1: "it falls more with AutoAugment",
        }[less.sign]
    return (
        f"Transfer of cross-entropy to {target} changes from its best epoch to the last by {without}, and"
        f" with AutoAugment by {with_auto}, a difference of {less}: {verdict}."
    )


def _ends(table: pd.DataFrame, target: str) -> str:
    def gain(one: str, other: str) -> Transfer:
        return Transfer.of(
            lambda column: at_end(table, one, target, column) - at_end(table, other, target, column)
        )

    auto = gain(f"{VANILLA}-auto", VANILLA)
    ctc, both = gain(CTC, VANILLA), gain(f"{CTC}-auto", f"{VANILLA}-auto")
    verdict = {1: "CTC adds to AutoAugment", 0: "CTC is not seen to add to it", -1: "CTC takes from it"}[
        both.sign
    ]
    limit = "" if both.sign > 0 else f" (a gain above {100 * both.largest:.1f} points is excluded)"
    return (
        f"At the last epoch AutoAugment changes transfer to {target} by {auto}, CTC alone by {ctc}, and CTC"
        f" beside AutoAugment by {both}: {_effect(auto)}, and {verdict}{limit}."
    )


def _effect(auto: Transfer) -> str:
    return {
        1: "AutoAugment helps",
        0: "AutoAugment is not seen to help or harm",
        -1: "AutoAugment harms",
    }[auto.sign]
