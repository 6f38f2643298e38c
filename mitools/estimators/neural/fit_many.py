"""Many estimates at once: encoders, layers or seeds whose critics are fitted together."""

import time
from collections.abc import Sequence
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from numpy.typing import ArrayLike
from sklearn.base import clone

from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.pairs import Pairing

AnyCrossFitted = TypeVar("AnyCrossFitted", bound=CrossFittedEstimator)


class Problem(NamedTuple):
    """What one estimate is of: arguments of :meth:`CrossFittedEstimator.fit`, and a seed of its own."""

    x: ArrayLike
    y: ArrayLike
    pairing: Pairing | None = None
    parts: Parts | None = None
    seed: int | None = None


def fit_many(estimator: AnyCrossFitted, problems: Sequence[Problem]) -> list[AnyCrossFitted]:
    """Fit an estimator to several problems together.

    Every number is what fitting the problem alone gives, to rounding (which thousands of steps carry on:
    some thousandths of a nat, far below the standard error). Critics of one shape share their steps, see
    :func:`mitools.estimators.neural.training_loop.fit_critics`; problems of several shapes may be mixed.

    Parameters
    ----------
    estimator
        Whose settings are used; it is left unfitted.
    problems
        All of whose scaled tables are held in memory at a time.

    Returns
    -------
    list
        One a problem, in order. An estimate's ``seconds`` are its share: the time of all over their number.

    Raises
    ------
    InputError
        When one of the problems cannot be fitted; none is returned then.

    Examples
    --------
    >>> import numpy as np
    >>> from mitools.estimators.neural.variational import VariationalEstimator
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 2))
    >>> layers = [x + noise * rng.standard_normal((500, 2)) for noise in (0.5, 2.0)]
    >>> near, far = fit_many(VariationalEstimator(hidden=(16,), folds=1), [Problem(x, y) for y in layers])
    >>> near.estimate_.nats > far.estimate_.nats
    True
    """
    started = time.perf_counter()
    copies = [clone(estimator) for _ in problems]
    for copied, problem in zip(copies, problems, strict=True):
        if problem.seed is not None:
            copied.set_params(seed=problem.seed)
    plans = [
        copied.plan(problem.x, problem.y, problem.pairing, problem.parts)
        for copied, problem in zip(copies, problems, strict=True)
    ]
    fitted = iter(estimator.fit_members([*chain.from_iterable(plan.members for plan in plans)]))
    share = (time.perf_counter() - started) / max(1, len(problems))
    for copied, plan in zip(copies, plans, strict=True):
        copied.conclude(plan, list(islice(fitted, len(plan.members))), share)
    return copies
