"""One pass of a frozen encoder over a data set, kept on disk and gone on with after a stop."""

import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from mitools.backends.devices import resolve_device
from mitools.backends.lending import device_of
from mitools.backends.precision import require_precision
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.datasets.opened_files import require_unchanged
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import AnyEncoder
from mitools.encoders.sources.builtin_pca import PrincipalComponents
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.features.encoding import BATCH_SIZE, LayerRows, encoded
from mitools.features.probe import probed_digests
from mitools.features.store import FeatureDtype, FeatureStore, feature_key, resume_together
from mitools.views.item_views import ItemViews

SHARD_BYTES = 1 << 28
"""After so much of its widest layer a pass is sealed: a stop loses what came after."""


@dataclass(frozen=True)
class Features:
    """What an encoder makes of a data set.

    Attributes
    ----------
    values
        Shape (n, V, d), float32 or float16, possibly mapped from a file; V is 1 without views.
    labels
        Shape (n,), int64.
    key
        The digest of all they depend on.
    encoded
        Whether the encoder ran; False when they were kept from before or came from a file.
    seconds
        Wall-clock time of the whole pass, fitting and verifying included.
    """

    values: NDArray[np.floating]
    labels: NDArray[np.int64]
    key: str
    encoded: bool
    seconds: float


class PassOptions(TypedDict, total=False):
    """How a pass is made; every one may be left out.

    Attributes
    ----------
    views
        Encode these views of every image in place of the image itself; they are drawn of images that have
        the encoder's size and are normalised afterwards, as in training.
    fit_on
        The training items, for an encoder that is fitted.
    device
        As :func:`mitools.backends.devices.resolve_device` reads it; the CPU unless said. A module of the
        caller's own runs where it lies.
    batch_size
        Images in work at a time, all views counted (256); on a CPU its cores share them.
    workers
        Processes that read and decode; with 0 the calling thread does, while the encoder computes.
    precision
        ``float32``, ``bf16`` or ``float16``: what the network computes in. Part of the key.
    kept_as
        ``float32`` or ``float16``: what is written. Part of the key.
    advance
        Called with the encoder's name, the items done and n.
    """

    views: ItemViews | None
    fit_on: NDArray[np.int64] | None
    device: str
    batch_size: int
    workers: int
    precision: str
    kept_as: FeatureDtype
    advance: Advance | None


def extract(
    encoder: AnyEncoder, data: LabelledData, *, store: FeatureStore, **options: Unpack[PassOptions]
) -> Features:
    """Encode every item once, or read the features kept from an earlier pass.

    A pass that was stopped goes on behind its last shard of 256 MiB, and memory stays that of a few batches.

    Parameters
    ----------
    encoder
        A frozen encoder of one layer, or one that is fitted first to the items `fit_on`.
    data
        n labelled items.
    store
        Where features are kept.
    options
        See :class:`PassOptions`.

    Raises
    ------
    InputError
        When an item cannot be read or a file of the data was changed during the pass, the encoder cannot
        read such items or has several layers, its output is not one finite row an item, or does not fit the
        precision asked for.
    """
    if len(_layers(encoder)) > 1:
        raise InputError(f"encoder {encoder.name} has {len(_layers(encoder))} layers; take extract_layers")
    (features,) = extract_layers(encoder, data, store=store, **options).values()
    return features


def extract_layers(
    encoder: AnyEncoder, data: LabelledData, *, store: FeatureStore, **options: Unpack[PassOptions]
) -> dict[str, Features]:
    """Encode every item once and keep every layer of the encoder: the features by layer, in its order.

    All layers come from one pass, which only those that are not kept yet are written from. Parameters and
    errors are those of :func:`extract`.
    """
    start = time.perf_counter()
    views = options.get("views")
    if isinstance(encoder, PrecomputedFeatures):
        return {"output": _precomputed(encoder, data, views, start)}
    keys = feature_keys(encoder, data, options)
    kept = {layer: store.read(key) for layer, key in keys.items()}
    missing = {layer: keys[layer] for layer, found in kept.items() if found is None}
    if missing:
        require_precision(options.get("precision", "float32"), device_of_pass(encoder, options))
        encode_into(store, missing, encoder.fitted(data, options.get("fit_on")), data, options)
    features = {}
    for layer, key in keys.items():
        found = kept[layer] or store.read(key)
        if found is None:
            raise InputError(f"{store.path(key)}: does not read back as written; is the disk failing?")
        seconds = time.perf_counter() - start
        features[layer] = Features(found.values, found.labels, key, layer in missing, seconds)
    return features


def feature_keys(
    encoder: Encoder | PrincipalComponents, data: LabelledData, options: PassOptions
) -> dict[str, str]:
    """Name the features of every layer by all they depend on.

    Raises
    ------
    InputError
        When the encoder is fitted, and no items are said to be for training.
    """
    views = options.get("views")
    precision, kept_as = options.get("precision", "float32"), options.get("kept_as", "float32")
    digests = _digests(encoder, data, options)
    return {
        layer: feature_key(
            encoder=digests[layer],
            preprocess=encoder.preprocess.key,
            layer=layer,
            data=data.digest,
            views=views.key if views else "none",
            precision=precision if kept_as == "float32" else f"{precision}, kept as {kept_as}",
        )
        for layer in _layers(encoder)
    }


def _digests(
    encoder: Encoder | PrincipalComponents, data: LabelledData, options: PassOptions
) -> dict[str, str]:
    """Digest the network, by layer; one in memory by what it makes of some items as well."""
    if isinstance(encoder, Encoder) and encoder.borrowed:
        where, precision = device_of_pass(encoder, options), options.get("precision", "float32")
        return probed_digests(encoder, data, where, precision)
    return dict.fromkeys(_layers(encoder), encoder.fitted_digest(data, options.get("fit_on")))


def device_of_pass(encoder: AnyEncoder, options: PassOptions) -> torch.device:
    """Where a network runs: the caller's own where it lies."""
    if isinstance(encoder, Encoder) and encoder.borrowed:
        return device_of(encoder.module)
    return resolve_device(options.get("device", "cpu"))


def _layers(encoder: AnyEncoder) -> tuple[str, ...]:
    return encoder.layers if isinstance(encoder, Encoder) else ("output",)


def encode_into(
    store: FeatureStore,
    keys: Mapping[str, str],
    encoder: Encoder,
    data: LabelledData,
    options: PassOptions,
    items: range | None = None,
) -> None:
    """Run the network over items, all unless said, and write the layers named, each under its key.

    Raises
    ------
    InputError
        As :func:`extract`.
    """
    items = range(len(data)) if items is None else items
    views, advance = options.get("views"), options.get("advance")
    kept_as: FeatureDtype = options.get("kept_as", "float32")
    labels = data.labels[items.start : items.stop]
    encoder.require_readable(data, views)
    with ExitStack() as files:
        writers = {
            layer: files.enter_context(store.write(key, labels, kept_as)) for layer, key in keys.items()
        }
        done = resume_together(list(writers.values()))
        since_seal = 0
        passed = encoded(
            encoder,
            data,
            views,
            items=items[done:],
            device=device_of_pass(encoder, options),
            batch_size=options.get("batch_size", BATCH_SIZE),
            workers=options.get("workers", 0),
            precision=options.get("precision", "float32"),
        )
        for batch in files.enter_context(closing(passed)):
            for layer, writer in writers.items():
                writer.append(_as_kept(batch[layer], kept_as, encoder.name))
            done += len(next(iter(batch.values())))
            since_seal += _widest(batch)
            if since_seal >= SHARD_BYTES and done < len(items):
                require_unchanged(data)
                for writer in writers.values():
                    writer.seal()
                since_seal = 0
            if advance:
                advance(f"encoding by {encoder.name}", done, len(items))
        require_unchanged(data)


def _as_kept(rows: NDArray[np.float32], dtype: FeatureDtype, name: str) -> NDArray[np.floating]:
    if dtype == "float32":
        return rows
    with np.errstate(over="ignore"):
        kept = rows.astype(np.float16)
    if not np.isfinite(kept).all():
        raise InputError(
            f"encoder {name} gives values up to {abs(rows).max():.3g}, which float16 cannot keep"
        )
    return kept


def _widest(batch: LayerRows) -> int:
    return max(rows.nbytes for rows in batch.values())


def _precomputed(
    encoder: PrecomputedFeatures, data: LabelledData, views: ItemViews | None, start: float
) -> Features:
    if views is not None:
        raise InputError(f"{encoder.spec}: rows already computed have no augmented views")
    values = encoder.rows_for(data)[:, None, :]
    key = feature_key(
        encoder=encoder.digest,
        preprocess="none",
        layer="output",
        data=data.digest,
        views="none",
        precision="float32",
    )
    return Features(values, data.labels, key, False, time.perf_counter() - start)
