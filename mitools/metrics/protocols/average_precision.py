"""Average precision of a ranking, by the two rules of PASCAL VOC."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.inputs.validation import same_length

Rule = Literal["eleven_points", "all_points"]

RECALLS = np.linspace(0, 1, 11)
"""At which VOC 2007 reads precision."""


def average_precision(scores: ArrayLike, positive: ArrayLike, rule: Rule = "eleven_points") -> float:
    """Average precision of items ranked by a score; higher is better, in [0, 1].

    Precision at a recall is the highest one at that recall or a higher one. ``eleven_points`` averages it
    over the recalls 0, 0.1, ..., 1, as VOC did until 2009; ``all_points`` is the area under it, as from 2010.
    Items of one score are ranked together, so that their order says nothing.

    Parameters
    ----------
    scores, positive
        Shape (n,): the higher, the more surely the item has the label; whether it has it.
    rule
        See above.

    Raises
    ------
    InputError
        When no item is positive, lengths differ, or scores are not finite.

    References
    ----------
    Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 2010, section 4.2.

    Examples
    --------
    >>> average_precision([3, 2, 1], [1, 0, 1], "all_points")  # (1 + 2/3) / 2
    0.8333333333333333
    >>> round(average_precision([3, 2, 1], [1, 0, 1]), 4)  # (6 + 5 * 2/3) / 11
    0.8485
    """
    check_name("rule of average precision", rule, get_args(Rule))
    score, has = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    same_length(len(score), len(has), "scores", "positive")
    if not np.isfinite(score).all():
        raise InputError("scores are not finite; average precision needs numbers")
    if not has.any():
        raise InputError("no item has the label, and nothing can be ranked; leave the class out")
    recall, precision = _curve(score, has)
    if rule == "all_points":
        return float(np.sum(np.diff(recall, prepend=0.0) * precision))
    place = np.searchsorted(recall, RECALLS - 1e-12)
    return float(precision[place].mean())


def _curve(score: NDArray[np.float64], has: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """Give recall after every distinct score, and the highest precision at that recall or a higher one."""
    order = np.argsort(-score, kind="stable")
    last_of_ties: NDArray[np.intp] = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    found = np.cumsum(has[order])[last_of_ties]
    precision = found / (last_of_ties + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return found / has.sum(), highest
