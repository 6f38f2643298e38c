"""Features from a file in the place of an encoder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.readers.features import FeatureRows, open_features
from mitools.datasets.sources import DATA_SOURCES
from mitools.datasets.targets import Targets, targets_of


@dataclass(frozen=True)
class PrecomputedFeatures:
    """Rows that an encoder of somebody else's has computed.

    Attributes
    ----------
    spec, name, source
        As of :class:`mitools.encoders.encoder.Encoder`.
    digest
        Changes when any row or label of the file does.
    rows
        The features and their labels.
    """

    spec: str
    name: str
    source: str
    digest: str
    rows: FeatureRows

    def rows_for(self, data: LabelledData) -> NDArray[np.floating]:
        """Give the features, shape (n, d), once it is clear that they are those of `data`.

        Raises
        ------
        InputError
            When the number of rows differs, or the labels do, compared by class number and by class name.
        """
        if len(self.rows) != len(data):
            raise InputError(
                f"{self.spec}: {len(self.rows)} rows for the {len(data)} items of {data.name}; "
                "extract the features from the same items"
            )
        own, others = targets_of(self.rows), targets_of(data)
        if own is not None and others is not None:
            self._require_same_targets(own, others, data)
            return self.rows.features
        by_number = self.rows.labels == data.labels
        by_name = _label_names(self.rows) == _label_names(data)
        if not by_number.all() and not by_name.all():
            agreeing = max(by_number, by_name, key=np.count_nonzero)
            raise InputError(
                f"{self.spec}: row {int(np.argmin(agreeing))} and that item of {data.name} differ in label; "
                "features must be in the order of the items"
            )
        return self.rows.features

    def _require_same_targets(self, own: Targets, others: Targets, data: LabelledData) -> None:
        """Refuse rows whose targets are not those of the items."""
        if own.values.shape != others.values.shape:
            raise InputError(
                f"{self.spec}: {own.values.shape[1]} targets, and {data.name} has {others.values.shape[1]};"
                " name the same with label="
            )
        same = np.isclose(own.values, others.values, rtol=1e-5).all(axis=1)
        if not same.all():
            raise InputError(
                f"{self.spec}: row {int(np.argmin(same))} and that item of {data.name} differ in target;"
                " features must be in the order of the items"
            )


def open_precomputed(spec: Spec) -> PrecomputedFeatures:
    """Open ``features:PATH`` as an encoder; the kinds of file are those of the data source of that name.

    Raises
    ------
    InputError
        As :func:`mitools.datasets.readers.features.open_features`.
    """
    spec.only(*DATA_SOURCES["features"].options)
    rows = open_features(spec)
    return PrecomputedFeatures(spec.text, rows.name, spec.source, rows.digest, rows)


def _label_names(data: LabelledData) -> NDArray[np.str_]:
    return np.array(data.classes)[data.labels]
