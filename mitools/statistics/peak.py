"""Whether a quantity rises, falls, or peaks inside, as another grows: tested, never assumed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

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
    fitted one. A valley is tested alike, and either at half the level, so that both together keep it.

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
    fit = _Fits(y[order], weights[order])
    flat = np.full(len(y), np.average(y, weights=weights))
    monotone = np.empty(len(y))
    monotone[order] = fit.monotone
    drawn_x = x + x_stderr * rng.standard_normal((resamples, len(x)))
    noise = y_stderr * rng.standard_normal((resamples, len(y)))
    orders = np.argsort(drawn_x, axis=1, kind="stable")
    nulls, tops = np.empty((resamples, 3)), np.empty(resamples)
    for k, (places, one) in enumerate(zip(orders, noise, strict=True)):
        about = _Fits((monotone + one)[places], weights[places])
        still = _Fits((flat + one)[places], weights[places])
        nulls[k] = about.peak_gain, about.valley_gain, still.change_gain
        tops[k] = _top(drawn_x[k][places], _Fits((y + one)[places], weights[places]).peak)
    gains = np.array([fit.peak_gain, fit.valley_gain, fit.change_gain])
    p_peak, p_valley, p_flat = ((1 + (nulls >= gains - 1e-12).sum(axis=0)) / (1 + resamples)).tolist()
    low, high = np.quantile(tops, [0.025, 0.975]).tolist()
    shape = _shape(fit, p_peak, p_valley, p_flat, level)
    return PeakTest(shape, p_peak, p_valley, p_flat, _top(x[order], fit.peak), low, high)


def _shape(fit: "_Fits", p_peak: float, p_valley: float, p_flat: float, level: float) -> Shape:
    if min(p_peak, p_valley) < level / 2:
        return "peak inside" if p_peak <= p_valley else "valley inside"
    if p_flat < level:
        return "rises" if fit.rises else "falls"
    return "cannot be told"


class _Fits:
    """Courses of y in order of x, fitted by weighted squares."""

    def __init__(self, y: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        self.y, self.weights = y, weights
        up, down = self._isotonic(slice(None), True), self._isotonic(slice(None), False)
        self.rises = self._loss(up) <= self._loss(down)
        self.monotone = up if self.rises else down

    @cached_property
    def peak(self) -> NDArray[np.float64]:
        """The best course that rises, turns, and falls."""
        return self._turning(rises_first=True)

    @property
    def peak_gain(self) -> float:
        """What a peak takes off the loss of the monotone course."""
        return self._loss(self.monotone) - self._loss(self.peak)

    @property
    def valley_gain(self) -> float:
        """What a valley takes off the loss of the monotone course."""
        return self._loss(self.monotone) - self._loss(self._turning(rises_first=False))

    @property
    def change_gain(self) -> float:
        """What the monotone course takes off the loss of none."""
        flat = np.full(len(self.y), np.average(self.y, weights=self.weights))
        return self._loss(flat) - self._loss(self.monotone)

    def _turning(self, rises_first: bool) -> NDArray[np.float64]:
        courses = (
            np.concatenate(
                [self._isotonic(slice(k), rises_first), self._isotonic(slice(k, None), not rises_first)]
            )
            for k in range(1, len(self.y))
        )
        return min(courses, key=self._loss)

    def _isotonic(self, some: slice, rises: bool) -> NDArray[np.float64]:
        found = isotonic_regression(self.y[some], weights=self.weights[some], increasing=rises)
        return np.asarray(found.x)

    def _loss(self, course: NDArray[np.float64]) -> float:
        return float(self.weights @ (self.y - course) ** 2)


def _top(x: NDArray[np.float64], course: NDArray[np.float64]) -> float:
    """Give the middle of where a course is highest."""
    return float(x[course >= course.max() - 1e-12].mean())


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
