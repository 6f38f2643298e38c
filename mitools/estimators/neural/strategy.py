"""Where estimators that train critics differ: their scalings, their first critic, their reading."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.neural.critic_choice import CriticStart
from mitools.estimators.neural.methods import CriticMethod
from mitools.estimators.neural.plan import Scaling, SplitFit


class CriticStrategy(Protocol):
    """How critics of one kind are scaled for, started and read; see :class:`.CrossFittedEstimator`."""

    @property
    def name(self) -> str:
        """What the estimate calls the method."""
        ...

    @property
    def method(self) -> CriticMethod:
        """What a step maximises, and what is read; the same for all folds but for :meth:`method_for`."""
        ...

    def check(self, x: RowTable, y: RowTable) -> None:
        """Refuse rows that the method cannot read.

        Raises
        ------
        InputError
            With what it can read, or what reads them.
        """
        ...

    def scale_x(self, train: NDArray[np.float32]) -> Scaling:
        """Fit what is done to x on training rows, shape (n, d_x)."""
        ...

    def scale_y(self, train: NDArray[np.float32]) -> Scaling:
        """Fit what is done to y on training rows, shape (n, d_y)."""
        ...

    def method_for(self, scale_y: Scaling) -> CriticMethod:
        """Give the method as it reads y of this scaling."""
        ...

    def start(self, fit: SplitFit) -> CriticStart:
        """Make a critic as it is before its first step, on the device of the fit's tables."""
        ...
