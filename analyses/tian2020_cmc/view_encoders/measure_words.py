"""How the studies of view encoders put a measure, and a difference over seeds, into words."""

import math
from typing import NamedTuple

import pandas as pd

from mitools.analyses.shared.paired_seeds import OverSeeds


class Measure(NamedTuple):
    """A column as words have it: ``name value unit``, the column times `scale`."""

    column: str
    name: str
    unit: str
    scale: float
    digits: int

    @property
    def title(self) -> str:
        """The name at the start of a sentence."""
        return self.name[0].upper() + self.name[1:]

    def number(self, value: float) -> str:
        """Give a value without its unit."""
        return f"{self.scale * value:.{self.digits}f}"

    def value(self, number: float) -> str:
        """Give a value with its unit."""
        return f"{self.number(number)}{self.unit}"

    def change(self, difference: OverSeeds) -> str:
        """Give a difference with its interval, where there is one."""
        mean, low, high = (f"{self.scale * number:+.{self.digits}f}" for number in difference)
        return mean if math.isnan(difference.low) else f"{mean} ({low} to {high})"


BITS = Measure("i_class_bits", "certified I_class", " bits", 1.0, 3)

MEASURES = (
    BITS,
    Measure("pixel_accuracy", "pixel accuracy", "%", 100.0, 1),
    Measure("mean_iou", "mean IoU", "%", 100.0, 1),
)
"""Of studies that segment."""

LABEL_MEASURES = (Measure("linear_acc", "linear accuracy", "%", 100.0, 1), BITS)
"""Of studies that classify."""

IN_TRAINING = Measure("in_training_bits", "the in-training estimate of the last epoch", " bits", 1.0, 2)

VERDICTS = {1: "more", -1: "less", 0: "not told apart"}
"""By the sign of a difference whose interval leaves out 0."""

ONE_SEED = " There is one seed, so no difference has an interval, and nothing is told apart."


def measures_of(table: pd.DataFrame) -> tuple[Measure, ...]:
    """Give the measures of a table: certified bits and segmentation, or bits and linear accuracy."""
    return MEASURES if "mean_iou" in table else LABEL_MEASURES
