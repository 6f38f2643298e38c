"""What is read of one representation about its targets: all of them together, and each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import Estimate
from mitools.core.result_store import Values


class OneTarget(NamedTuple):
    """What is read about one target.

    Attributes
    ----------
    name
        Of the target.
    estimates
        By column.
    metrics
        Plain numbers by column; None where one is not defined.
    """

    name: str
    estimates: Mapping[str, Estimate]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class TargetReading:
    """What features say of their items' targets.

    Attributes
    ----------
    estimates
        Of all targets together, by column; ``i_target``, a certified lower bound, is always there.
    metrics
        Plain numbers by column, means over the targets.
    influence_nats
        Shape (n_report,), or (G,) of groups, of ``i_target``: differences between encoders have their
        intervals from these.
    each
        In the order of the targets.
    left_out
        Targets that could not be read, each with the reason.
    """

    estimates: Mapping[str, Estimate]
    metrics: Mapping[str, float]
    influence_nats: NDArray[np.float64]
    each: Sequence[OneTarget]
    left_out: Mapping[str, str]

    def to_dict(self) -> Values:
        """Give everything as JSON values."""
        return {
            "estimates": _written(self.estimates),
            "metrics": dict(self.metrics),
            "influence_nats": self.influence_nats.tolist(),
            "each": [
                {"name": one.name, "estimates": _written(one.estimates), "metrics": dict(one.metrics)}
                for one in self.each
            ],
            "left_out": dict(self.left_out),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read everything back from :meth:`to_dict`."""
        each = [OneTarget(one["name"], _read(one["estimates"]), one["metrics"]) for one in values["each"]]
        influence = np.array(values["influence_nats"], dtype=np.float64)
        return cls(_read(values["estimates"]), values["metrics"], influence, each, values["left_out"])


def _written(estimates: Mapping[str, Estimate]) -> Values:
    return {name: estimate.to_dict() for name, estimate in estimates.items()}


def _read(values: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate.from_dict(kept) for name, kept in values.items()}
