"""What measures return: numbers by the name of their measure, and what comes with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Estimate, Interval
from mitools.core.result_store import Values
from mitools.estimators.class_information.item_readings import ItemReadings


class Difference(NamedTuple):
    """How much more one representation carries than another, read on the same items.

    Attributes
    ----------
    nats
        The difference.
    interval_nats
        Paired: what is hard about an item for both cancels.
    """

    nats: float
    interval_nats: Interval

    @property
    def bits(self) -> float:
        """The difference in bits."""
        return nats_to_bits(self.nats)

    @property
    def interval_bits(self) -> Interval:
        """Its interval in bits."""
        low, high, confidence = self.interval_nats
        return Interval(nats_to_bits(low), nats_to_bits(high), confidence)

    def to_dict(self) -> Values:
        """Give the difference as JSON values."""
        low, high, confidence = self.interval_nats
        return {"nats": self.nats, "low_nats": low, "high_nats": high, "confidence": confidence}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read a difference back from :meth:`to_dict`."""
        return cls(values["nats"], Interval(values["low_nats"], values["high_nats"], values["confidence"]))


Number = Estimate | Difference | float


@dataclass(frozen=True)
class Measured:
    """The numbers of one representation.

    Attributes
    ----------
    numbers
        By the name of the measure: an :class:`~mitools.core.estimate.Estimate`, a :class:`Difference` or a
        plain number.
    influence_nats
        Shape (n_report,), of ``i_class``: differences between representations on one split have their
        intervals from these. None where it was not asked for.
    warnings
        What is wrong with the features, or with the control: words by their subject. An estimate carries
        its own.
    items
        What the classifier behind ``i_class`` says of every item. None where it was not asked for, and in
        documents that were kept before it was.
    """

    numbers: Mapping[str, Number]
    influence_nats: NDArray[np.float64] | None = None
    warnings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    items: ItemReadings | None = None

    def __getitem__(self, name: str) -> Number:
        """Give a number by the name of its measure."""
        return self.numbers[name]

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The estimates of mutual information alone."""
        return {name: value for name, value in self.numbers.items() if isinstance(value, Estimate)}

    @property
    def metrics(self) -> dict[str, float]:
        """The plain numbers alone."""
        return {name: value for name, value in self.numbers.items() if isinstance(value, int | float)}

    def only(self, names: Sequence[str]) -> "Measured":
        """Keep the numbers of these measures, in their order, and all that comes with them.

        One that is not defined on such features has no number, but a warning.
        """
        influence, items = (self.influence_nats, self.items) if "i_class" in names else (None, None)
        kept = {name: self.numbers[name] for name in names if name in self.numbers}
        return Measured(kept, influence, self.warnings, items)

    @classmethod
    def together(cls, parts: Iterable["Measured"]) -> "Measured":
        """Join numbers of one representation."""
        numbers: dict[str, Number] = {}
        warnings: dict[str, Sequence[str]] = {}
        influence, items = None, None
        for part in parts:
            numbers |= part.numbers
            warnings |= part.warnings
            influence = part.influence_nats if influence is None else influence
            items = part.items if items is None else items
        return cls(numbers, influence, warnings, items)

    def to_dict(self) -> Values:
        """Give everything as JSON values."""
        differences = {name: one for name, one in self.numbers.items() if isinstance(one, Difference)}
        return {
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "differences": {name: difference.to_dict() for name, difference in differences.items()},
            "metrics": self.metrics,
            "influence_nats": None if self.influence_nats is None else self.influence_nats.tolist(),
            "warnings": {subject: list(words) for subject, words in self.warnings.items()},
            "items": None if self.items is None else self.items.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Measured":
        """Read everything back from :meth:`to_dict`."""
        numbers: dict[str, Number] = {
            name: Estimate.from_dict(kept) for name, kept in values["estimates"].items()
        }
        numbers |= {name: Difference.from_dict(kept) for name, kept in values["differences"].items()}
        influence, items = values["influence_nats"], values.get("items")
        return cls(
            numbers | values["metrics"],
            None if influence is None else np.array(influence),
            values["warnings"],
            None if items is None else ItemReadings.from_dict(items),
        )
