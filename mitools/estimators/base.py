"""What every estimator is: scikit-learn's conventions around an Estimate."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.estimators.dependence.dependent_rows import dependence_warnings


class FittedAttributes:
    """Attributes that :meth:`fit` makes: asked for before, they raise NotFittedError, which says to fit."""

    if not TYPE_CHECKING:  # a type checker would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            if name.endswith("_") and not name.startswith("_"):
                check_is_fitted(self)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


class MIEstimator(FittedAttributes, BaseEstimator):
    """An estimator of mutual information.

    Hyper-parameters are set in ``__init__``, :meth:`fit` returns self, results end in an underscore (and
    raise :class:`sklearn.exceptions.NotFittedError` before), and :func:`sklearn.base.clone` works.

    Attributes
    ----------
    estimate_
        The reading of the last fit.
    """

    estimate_: Estimate

    @abstractmethod
    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Estimate I(X;Y) from paired rows, and keep the result in ``estimate_``.

        Those that can read rows that are not independent take ``groups=`` or ``block=`` as well; those that
        look for such rows on their own take ``dependent=``, what is known of them.
        """

    def estimate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        block: int | None = None,
        dependent: Sequence[EstimateWarning] | None = None,
    ) -> Estimate:
        """Fit, and return the estimate; rows that are not independent are told where nobody named them.

        Parameters
        ----------
        x
            Shape (n, d_x) or (n,).
        y
            Shape (n, d_y) or (n,); row i belongs to row i of `x`.
        groups
            Shape (n,): which rows depend on each other (one image's, one patient's, one clip's). None where
            every row stands alone.
        block
            For rows in the order of time: after how many they hardly depend on each other any more.
        dependent
            What is known of how the rows depend on each other, which is then not looked for again: see
            :func:`.dependence_warnings`. Without groups and block.

        Raises
        ------
        InputError
            When the rows, groups or the block are malformed, or the estimator takes none.
        """
        fit: Any = self.fit
        takes = signature(fit).parameters
        given = {name: one for name, one in (("groups", groups), ("block", block)) if one is not None}
        for name in given:
            if name not in takes:
                raise InputError(
                    f"{type(self).__name__} takes no {name}; take auto, or what `mitools guide rows` names"
                )
        if given:
            self.estimate_ = fit(x, y, **given).estimate_
        elif "dependent" in takes:
            self.estimate_ = fit(x, y, dependent=dependent).estimate_
        else:
            found = fit(x, y).estimate_
            told = dependence_warnings(x, y) if dependent is None else tuple(dependent)
            self.estimate_ = replace(found, warnings=found.warnings + told)
        return self.estimate_

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Give what is read of new rows, in bits.

        An estimator that trained something reads the new rows by it: a critic that never met them. Its bound
        is read with the new rows as each other's product of the marginals, so that they should be many.
        An estimator that trains nothing estimates from the new rows alone. A score has no interval and no
        warnings: a number to compare estimators or settings by, while ``estimate_`` is the one to report.

        Parameters
        ----------
        x, y
            New rows, as for :meth:`fit`; row i of `y` belongs to row i of `x`.

        Returns
        -------
        float
            Bits.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InputError
            When the rows are malformed, or not like those that were fitted to.
        """
        check_is_fitted(self)
        return nats_to_bits(self._read_new_rows(x, y))

    def _read_new_rows(self, x: ArrayLike, y: ArrayLike) -> float:
        """Read new rows, in nats; of those who train nothing, an estimate of these rows."""
        return clone(self).fit(x, y).estimate_.nats

    def settings(self) -> dict[str, Any]:
        """Return the hyper-parameters as JSON values, for the estimate's record."""
        return {key: _json_value(value) for key, value in self.get_params(deep=False).items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return value if isinstance(value, str | int | float | None) else " ".join(repr(value).split())
