"""What every audit finds, of classes or of other targets: one row a layer, and all encoders together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import Estimate


@dataclass(frozen=True)
class AuditedLayer:
    """What was found of one encoder, or of one layer of it.

    Attributes
    ----------
    row
        One row of ``results.csv``.
    estimates
        The full estimates behind it, by column.
    influence_nats
        Shape (n_report,), of the certified bound: differences between encoders on one split have intervals
        from these.
    """

    row: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    influence_nats: NDArray[np.float64]

    @property
    def network(self) -> str:
        """The name of the network that it is a layer of."""
        return str(self.row["network"])

    @property
    def title(self) -> str:
        """The name of the network, and of the layer where it has several: what tables call it."""
        return str(self.row["encoder"])

    def in_network(self, network: str) -> Self:
        """Give it as a layer of a network of another name."""
        title = network + self.title.removeprefix(self.network)
        return replace(self, row={**self.row, "encoder": title, "network": network})

    def document(self) -> dict[str, Any]:
        """Give what ``estimates.json`` has of it, as JSON values."""
        return {"estimates": {column: estimate.to_dict() for column, estimate in self.estimates.items()}}


Layer = TypeVar("Layer", bound=AuditedLayer)


@dataclass(frozen=True)
class EncoderAudit(Generic[Layer]):
    """The audited encoders; and what failed, with the reason.

    Attributes
    ----------
    data
        The name of the data.
    encoders
        In the order asked for, layer by layer.
    failures
        What failed, with the reason.
    """

    data: str
    encoders: Sequence[Layer]
    failures: Mapping[str, str]

    def last_layers(self) -> list[Layer]:
        """Give the last layer of every network: the layers of one are no independent encoders."""
        return list({one.network: one for one in self.encoders}.values())
