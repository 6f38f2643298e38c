"""Names for the arrays that estimators pass around, so that a signature says what an array holds."""

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
"""Real numbers in single precision: features, and rows as critics see them."""

Doubles = NDArray[np.float64]
"""Real numbers in double precision: influences, probabilities, and what a closed form reads."""

Floats = NDArray[np.floating]
"""Real numbers in either precision."""

RowNumbers = NDArray[np.int64]
"""Which rows of a table, or which items: counted from 0."""

WholeNumbers = NDArray[np.int64]
"""Counts, labels 0..C-1 or symbols 0..K-1."""
