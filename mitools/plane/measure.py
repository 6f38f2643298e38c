"""Where every layer of every checkpoint lies in the information plane, cell by cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance, silent, tell_whole
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import require_classes
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY
from mitools.estimators.inputs.splits import SMALLEST_CLASS
from mitools.features.store import FeatureStore
from mitools.measures.item_split import groups_record
from mitools.measures.registry import REVISION
from mitools.plane.checkpoints import Checkpoint
from mitools.plane.layers import Layer, encode_layers, value_limits
from mitools.plane.methods import (
    DEFAULT_METHODS,
    OF_INPUT,
    Limits,
    PlaneMethod,
    Quantity,
    measures,
    require_methods,
)
from mitools.plane.settings import SOURCE, TRAINED_ON, PlaneSettings
from mitools.plane.subject import Subject

COLUMNS = (
    "encoder", "epoch", "stage", "layer", "depth", "data", "role", "quantity", "method", "kind", "bits",
    "low_bits", "high_bits", "null_bits", "ceiling_bits", "entropy_bits", "n", "n_train", "dim", "measures",
    "seconds", "warnings",
)  # fmt: skip
"""Of the table: one row a checkpoint, layer, data set, quantity and reading."""

ENCODING_SHARE = 0.2
"""How much of a data set's work is taken for encoding, when the time to go is told."""


@dataclass(frozen=True)
class Plane:
    """What was measured.

    Attributes
    ----------
    table
        Columns :data:`COLUMNS`. ``measures`` says of I(X;T) what a finite number measures; ``n`` are the
        items a number is read on; ``role`` is ``source``, ``trained on`` or ``target``.
    failures
        What could not be measured, with the reason.
    """

    table: pd.DataFrame
    failures: Mapping[str, str]


class _Cell(NamedTuple):
    """Where one kept result lies, and of what it is."""

    layer: Layer
    kind: str
    on: dict[str, Any]


def measure_plane(
    checkpoints: Sequence[Checkpoint],
    data: Mapping[str, LabelledData],
    *,
    out: Path,
    store: FeatureStore,
    layers: str | Sequence[str] = "all",
    methods: Sequence[str] = DEFAULT_METHODS,
    settings: PlaneSettings | None = None,
    trained_on: str | None = None,
    advance: Advance | None = None,
) -> Plane:
    """Read I(X;T) and I(T;Y) of every layer at every checkpoint, on every data set, by every method.

    Each network runs once over each data set, for all layers. What was read is kept cell by cell, so that
    a measurement that was stopped goes on from there. Methods with critics fit those of all checkpoints of
    a layer together.

    Parameters
    ----------
    checkpoints
        In order; see :mod:`mitools.plane.checkpoints`.
    data
        By name; ``source`` is what the networks were trained for, all others are targets. Their classes may
        be others, and differ in number.
    out
        Folder under which the cells are kept.
    store
        Where features and inputs are kept.
    layers
        ``all``, or names as :func:`mitools.encoders.layers.taps.tap` takes them.
    methods
        Names of :data:`mitools.plane.methods.PLANE_METHODS`.
    settings
        See :class:`PlaneSettings`.
    trained_on
        The name of those data that the networks were trained on, which figures then say.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When a method or layer is unknown, data cannot be measured on, or nothing could be measured. What
        fails beside others is kept in ``failures``.
    """
    settings = settings or PlaneSettings()
    chosen = require_methods(methods)
    if not checkpoints or not data:
        raise InputError("a plane needs a checkpoint and a data set at least")
    for labelled in data.values():
        require_classes(labelled, SMALLEST_CLASS)
    reader = _PlaneReader(ResultStore(out / "cells"), settings, advance or silent)
    rows: list[Values] = []
    for number, (name, labelled) in enumerate(data.items()):
        tell_whole(reader.advance, f"data set {number + 1} of {len(data)}", number, len(data), ENCODING_SHARE)
        encoded = encode_layers(checkpoints, name, labelled, layers, store, settings, reader.advance)
        reader.failures |= encoded.failures
        if not encoded.layers:
            continue
        subject = Subject(labelled, store, encoded.image_size, settings.seed)
        role = TRAINED_ON if name == trained_on else SOURCE if name == SOURCE else "target"
        of_data, rest = f"data set {number + 1} of {len(data)}", 1 - ENCODING_SHARE
        tell_whole(reader.advance, of_data, number + ENCODING_SHARE, len(data), rest)
        for row in reader.read(chosen, name, subject, encoded.layers):
            rows.append(row | {"data": name, "role": role})
    if not rows:
        first, *more = reader.failures.values()
        raise InputError(first + (f" (and {len(more)} more like it)" if more else ""))
    table = pd.DataFrame(rows)[list(COLUMNS)]
    order = ["data", "depth", "quantity", "method", "epoch"]
    ranks = {name: rank for rank, name in enumerate(data)}
    table = table.sort_values(
        order, ignore_index=True, key=lambda column: column.map(ranks) if column.name == "data" else column
    )
    return Plane(table, reader.failures)


class _PlaneReader:
    """What all data sets of a plane share."""

    def __init__(self, results: ResultStore, settings: PlaneSettings, advance: Advance) -> None:
        self.results, self.settings, self.advance = results, settings, advance
        self.failures: dict[str, str] = {}

    def read(
        self,
        methods: Mapping[str, PlaneMethod],
        data: str,
        subject: Subject,
        taps: Mapping[str, Sequence[Layer]],
    ) -> Iterator[Values]:
        """Yield the rows of the table, without the data's name, by which alone progress is told."""
        wanted = [
            (name, method, quantity, layers)
            for name, method in methods.items()
            for layers in taps.values()
            for quantity in method.quantities
        ]
        limits = (
            {layer: value_limits(of_layer) for layer, of_layer in taps.items()} if "binned" in methods else {}
        )
        for done, (name, method, quantity, layers) in enumerate(wanted):
            layer = layers[0].name
            self.advance(f"{data}: {name}, {quantity} of {layer}", done, len(wanted))
            try:
                yield from self._read_layer(name, method, quantity, subject, layers, limits.get(layer))
            except InputError as error:
                self.failures[f"{name}, {quantity} of {layer} on {subject.data.name}"] = str(error)

    def _read_layer(
        self,
        name: str,
        method: PlaneMethod,
        quantity: Quantity,
        subject: Subject,
        layers: Sequence[Layer],
        limits: Limits,
    ) -> Iterator[Values]:
        cells = [self._cell(name, method, quantity, subject, layer, limits) for layer in layers]
        missing = [cell for cell in cells if self.results.kept(cell.kind, cell.on) is None]
        for group in _groups(missing, method.together):
            rows = [cell.layer.rows for cell in group]
            read = method.read(subject, quantity, rows, self.settings, limits)
            for cell, estimates in zip(group, read, strict=True):
                values = {"estimates": [estimate.to_dict() for estimate in estimates]}
                self.results.cell(cell.kind, cell.on, partial(dict, values))
        for cell in cells:
            kept = self.results.kept(cell.kind, cell.on)
            if kept is None:
                raise InputError(f"{self.results.path(cell.kind, cell.on)}: does not read back as written")
            for values in kept["estimates"]:
                yield self._row(cell.layer, quantity, Estimate.from_dict(values))

    def _cell(
        self,
        name: str,
        method: PlaneMethod,
        quantity: Quantity,
        subject: Subject,
        layer: Layer,
        limits: Limits,
    ) -> _Cell:
        every = asdict(self.settings)
        on: dict[str, Any] = {
            "features": layer.features.key,
            "quantity": quantity,
            "revision": REVISION,
            "settings": {key: every[key] for key in method.settings},
            **groups_record(subject.parts.groups),
        }
        if method.uses_inputs and quantity == OF_INPUT:
            on["inputs"] = subject.input_key
        if name == "binned" and self.settings.bin_range is None:
            on["limits"] = limits
        return _Cell(layer, f"plane-{name}", on)

    def _row(self, layer: Layer, quantity: Quantity, estimate: Estimate) -> Values:
        low, high = estimate.interval_bits[:2] if estimate.interval_bits else (None, None)
        checkpoint = layer.checkpoint
        return {
            "encoder": checkpoint.encoder,
            "epoch": checkpoint.epoch,
            "stage": checkpoint.stage,
            "layer": layer.name,
            "depth": layer.depth,
            "quantity": quantity,
            "method": estimate.method,
            "kind": estimate.kind,
            "bits": estimate.bits,
            "low_bits": low,
            "high_bits": high,
            "null_bits": estimate.null_bits,
            "ceiling_bits": estimate.ceiling_bits,
            "entropy_bits": estimate.entropy_bits,
            "n": estimate.n_report,
            "n_train": estimate.n_train,
            "dim": layer.rows.shape[1],
            "measures": measures(estimate.method, self.settings) if quantity == OF_INPUT else "",
            "seconds": estimate.seconds,
            "warnings": ", ".join(warning.word for warning in estimate.warnings),
        }


def _groups(cells: Sequence[_Cell], together: bool) -> Iterator[Sequence[_Cell]]:
    """Cut cells into those read at a time: one, or as many as fit in memory with their rows."""
    group: list[_Cell] = []
    numbers = 0
    for cell in cells:
        size = cell.layer.rows.size
        if group and (not together or numbers + size > NUMBERS_IN_MEMORY):
            yield group
            group, numbers = [], 0
        group, numbers = [*group, cell], numbers + size
    if group:
        yield group
