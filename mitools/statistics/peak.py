"""Whether a quantity rises, falls, or peaks inside, as another grows: tested, never assumed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError

Shape = Literal["peak inside", "valley inside", "rises", "falls", "cannot be told"]

FEWEST_POINTS = 4
"""Points that a peak inside can be told from a rise or a fall by."""


@dataclass(frozen=True)
class PeakTest:
    """What may be said of the shape of y over x.

    Attributes
    ----------
    shape
        ``peak inside``: every monotone course is refused for one that rises and then falls, or, in a ``valley
        inside``, falls and then rises. ``rises`` or ``falls``: no change at all is refused, and no turn is
        needed. ``cannot be told`` otherwise.
    p_peak, p_valley
        How often y of a monotone course would ask for a peak, or a valley, as much as these do, by chance.
    p_flat
        How often y that do not change would ask for a rise or a fall as much as these do.
    peak_x
        Where the fitted course is highest: the middle of its top.
    peak_low, peak_high
        Between which 95% of the resampled courses have their top.
    """

    shape: Shape
    p_peak: float
    p_valley: float
    p_flat: float
    peak_x: float
    peak_low: float
    peak_high: float

    def __str__(self) -> str:
        if self.shape == "peak inside":
            return (
                f"a peak inside, at {self.peak_x:.3g} ({self.peak_low:.3g} to {self.peak_high:.3g}); a course"
                f" without one is refused (p = {self.p_peak:.2g})"
            )
        if self.shape == "valley inside":
            return f"a valley inside; a course without one is refused (p = {self.p_valley:.2g})"
        unseen = f"a peak inside is not seen (p = {self.p_peak:.2g})"
        if self.shape == "cannot be told":
            return (
                f"no shape can be told: no change at all is not refused (p = {self.p_flat:.2g}), and {unseen}"
            )
        return f"it {self.shape}: no change at all is refused (p = {self.p_flat:.2g}), and {unseen}"


def peak_test(
    x: ArrayLike,
    y: ArrayLike,
    y_stderr: ArrayLike,
    x_stderr: ArrayLike | None = None,
    *,
    level: float = 0.05,
    resamples: int = 500,
    seed: int = 0,
) -> PeakTest:
    """Test whether y peaks inside the range of x, against a course that only rises or only falls.

    Courses are fitted by weighted isotonic regression: the best that rises, the best that falls, and the best
    that rises up to some point and falls from there. What a peak gains over the better monotone course, in
    weighted squares, is held against what it gains on y drawn about that monotone course with their standard
    errors, at x drawn with theirs: a parametric bootstrap, in which the monotone course is taken to be the
    fitted one and, where x has errors, also the same y in order, as a steep course has them whose x are out
    of theirs; both must be refused. A valley is tested alike, and either at half the level, so that both
    together keep it.

    Parameters
    ----------
    x, y
        Shape (n,) each, in any order.
    y_stderr, x_stderr
        Standard errors, shape (n,) or one for all; those of y positive, x is exact when None.
    level
        At which a course is refused.
    resamples, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        When there are fewer than four points, x does not vary, or something is not finite.

    References
    ----------
    Robertson, Wright, Dykstra: Order Restricted Statistical Inference, 1988; the question is that of Tian et
    al. 2020 (What Makes for Good Views), Sec. 3.3.

    Examples
    --------
    >>> x = np.arange(7.0)
    >>> peak_test(x, -((x - 3) ** 2), 0.5).shape, peak_test(x, x, 0.5).shape
    ('peak inside', 'rises')
    """
    x, y, y_stderr, x_stderr = _checked(x, y, y_stderr, x_stderr)
    rng = np.random.default_rng(seed)
    order = np.argsort(x, kind="stable")
    weights = 1 / y_stderr**2
    fit = _Fits(y[order][None], weights[order][None])
    flat = np.full(len(y), np.average(y, weights=weights))
    monotone = np.empty(len(y))
    monotone[order] = fit.monotone[0]
    drawn_x = x + x_stderr * rng.standard_normal((resamples, len(x)))
    noise = y_stderr * rng.standard_normal((resamples, len(y)))
    orders = np.argsort(drawn_x, axis=1, kind="stable")

    def fits_about(course: NDArray[np.float64]) -> _Fits:
        return _Fits(np.take_along_axis(course + noise, orders, axis=1), weights[orders])

    def p_value(null: NDArray[np.float64], gain: NDArray[np.float64]) -> float:
        return float((1 + (null >= gain - 1e-12).sum()) / (1 + resamples))

    courses = [monotone]
    if x_stderr.any():
        # Points out of order, by their x maybe, are level in the fit: drawn about it they ask for no turn.
        rearranged = np.empty(len(y))
        rearranged[order] = np.sort(y) if fit.rises[0] else np.sort(y)[::-1]
        courses.append(rearranged)
    about, drawn = [fits_about(course) for course in courses], fits_about(y)
    p_peak = max(p_value(fits.peak_gain, fit.peak_gain) for fits in about)
    p_valley = max(p_value(fits.valley_gain, fit.valley_gain) for fits in about)
    p_flat = p_value(fits_about(flat).change_gain, fit.change_gain)
    tops = _tops(np.take_along_axis(drawn_x, orders, axis=1), drawn.peak)
    low, high = np.quantile(tops, [0.025, 0.975]).tolist()
    shape = _shape(bool(fit.rises[0]), p_peak, p_valley, p_flat, level)
    return PeakTest(shape, p_peak, p_valley, p_flat, float(_tops(x[order][None], fit.peak)[0]), low, high)


def _shape(rises: bool, p_peak: float, p_valley: float, p_flat: float, level: float) -> Shape:
    if min(p_peak, p_valley) < level / 2:
        return "peak inside" if p_peak <= p_valley else "valley inside"
    if p_flat < level:
        return "rises" if rises else "falls"
    return "cannot be told"


class _Fits:
    """Courses of many y, (r, n) in order of x, fitted by weighted squares, all at once."""

    def __init__(self, y: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        self.y, self.weights = y, weights
        self._rising, self._falling = _rising_starts(y, weights), -_rising_starts(-y, weights)
        up, down = self._rising[:, -1], self._falling[:, -1]
        self.rises = self._loss(up) <= self._loss(down)
        self.monotone = np.where(self.rises[:, None], up, down)

    @cached_property
    def peak(self) -> NDArray[np.float64]:
        """The best course that rises, turns, and falls."""
        return self._turning(self._rising, _rising_starts(self.y[:, ::-1], self.weights[:, ::-1]))

    @property
    def peak_gain(self) -> NDArray[np.float64]:
        """What a peak takes off the loss of the monotone course."""
        return self._loss(self.monotone) - self._loss(self.peak)

    @property
    def valley_gain(self) -> NDArray[np.float64]:
        """What a valley takes off the loss of the monotone course."""
        ends = -_rising_starts(-self.y[:, ::-1], self.weights[:, ::-1])
        return self._loss(self.monotone) - self._loss(self._turning(self._falling, ends))

    @property
    def change_gain(self) -> NDArray[np.float64]:
        """What the monotone course takes off the loss of none."""
        flat = np.average(self.y, weights=self.weights, axis=1)[:, None]
        return self._loss(flat) - self._loss(self.monotone)

    def _turning(self, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
        """Join the fits of the first k and of the last n - k points, for the best k; `ends` from the end."""
        n = self.y.shape[1]
        courses = np.stack(
            [
                np.concatenate([starts[:, k - 1, :k], ends[:, n - k - 1, : n - k][:, ::-1]], axis=1)
                for k in range(1, n)
            ]
        )
        best = np.argmin([self._loss(course) for course in courses], axis=0)
        return courses[best, np.arange(len(self.y))]

    def _loss(self, course: NDArray[np.float64]) -> NDArray[np.float64]:
        loss: NDArray[np.float64] = (self.weights * (self.y - course) ** 2).sum(axis=1)
        return loss


def _rising_starts(y: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit the best rising course to the first 1, 2, ... points: shape (r, n, n), row k - 1 to the first k.

    The value at i is the greatest over a <= i of the least over b >= i of the mean of points a to b
    (the max-min formula of Robertson, Wright, Dykstra 1988).
    """
    n = y.shape[1]
    sums, totals = (np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1) for values in (weights * y, weights))
    first, last = np.tril_indices(n)[::-1]
    means = np.full((len(y), n, n), np.inf)  # where a segment has its end before its start
    means[:, first, last] = (sums[:, last + 1] - sums[:, first]) / (totals[:, last + 1] - totals[:, first])
    found = np.zeros_like(means)
    for k in range(1, n + 1):
        least = np.minimum.accumulate(means[:, :k, k - 1 :: -1], axis=2)[:, :, ::-1]
        found[:, k - 1, :k] = np.where(np.tri(k, dtype=bool).T, least, -np.inf).max(axis=1)
    return found


def _tops(x: NDArray[np.float64], courses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the middle of where each course is highest."""
    top = courses >= courses.max(axis=1, keepdims=True) - 1e-12
    middle: NDArray[np.float64] = (x * top).sum(axis=1) / top.sum(axis=1)
    return middle


def _checked(*given: Any) -> tuple[NDArray[np.float64], ...]:
    x, y = (np.asarray(values, dtype=np.float64) for values in given[:2])
    if x.ndim != 1 or x.shape != y.shape or len(x) < FEWEST_POINTS:
        raise InputError(
            f"x has shape {x.shape} and y {y.shape}; a peak is told by {FEWEST_POINTS} points or more, one y"
            " for every x"
        )
    y_stderr = np.broadcast_to(np.asarray(given[2], dtype=np.float64), x.shape)
    x_stderr = np.broadcast_to(np.asarray(0.0 if given[3] is None else given[3], dtype=np.float64), x.shape)
    if not all(np.isfinite(values).all() for values in (x, y, y_stderr, x_stderr)):
        raise InputError("a value or a standard error is not finite; leave that point out")
    if (y_stderr <= 0).any() or (x_stderr < 0).any():
        raise InputError("the standard errors of y must be positive, and those of x not negative")
    if x.min() == x.max():
        raise InputError("x does not vary; there is no shape over it")
    return x, y, y_stderr, x_stderr
