"""Whether x and y depend on each other as a joint normal does, or in ways that correlations do not show."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_distribution
from scipy.stats import norm, normaltest

from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.rank_normal import normal_scores

CLEAR_LEVEL = 0.02
"""p-value of :func:`left_dependence` below which dependence is told: by chance in one sample of fifty."""

CLEAR_SHAPE_LEVEL = 0.001
"""The same of :func:`shape_left`, whose small p-values are too small by a few times at 300 rows."""

CLEARLY_LINEAR_LEVEL = 0.001
"""Level from which a column counts as one that the other side predicts."""

FEWEST_ROWS_TO_TEST = 20
"""Rows beyond two for every column from which rows are tested: residuals of fewer are hardly such."""

Rows = NDArray[np.float64]


def left_dependence(x: Rows, y: Rows, matched: int = 0) -> float:
    """Test that what a linear fit leaves of either side is independent of the other side.

    For a joint normal it is; columns that are not clearly predicted are taken as they are. Compared are
    values, signs, squares and the squared norm of one side's columns with values, squares and the squared
    norm of the other's residuals, and values times the squared norm with the residuals. Ranks are turned into
    normal scores, whose correlations are about normal with variance 1/n where both sides are independent,
    whatever their distributions are. Residuals are divided by the spread that fitting leaves them. The
    greatest of these correlations counts, corrected for their number (Bonferroni), and that of the squared
    norms, in which a shared scale shows that no single pair of columns tells.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y); no column constant.
    matched
        So many leading columns of x and y are taken in pairs: they are uncorrelated with other columns, and
        what those of a pair share is not tested.

    Returns
    -------
    float
        A p-value; 1 where there is nothing to test.
    """
    return min(1.0, 2 * min(_left_in(y, x, matched), _left_in(x, y, matched)))


def shape_left(x: Rows, y: Rows) -> float:
    """Test that columns which the other side predicts, and their residuals, are normal by skew and tails.

    Only these matter: where y is not predicted from x, a correlation is 0 whatever the shape of y is. The
    leading canonical variates are among them. The test is D'Agostino and Pearson's (1973), corrected for the
    number of columns (Bonferroni).

    Parameters
    ----------
    x, y
        As for :func:`left_dependence`.

    Returns
    -------
    float
        A p-value; 1 where no column is predicted.
    """
    tested = [*_predicted(x, y), *_predicted(y, x)]
    if not tested:
        return 1.0
    p = normaltest(np.column_stack(tested), axis=0).pvalue
    return float(min(1.0, len(p) * p.min()))


def rows_to_test(x: Rows, y: Rows, groups: Groups | None) -> tuple[Rows, Rows] | None:
    """Give the rows that a test may take for independent: one of each group. None where they are too few."""
    if groups is not None:
        first = np.unique(groups, return_index=True)[1]
        x, y = x[first], y[first]
    if len(x) < FEWEST_ROWS_TO_TEST + 2 * (x.shape[1] + y.shape[1]):
        return None
    x, y = x[:, (x != x[:1]).any(axis=0)], y[:, (y != y[:1]).any(axis=0)]
    return (x, y) if x.size and y.size else None


def _left_in(y: Rows, x: Rows, matched: int) -> float:
    """Test x against what x leaves of y: a p-value."""
    # A slope that is chance would put tied values, or those of a peak, in the order of x: y is then kept.
    fitted = _clear(x, y)
    fitted[:matched] = False
    residual = np.where(fitted, _residuals(x, y)[0], y)
    u, e = _white(x), _white(residual)
    size_u, size_e = np.square(u).sum(axis=1)[:, None], np.square(e).sum(axis=1)[:, None]
    x, residual = _scores(x), _scores(residual)
    squares_x, squares_e = _scores(np.square(x)), _scores(np.square(residual))
    # Residuals share nothing with what is linear in x, and so no more than chance with the rest of these.
    signs, cubic = (
        _residuals(u, np.hstack([np.sign(x), x * (size_u - size_u.mean())]))[0]
        .reshape(len(x), 2, -1)
        .swapaxes(0, 1)
    )
    further = [_of_variance_1(signs), _scores(cubic)]
    blocks = [squares_x.T @ residual, x.T @ squares_e, squares_x.T @ squares_e]
    blocks += [feature.T @ residual for feature in further]
    paired = np.arange(matched)
    for block in blocks:
        block[paired, paired] = 0.0
    compared = sum(block.size - matched for block in blocks)
    root = np.sqrt(len(x))
    if compared == 0:
        return 1.0
    p = compared * _two_sided(max(float(np.abs(block).max()) for block in blocks) / root)
    if matched == 0:
        p = 2 * min(p, _two_sided((_scores(size_u).T @ _scores(size_e)).item() / root))
    return min(p, 1.0)


def _predicted(x: Rows, y: Rows) -> list[Rows]:
    """Columns of y that x predicts and their residuals, and the leading canonical variate of y: (n,) each."""
    clear = _clear(x, y)
    if not clear.any():
        return []
    u, v = _white(x), _white(y)
    leading = v @ np.linalg.svd(u.T @ v)[2][0]
    return [*y[:, clear].T, *_residuals(x, y)[0][:, clear].T, leading]


def _clear(x: Rows, y: Rows) -> NDArray[np.bool_]:
    """Say which columns of y are clearly predicted by x: an F-test, shape (d_y,)."""
    n, d = len(x), x.shape[1]
    explained = _residuals(x, y)[1]
    ratio = explained / np.maximum(1 - explained, 1e-12) * (n - d - 1) / d
    clear: NDArray[np.bool_] = f_distribution.sf(ratio, d, n - d - 1) < CLEARLY_LINEAR_LEVEL / y.shape[1]
    return clear


def _residuals(x: Rows, y: Rows) -> tuple[Rows, Rows]:
    """Least squares' residuals of y as spread as those of new rows, and each column's share explained."""
    u = _white(x)
    n = len(u)
    y = y - y.mean(axis=0)
    residual = y - u @ (u.T @ y) / n
    spread = np.square(y).mean(axis=0)
    leverage = (np.square(u).sum(axis=1) + 1) / n
    explained = 1 - np.square(residual).mean(axis=0) / np.maximum(spread, np.finfo(np.float64).tiny)
    return residual / np.sqrt(np.maximum(1 - leverage, 0.05))[:, None], explained


def _white(rows: Rows) -> Rows:
    """Turn rows into uncorrelated ones of variance 1, leaving out directions that hold nothing."""
    rows = rows - rows.mean(axis=0)
    rows = rows / np.maximum(rows.std(axis=0), np.finfo(np.float64).tiny)
    left, scales, _ = np.linalg.svd(rows, full_matrices=False)
    return left[:, scales > scales[0] * max(rows.shape) * np.finfo(np.float64).eps] * np.sqrt(len(rows))


def _scores(rows: Rows) -> Rows:
    """Give normal scores of variance 1; of a column of one value, 0."""
    return _of_variance_1(normal_scores(rows))


def _of_variance_1(rows: Rows) -> Rows:
    rows = rows - rows.mean(axis=0)
    return rows / np.maximum(rows.std(axis=0), 1e-12)


def _two_sided(deviations: float) -> float:
    return float(2 * norm.sf(abs(deviations)))
