"""What views of low and high frequencies say, in words that the intervals allow."""

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
from mitools.analyses.shared.finding import listed
from mitools.analyses.tian2020_infomin.pairs_and_accuracy import AVERAGED
from mitools.statistics.peak import FEWEST_POINTS, PeakTest, peak_test

SHARED_MOST_AT, BEST_AT = 0.7, 1.0
"""Widths at which the paper finds most information and the highest accuracy, in pixels of 64 x 64 images."""

MORE = PaperSays("peak inside", "in Fig. 9 it peaks inside")
LESS = PaperSays("rises", "in Fig. 9 it rises with what they share")


def describe(table: pd.DataFrame) -> str:
    """Say what blur and residual share, where accuracy is highest, and which course it takes on either side.

    Parameters
    ----------
    table
        One row a width and seed, as ``results.csv`` has them; ``setting`` is the width.
    """
    found = by_width(table)
    return " ".join(
        [_shared(found), _label(found), extremes(found, "widths"), _accuracy(found), _sides(found),
         _in_training(found), seeds_counted(table)]
    )  # fmt: skip


def by_width(table: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of every width, in the order of ``sigma``; ``setting`` is its name."""
    found = per_setting(table, averaged=AVERAGED)
    found["sigma"] = found["setting"].astype(float)
    found["setting"] = [f"{sigma:g}" for sigma in found["sigma"]]
    return found.sort_values("sigma", ignore_index=True)


def _shared(found: pd.DataFrame) -> str:
    readings = [
        f"{row['setting']} {row['shared_bits']:.2f} ({row['shared_low']:.2f} to {row['shared_high']:.2f})"
        for _, row in found.iterrows()
    ]
    stderr = (found["shared_high"] - found["shared_low"]) / (2 * Z95)
    shape = peak_test(np.log2(found["sigma"]), found["shared_bits"], stderr)
    return (
        "Read by InfoNCE of small networks that are fitted to them once a run, blur and residual share at"
        f" least, in bits by the width of the blur: {listed(readings)}; the ceiling is"
        f" {found['shared_ceiling'].iloc[0]:.2f}. Over the widths, what they share: {_course(shape)}."
        f" {_beside('In Fig. 9 they share most', SHARED_MOST_AT, shape)}"
    )


def _label(found: pd.DataFrame) -> str:
    image = found.iloc[0]
    return (
        f"Of the label the same networks read {span(found['label_v1_bits'])} bits in the blur and"
        f" {span(found['label_v2_bits'])} in the residual, and {image['label_image_bits']:.2f}"
        f" ({image['label_image_low']:.2f} to {image['label_image_high']:.2f}) in the image."
    )


def _accuracy(found: pd.DataFrame) -> str:
    shape = peak_test(np.log2(found["sigma"]), found["linear_acc"], found["linear_acc_stderr"])
    return (
        f"Over the widths, accuracy: {_course(shape)}."
        f" {_beside('In Fig. 9 accuracy is highest', BEST_AT, shape)}"
    )


def _course(shape: PeakTest) -> str:
    """Say a shape over the logarithm of the width, a peak's place as a width."""
    if shape.shape != "peak inside":
        return str(shape)
    at, low, high = (2**x for x in (shape.peak_x, shape.peak_low, shape.peak_high))
    return (
        f"a peak inside, at {at:.2g} ({low:.2g} to {high:.2g}); a course without one is refused (p ="
        f" {shape.p_peak:.2g})"
    )


def _beside(what: str, at: float, shape: PeakTest) -> str:
    """Say where the paper's peak lies, and whether it is found there: within the interval of its place."""
    inside = shape.shape == "peak inside"
    if inside and not shape.peak_low <= np.log2(at) <= shape.peak_high:
        return f"{what} at {at:g}; here the peak lies elsewhere."
    return PaperSays("peak inside", f"{what} at {at:g}").beside(shape)


def _sides(found: pd.DataFrame) -> str:
    """Test accuracy over what is shared on either side of the width at which most is."""
    top = int(found["shared_bits"].idxmax())
    sides = {
        "With blurs of this width and wider": (found.iloc[top:], MORE),
        "With blurs of this width and narrower": (found.iloc[: top + 1], LESS),
    }
    most = found["setting"].iloc[top]
    said = " ".join(f"{where}, {_side(side, paper)}" for where, (side, paper) in sides.items())
    return f"They share most at {most}. {said}"


def _side(side: pd.DataFrame, paper: PaperSays) -> str:
    if len(side) < FEWEST_POINTS:
        return f"there are too few widths ({len(side)}) to test a course over what the views share."
    shape = shape_over(side, "shared")
    return (
        f"accuracy over the bits that the views share: {shape}; {paper.beside(shape)}"
        f"{same_before_training(side, 'shared', shape)}"
    )


def _in_training(found: pd.DataFrame) -> str:
    stderr = (found["in_training_high"] - found["in_training_low"]) / (2 * Z95)
    shape = peak_test(np.log2(found["sigma"]), found["in_training_bits"], stderr.clip(lower=1e-3))
    ceiling = found["in_training_ceiling"].iloc[0]
    return (
        f"The loss itself, the paper's axis, shows {span(found['in_training_bits'])} bits over the last"
        f" epoch, of at most {ceiling:.2f}, on the batches that it was trained on; over the widths,"
        f" {_course(shape)}. Accuracy over these bits: {shape_over(found, 'in_training')}."
    )
