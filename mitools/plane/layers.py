"""The layers that a plane is of: which they are, and what every checkpoint makes of the data in them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.specs import parse_spec
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import SOURCES, open_encoder
from mitools.estimators.inputs.row_table import RowTable
from mitools.features.extract import Features, extract_layers
from mitools.features.store import FeatureStore
from mitools.plane.checkpoints import Checkpoint
from mitools.plane.methods import Limits
from mitools.plane.settings import PlaneSettings


class Layer(NamedTuple):
    """One layer of one checkpoint on one data set."""

    checkpoint: Checkpoint
    name: str
    depth: int
    features: Features

    @property
    def rows(self) -> NDArray[Any]:
        """T, shape (n, d)."""
        return self.features.values[:, 0]


class EncodedLayers(NamedTuple):
    """What the checkpoints make of one data set.

    Attributes
    ----------
    layers
        Every layer of every checkpoint, by the layer's name.
    image_size
        That images are brought to; None for their own.
    failures
        Checkpoints that could not be had, with the reason.
    """

    layers: dict[str, list[Layer]]
    image_size: int | None
    failures: dict[str, str]


def encode_layers(
    checkpoints: Sequence[Checkpoint],
    name: str,
    data: LabelledData,
    layers: str | Sequence[str],
    store: FeatureStore,
    settings: PlaneSettings,
    advance: Advance,
) -> EncodedLayers:
    """Encode a data set by every checkpoint, one pass each.

    Parameters
    ----------
    checkpoints
        In order.
    name, data
        The data set.
    layers
        ``all``, or names.
    store, settings, advance
        As for :func:`mitools.plane.measure.measure_plane`.
    """
    found: dict[str, list[Layer]] = {}
    failures: dict[str, str] = {}
    image_size = None
    for done, checkpoint in enumerate(checkpoints):
        advance(f"{name}: encoding by checkpoints", done, len(checkpoints))
        try:
            encoder = open_encoder(_tapped(checkpoint.encoder, layers))
            seen = extract_layers(
                encoder,
                data,
                store=store,
                device=settings.device,
                batch_size=settings.batch_size,
                workers=settings.workers,
            )
        except InputError as error:
            failures[f"{checkpoint.encoder} on {name}"] = str(error)
            continue
        if isinstance(encoder, Encoder):
            image_size = getattr(encoder.preprocess, "size", None)
        for depth, (layer, features) in enumerate(seen.items()):
            found.setdefault(layer, []).append(Layer(checkpoint, layer, depth, features))
    return EncodedLayers(found, image_size, failures)


def value_limits(layers: Sequence[Layer]) -> Limits:
    """Find the smallest and the largest value over all checkpoints."""
    low, high = np.inf, -np.inf
    for layer in layers:
        for _, rows in RowTable(layer.rows).chunks():
            low, high = min(low, float(rows.min())), max(high, float(rows.max()))
    return low, high


def _tapped(spec: str, layers: str | Sequence[str]) -> str:
    """Ask a spec for its layers, where it does not name any itself and its source has any."""
    parsed = parse_spec(spec, SOURCES)
    if "layer" in parsed.options or "layers" in parsed.options:
        return spec
    if layers == "all" and not SOURCES[parsed.source].has_layers:
        return spec
    names = layers if isinstance(layers, str) else ",".join(layers)
    return f"{spec}{'&' if '?' in spec else '?'}layers={names}"
