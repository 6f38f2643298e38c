"""What every estimator is: scikit-learn's conventions around an Estimate."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from mitools.core.estimate import Estimate


class MIEstimator(BaseEstimator):
    """An estimator of mutual information.

    Hyper-parameters are set in ``__init__``, :meth:`fit` returns self, results end in an underscore,
    and :func:`sklearn.base.clone` works.

    Attributes
    ----------
    estimate_
        The reading of the last fit.
    """

    estimate_: Estimate

    @abstractmethod
    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Estimate I(X;Y) from paired rows, and keep the result in ``estimate_``."""

    def estimate(self, x: ArrayLike, y: ArrayLike) -> Estimate:
        """Fit, and return the estimate.

        Parameters
        ----------
        x
            Shape (n, d_x) or (n,).
        y
            Shape (n, d_y) or (n,); row i belongs to row i of `x`.
        """
        return self.fit(x, y).estimate_

    def settings(self) -> dict[str, Any]:
        """Return the hyper-parameters as JSON values, for the estimate's record."""
        return {key: _json_value(value) for key, value in self.get_params(deep=False).items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return value if isinstance(value, str | int | float | None) else " ".join(repr(value).split())
