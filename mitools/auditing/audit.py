"""What an audit on classes found out, of one encoder and of all together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.base import AuditedLayer, EncoderAudit
from mitools.auditing.examples import Example
from mitools.comparing.encoder_set import EncoderSet
from mitools.estimators.class_information.item_readings import ItemReadings
from mitools.estimators.inputs.splits import Parts


@dataclass(frozen=True)
class AuditedEncoder(AuditedLayer):
    """What the audit found out about one encoder, or about one layer of it.

    Attributes
    ----------
    row, estimates, influence_nats
        As :class:`mitools.auditing.base.AuditedLayer` has them; the influences are those of the certificate.
    load_report
        How a checkpoint was read, or None.
    items
        What the classifier behind the certificate says of every item; None in results that were kept
        before it was asked.
    features
        Shape (n, d): of all items, possibly mapped from a file; None in rows of an earlier audit.
    spec
        As the encoder was named; what lies in memory has its name.
    """

    load_report: Mapping[str, Any] | None
    items: ItemReadings | None = None
    features: NDArray[Any] | None = None
    spec: str = ""

    def document(self) -> dict[str, Any]:
        """Give what ``estimates.json`` has of it, as JSON values."""
        return {**super().document(), "load_report": self.load_report}


@dataclass(frozen=True)
class Audit(EncoderAudit[AuditedEncoder]):
    """The audited encoders in the order asked for, layer by layer; and what failed, with the reason.

    Attributes
    ----------
    data, encoders, failures
        As :class:`mitools.auditing.base.EncoderAudit` has them.
    views
        The views whose pairs were measured.
    classes, labels
        The names of the classes, and the class of every item, shape (n,).
    parts
        The split of the items, that of every encoder.
    prior
        The class distribution that is meant.
    conditions
        What the numbers depend on beside the encoders, as JSON values: digest of the data, seed, prior,
        device, precision.
    examples
        Some items to show; see :mod:`mitools.auditing.examples`.
    """

    views: Sequence[str] = ()
    classes: Sequence[str] = ()
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    parts: Parts | None = None
    prior: str = "empirical"
    conditions: Mapping[str, Any] = field(default_factory=dict)
    examples: Sequence[Example] = ()

    def encoder_set(self) -> EncoderSet:
        """Give the features of every network's last layer, to compare them on the same items.

        Rows that an earlier audit left in the folder are left out: their features are not at hand.

        Raises
        ------
        InputError
            When there is one network; with the reasons of those that failed.
        """
        rows = {one.title: one.features for one in self.last_layers() if one.features is not None}
        assert self.parts is not None
        return EncoderSet(rows, self.labels, self.parts).checked(self.failures)
