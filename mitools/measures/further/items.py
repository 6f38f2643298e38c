"""Which items a measure on demand is taken on, and what becomes of a number that is not defined."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.inputs.splits import at_most
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings

MOST_ITEMS, MOST_ITEMS_WIDE, WIDE = 16_384, 2_048, 4_096
"""Items at the most, also where there are more than 4,096 columns."""


def some_items(
    representation: Representation,
    settings: MeasureSettings,
    of: NDArray[np.int64] | None = None,
    most: int = MOST_ITEMS,
) -> NDArray[np.int64]:
    """Choose the items: all, or of these, and a random part of them where there are too many.

    Parameters
    ----------
    representation
        Its width counts too: see :data:`WIDE`.
    settings
        The seed.
    of
        Item numbers; all when None.
    most
        So many at the most.
    """
    items = np.arange(len(representation.labels)) if of is None else of
    wide = representation.rows.shape[1] > WIDE
    rng = np.random.default_rng([settings.seed, 6])
    return at_most(items, min(most, MOST_ITEMS_WIDE) if wide else most, rng)


def defined(numbers: Mapping[str, float]) -> Measured:
    """Leave out numbers that are not defined on such features, and say which.

    Parameters
    ----------
    numbers
        By the name of their measure; NaN where not defined.
    """
    absent = [name for name, number in numbers.items() if not math.isfinite(number)]
    warnings = {name: ["undefined"] for name in absent}
    return Measured({name: one for name, one in numbers.items() if name not in absent}, warnings=warnings)
