"""What several estimates of one mutual information jointly allow: at least this much, at most that."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Estimate
from mitools.estimators.warnings import INTERVAL_CONFIDENCE


class Limit(NamedTuple):
    """How low or how high the truth may lie.

    Attributes
    ----------
    nats
        The limit.
    method
        The estimate that sets it, or ``entropy``.
    of
        How many estimates were compared for it; each at a risk of 5% over their number (Bonferroni).
    """

    nats: float
    method: str
    of: int

    def to_dict(self) -> dict[str, Any]:
        """Give the limit as JSON values, in bits."""
        return {"bits": nats_to_bits(self.nats), "method": self.method, "of": self.of}


@dataclass(frozen=True)
class Agreement:
    """Several estimates of one mutual information.

    Attributes
    ----------
    lower, upper, points
        The lower bounds, the upper bounds, and what is neither by proof: point estimates and asymptotic
        bounds. In the order given.
    at_least
        What the lower bounds certify together, at 95% one-sided; None without one.
    at_most
        What the upper bounds, and the entropies they know, allow together; None without one.
    """

    lower: tuple[Estimate, ...]
    upper: tuple[Estimate, ...]
    points: tuple[Estimate, ...]
    at_least: Limit | None
    at_most: Limit | None

    @property
    def contradicts(self) -> bool:
        """Whether more is certified than is allowed: an assumption of one of the two fails."""
        return (
            self.at_least is not None and self.at_most is not None and self.at_least.nats > self.at_most.nats
        )

    @property
    def outside(self) -> tuple[str, ...]:
        """Point estimates whose whole interval is below what is certified or above what is allowed."""
        if self.contradicts:
            return ()
        return tuple(found.method for found in self.points if self._is_outside(found))

    def _is_outside(self, found: Estimate) -> bool:
        low, high = (found.interval_nats or (found.nats, found.nats))[:2]
        too_low = self.at_least is not None and high < self.at_least.nats
        return too_low or (self.at_most is not None and low > self.at_most.nats)

    def sentence(self) -> str:
        """Say in one line what is jointly allowed."""
        if self.at_least is None and self.at_most is None:
            return "jointly: nothing is certified: point estimates bound nothing; add a lower bound"
        parts = []
        if self.at_least is not None:
            method, of = self.at_least.method, self.at_least.of
            by = f"of {of} lower bounds, Bonferroni" if of > 1 else f"lower bound {method}"
            parts.append(f"at least {_bits(self.at_least)} bits ({INTERVAL_CONFIDENCE:.0%}, one-sided, {by})")
        if self.at_most is not None:
            method, of = self.at_most.method, self.at_most.of
            by = "the entropy" if method == "entropy" else f"upper bound {method}"
            parts.append(f"at most {_bits(self.at_most)} bits ({by}{', Bonferroni' * (of > 1)})")
        if self.contradicts:
            return f"contradiction: {' but '.join(parts)}; the assumptions of one of them do not hold here"
        text = f"jointly: {' and '.join(parts)}"
        if self.outside:
            text += f"; outside of it: {', '.join(self.outside)}"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Give what is jointly allowed as JSON values."""
        return {
            "at_least": None if self.at_least is None else self.at_least.to_dict(),
            "at_most": None if self.at_most is None else self.at_most.to_dict(),
            "confidence": INTERVAL_CONFIDENCE,
            "contradicts": self.contradicts,
            "outside": list(self.outside),
            "sentence": self.sentence(),
        }


def agreement(estimates: Sequence[Estimate]) -> Agreement:
    """Put estimates of one mutual information together.

    The lower bounds' limit is the greatest of their one-sided confidence limits, each at 95% corrected for
    how many there are; the upper bounds' likewise. An entropy that a bound knows allows no more than itself,
    with certainty. A bound without a standard error sets no limit, and neither does an upper bound on what
    noisy rows share (`noise_variance` in its settings) unless all estimates are about the same noise: rows
    without noise may share more.

    Parameters
    ----------
    estimates
        Of the same pairs, or at least of the same variables.
    """
    lower, upper, points = (
        tuple(found for found in estimates if kind(found))
        for kind in (_is_lower, _is_upper, lambda found: not _is_lower(found) and not _is_upper(found))
    )
    at_least = _limits(lower, sign=-1)
    noises = {found.settings.get("noise_variance") for found in estimates}
    of_these = [found for found in upper if len(noises) == 1 or "noise_variance" not in found.settings]
    at_most = _limits(of_these, sign=1)
    # The entropy that a point estimate comes with is a point estimate itself.
    at_most += [
        Limit(found.entropy_nats, "entropy", 1) for found in lower + upper if found.entropy_nats is not None
    ]
    return Agreement(
        lower,
        upper,
        points,
        max(at_least, key=lambda limit: limit.nats, default=None),
        min(at_most, key=lambda limit: limit.nats, default=None),
    )


def _is_lower(found: Estimate) -> bool:
    return found.kind == "lower bound"


def _is_upper(found: Estimate) -> bool:
    return found.kind == "upper bound"


def _limits(bounds: Sequence[Estimate], sign: int) -> list[Limit]:
    """One-sided confidence limits, below (-1) or above (+1)."""
    usable = [(found, found.stderr_nats) for found in bounds if found.stderr_nats is not None]
    if not usable:
        return []
    reach = NormalDist().inv_cdf(1 - (1 - INTERVAL_CONFIDENCE) / len(usable))
    return [Limit(found.nats + sign * reach * error, found.method, len(usable)) for found, error in usable]


def _bits(limit: Limit) -> str:
    return f"{nats_to_bits(limit.nats) + 0.0:.3f}"
