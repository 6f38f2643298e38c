"""A trained InfoNCE critic of features and all their targets together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import Estimate
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.measures.critics import QUICK
from mitools.measures.settings import MeasureSettings


def critic_of_targets(
    rows: NDArray[Any],
    values: NDArray[np.float64],
    split: Parts | None,
    groups: NDArray[np.int64] | None,
    settings: MeasureSettings,
) -> Estimate:
    """Bound I(H;Y) by InfoNCE on the pairs of an item's features, (n, d), and its targets, (n, k).

    Raises
    ------
    InputError
        When rows or groups are too few.
    """
    estimator = VariationalEstimator(
        method="infonce",
        critic="separable",
        scaling="standardise",
        device=settings.device,
        seed=settings.seed,
        **(QUICK if settings.quick_critic else {}),
    )
    return estimator.fit(rows, values, parts=split, groups=groups).estimate_
