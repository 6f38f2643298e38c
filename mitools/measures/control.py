"""A trained network against the same network untrained: what of the certificate training has brought."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.base import LabelledData
from mitools.datasets.selection import Selection
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import AnyEncoder
from mitools.encoders.untrained_twin import untrained_twin
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.warnings import two_sided
from mitools.measures.certificate import fit_certificate
from mitools.measures.measured import Difference, Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings

CONTROL_ITEMS, CONTROL_CLASSES = 2_000, 100
"""Items and classes that a network and its untrained twin are compared on at the most."""


class Control(NamedTuple):
    """An untrained twin and the items that it is to encode.

    Attributes
    ----------
    twin
        The encoder's architecture with fresh weights.
    data
        Those items of the data, labels counted from 0 among them.
    items
        Shape (m,): which these are.
    """

    twin: Encoder
    data: Selection
    items: NDArray[np.int64]


def control_of(encoder: AnyEncoder, data: LabelledData, seed: int) -> Control | None:
    """Make an encoder's untrained twin and choose its items; None where nothing was trained.

    Parameters
    ----------
    encoder
        Left as it is.
    data
        Of the audit or study.
    seed
        Of the fresh weights.
    """
    twin = untrained_twin(encoder, seed)
    if twin is None:
        return None
    items = control_items(data.labels)
    kept, labels = np.unique(data.labels[items], return_inverse=True)
    names = [data.classes[label] for label in kept]
    return Control(twin, Selection(data, items, labels.astype(np.int64), names), items)


def control_items(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the items of a control: 2,000 at the most, spread evenly over 100 classes at the most."""
    classes = np.unique(np.linspace(0, labels.max(), CONTROL_CLASSES).round())
    items = np.flatnonzero(np.isin(labels, classes))
    items = items[np.argsort(labels[items], kind="stable")]
    count = min(len(items), CONTROL_ITEMS)
    return np.sort(items[(2 * np.arange(count) + 1) * len(items) // (2 * count)])


def compare_with_untrained(representation: Representation, settings: MeasureSettings) -> Measured:
    """Certify a network and its untrained twin on the same items, and compare the two item by item.

    The items are split anew among themselves, so that the certificate of the network on them is not that of
    the audit unless they are all items.
    """
    assert representation.untrained is not None
    rows, labels, items = representation.untrained
    groups = representation.parts.groups_of(items)
    if groups is not None:
        groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    parts = certificate_splits(labels, settings.seed, groups)
    own = fit_certificate(RowTable(representation.rows, items), labels, parts, settings)
    untrained = fit_certificate(rows, labels, parts, settings)
    gain = own.dv_estimate_.nats - untrained.dv_estimate_.nats
    paired = float(np.linalg.norm(own.influence_ - untrained.influence_)) / len(own.influence_)
    unseen = [Reading.of(one.dv_estimate_, one.influence_).unseen for one in (own, untrained)]
    interval = two_sided(gain, math.hypot(paired, *unseen))
    return Measured(
        {"control_i_class": untrained.dv_estimate_, "control_gain": Difference(gain, interval)},
        warnings={"control": ["no_better_than_untrained"] if interval.low <= 0 else []},
    )
