"""A trained network against the same network untrained."""

import math

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.settings import AuditSettings
from mitools.core.entropy import nats_to_bits
from mitools.core.result_store import Values
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.row_table import Table
from mitools.estimators.inputs.splits import split
from mitools.estimators.warnings import two_sided
from mitools.features.extract import Features

CONTROL_ITEMS, CONTROL_CLASSES = 2_000, 100
"""Items and classes that a network and its untrained twin are compared on at the most."""


def control_items(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the items of a control: 2,000 at the most, spread evenly over 100 classes at the most."""
    classes = np.unique(np.linspace(0, labels.max(), CONTROL_CLASSES).round())
    items = np.flatnonzero(np.isin(labels, classes))
    items = items[np.argsort(labels[items], kind="stable")]
    count = min(len(items), CONTROL_ITEMS)
    return np.sort(items[(2 * np.arange(count) + 1) * len(items) // (2 * count)])


def against_untrained(
    features: Features, twin: Features, items: NDArray[np.int64], settings: AuditSettings
) -> Values:
    """Certify a network and its untrained twin on the same items, and compare the two image by image.

    Parameters
    ----------
    features
        Of the network, for all items of the audit.
    twin
        Of the twin, for the items of the control.
    items
        Which items these are.
    settings
        As for the audit.
    """
    labels = twin.labels
    parts = split(len(labels), labels, settings.seed)
    own, untrained = (
        ClassPosterior(prior=settings.prior, seed=settings.seed).fit(rows, labels, parts)
        for rows in (Table(features.values[:, 0], items), twin.values[:, 0])
    )
    gain = own.dv_estimate_.nats - untrained.dv_estimate_.nats
    paired = float(np.linalg.norm(own.influence_ - untrained.influence_)) / len(own.influence_)
    unseen = [Reading.of(one.dv_estimate_, one.influence_).unseen for one in (own, untrained)]
    stderr = math.hypot(paired, *unseen)
    interval = two_sided(gain, stderr)
    low, high = nats_to_bits(interval.low), nats_to_bits(interval.high)
    return {
        "estimates": {"control_i_class": untrained.dv_estimate_.to_dict()},
        "metrics": {
            "control_gain_bits": nats_to_bits(gain),
            "control_gain_low": low,
            "control_gain_high": high,
        },
        "warnings": {"control": ["no_better_than_untrained"] if low <= 0 else []},
    }
