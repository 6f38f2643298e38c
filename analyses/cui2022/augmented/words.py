"""What AutoAugment and CTC do to transfer, together and alone, in words that intervals over seeds allow."""

import pandas as pd

from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, VANILLA
from mitools.analyses.cui2022.settings_table import (
    Transfer,
    at_end,
    bits,
    excluded_above,
    falls_of,
    gains_of,
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
    said, kept = [], []
    for method in (VANILLA, CTC):
        gain = gains_of(table, f"{method}-auto", method, SOURCE_DATA)
        said.append(f"{points(over_seeds(gain('test_acc')))} for {NAMES[method]}")
        kept.append(bits(over_seeds(gain("input_bits"))))
    return (
        f"At equal epochs source accuracy is {', '.join(accuracies)}: AutoAugment changes it by"
        f" {' and '.join(said)}, and the bound on I(X;T) on the source by {' and '.join(kept)}."
    )


def _falls(table: pd.DataFrame, target: str) -> str:
    """Compare the falls of cross-entropy without and with AutoAugment: a difference of differences."""
    plain, auto = (falls_of(table, name, target) for name in (VANILLA, f"{VANILLA}-auto"))
    without, with_auto = Transfer.of(plain), Transfer.of(auto)
    less = Transfer.of(lambda column: auto(column) - plain(column))
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
    pairs = ((f"{VANILLA}-auto", VANILLA), (CTC, VANILLA), (f"{CTC}-auto", f"{VANILLA}-auto"))
    auto, ctc, both = (Transfer.of(gains_of(table, one, other, target)) for one, other in pairs)
    verdict = {1: "CTC adds to AutoAugment", 0: "CTC is not seen to add to it", -1: "CTC takes from it"}[
        both.sign
    ]
    limit = "" if both.sign > 0 else excluded_above([both])
    limit = limit and f" ({limit})"
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
