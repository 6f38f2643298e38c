"""What stronger augmentations do to the views' information and to accuracy, in words that intervals allow."""

import numpy as np
import pandas as pd

from mitools.analyses.shared.accuracy_by_setting import (
    Z95,
    PaperSays,
    extremes,
    per_setting,
    same_before_training,
    seeds_counted,
    shape_over,
    span,
)
from mitools.estimators.warnings import SATURATED_SHARE
from mitools.statistics.peak import peak_test

AVERAGED = ("in_training", "after")
"""Estimates that every run has of its own."""

TITLES = {"crop": "crop bound", "jitter": "colour jitter", "families": "families of steps"}
"""What people call a curve."""

PAPER = {
    "crop": PaperSays("peak inside", "In Fig. 13 accuracy peaks inside the range of I_NCE"),
    "jitter": PaperSays("peak inside", "In Fig. 14 accuracy peaks inside the range of I_NCE"),
    "families": PaperSays("falls", "In Fig. 12 accuracy falls as I_NCE grows"),
}

WEAKEN = PaperSays("falls", "In the paper stronger settings share less")


def describe(table: pd.DataFrame) -> str:
    """Say for every curve and head what the views share, where accuracy is best, and what shape it has.

    Parameters
    ----------
    table
        One row a point of a curve and seed, as ``results.csv`` has them.
    """
    curves = list(table.groupby(["curve", "head"], sort=False))
    said = [_curve(str(curve), str(head), rows) for (curve, head), rows in curves]
    return "\n".join([*said, seeds_counted(curves[0][1])])


def _curve(curve: str, head: str, rows: pd.DataFrame) -> str:
    found = per_setting(rows, averaged=AVERAGED)
    after, loss = shape_over(found, "after"), shape_over(found, "in_training")
    name = TITLES[curve]
    return (
        f"{name[0].upper()}{name[1:]}, {head} head: {_information(found)} {_by_strength(found, curve)}"
        f" {extremes(found, 'settings')} Over the bits after training, accuracy: {after}. Over the loss's:"
        f" {loss}. {PAPER[curve].beside(after)}{same_before_training(found, 'after', after)}"
    )


def _information(found: pd.DataFrame) -> str:
    ceiling = float(found["after_ceiling"].iloc[0])
    saturated = int((found["after_bits"] > SATURATED_SHARE * ceiling).sum())
    floors = f", {saturated} of {len(found)} within a tenth of it and so floors" if saturated else ""
    return (
        f"two draws share at least {span(found['after_bits'])} bits after training (InfoNCE of the"
        f" trained critic on other images, at most {ceiling:.2f}{floors}), and the loss of the last epoch"
        f" shows {span(found['in_training_bits'])} (in sample, at most"
        f" {found['in_training_ceiling'].iloc[0]:.2f})."
    )


def _by_strength(found: pd.DataFrame, curve: str) -> str:
    """Test the views' bits after training from the weakest setting to the strongest."""
    if curve == "crop":
        order = (-found["setting"].astype(float)).to_numpy()
    elif curve == "jitter":
        order = found["setting"].astype(float).to_numpy()
    else:
        order = np.arange(len(found))
    stderr = (found["after_high"] - found["after_low"]) / (2 * Z95)
    shape = peak_test(np.argsort(np.argsort(order)), found["after_bits"], stderr)
    return f"From the weakest setting to the strongest, these bits: {shape}. {WEAKEN.beside(shape)}"
