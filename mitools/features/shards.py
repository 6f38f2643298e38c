"""Passes over data by shards, on the workers of an engine; joined, they are the file of one long pass."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.backends.engines.base import Engine
from mitools.backends.engines.opened import forget, opened, reading_processes
from mitools.backends.processes import own_device
from mitools.backends.workers import Outcome
from mitools.core.errors import EngineLostError, InputError
from mitools.core.files import FULL_DISK, digest_text
from mitools.core.progress import Advance, silent
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import AnyEncoder, open_encoder
from mitools.encoders.sources.builtin_pca import PrincipalComponents
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.features.encoding import BATCH_SIZE
from mitools.features.extract import PassOptions, encode_into, feature_keys
from mitools.features.store import FeatureStore
from mitools.views.item_views import ItemViews

SHARD_BATCHES = 16
"""Batches of a shard: few enough that a lost worker costs little."""


class Pass(NamedTuple):
    """One pass of an encoder over data, told so that a worker elsewhere can open both by itself.

    Attributes
    ----------
    name, title
        What failures of it are reported under, and what people are shown.
    data, encoder, views, train
        Open the data; the encoder for these data; the views that are encoded in place of the items; and the
        items that an encoder is fitted to which needs it. Functions of modules, or partial ones, pickled.
    """

    name: str
    title: str
    data: Callable[[], LabelledData]
    encoder: Callable[[LabelledData], AnyEncoder]
    views: Callable[[], ItemViews] | None = None
    train: Callable[[LabelledData], NDArray[np.int64]] | None = None

    def open(self, options: PassOptions) -> tuple[AnyEncoder, LabelledData, PassOptions]:
        """Open the encoder and the data, and complete how the pass is made."""
        data = opened(self.data, self.data)
        encoder = opened((self.data, self.encoder), lambda: self.encoder(data))
        own: PassOptions = {**options, "views": self.views() if self.views else None}
        if self.train is not None and not isinstance(encoder, Encoder | PrecomputedFeatures):
            own["fit_on"] = self.train(data)
        return encoder, data, own


def open_encoder_spec(spec: str, data: LabelledData) -> AnyEncoder:
    """Open the encoder that a spec names, whatever the data: for :class:`Pass`."""
    return open_encoder(spec)


class _Shard(NamedTuple):
    """A part of a pass, as a task: `keys` are those of the whole pass, by layer."""

    of: Pass
    options: PassOptions
    root: Path
    keys: Mapping[str, str]
    items: range
    n: int

    def stored_as(self, layer: str) -> str:
        """Give the key of the shard's features of a layer; a shard of all items is the pass itself."""
        if len(self.items) == self.n:
            return self.keys[layer]
        return digest_text("shard", self.keys[layer], f"{self.items.start} to {self.items.stop}")

    @property
    def task_name(self) -> str:
        """Say all that the shard depends on."""
        names = [self.stored_as(layer) for layer in self.keys]
        return f"features-{digest_text(str(self.root), *names)[:32]}"

    @property
    def is_kept(self) -> bool:
        store = FeatureStore(self.root)
        return all(store.path(self.stored_as(layer)).exists() for layer in self.keys)


def extract_on(
    engine: Engine,
    passes: Iterable[Pass],
    *,
    store: FeatureStore,
    options: PassOptions,
    advance: Advance | None = None,
) -> dict[str, Exception]:
    """Make passes by shards on the workers of an engine, and join each into the file of one pass.

    Every job on an engine begins with it: data and encoders are opened anew, here and on the workers.
    Workers open data and encoders by themselves and write into the store, which they share: nothing but names
    and progress passes through the engine. What is kept already is not computed again, shards of an earlier
    try included, whatever the engine was.

    Parameters
    ----------
    engine
        Where to.
    passes
        Two that give the same features are made once.
    store
        Where features are kept.
    options
        How every pass is made, but for its views and what it is fitted to.
    advance
        Told how many items are encoded.

    Returns
    -------
    dict
        By the name of a pass, why it failed.

    Raises
    ------
    EngineLostError
        When the engine has gone, or what workers wrote is not in the store.
    """
    engine.begin_job()
    failures: dict[str, Exception] = {}
    divided: list[tuple[str, list[_Shard]]] = []
    for one in passes:
        try:
            divided.append((one.name, _shards(one, store, options)))
        except InputError as error:
            failures[one.name] = error
    waiting = {shard.task_name: shard for _, shards in divided for shard in shards if not shard.is_kept}
    count = _Count(waiting, advance or silent)
    outcomes = engine.run(_extract_shard, waiting, [store.root], ended=count) if waiting else {}
    for name, shards in divided:
        ended = [outcomes[shard.task_name] for shard in shards if shard.task_name in outcomes]
        errors = [error for error in map(failure_of, ended) if error is not None]
        if errors:
            failures[name] = errors[0]
        else:
            _join(store, shards, options)
    return failures


def failure_of(outcome: Outcome) -> Exception | None:
    """Give the error that a task ended with, which leaves the others alone; a full disk ends all of them.

    Raises
    ------
    OSError
        When a disk is full.
    """
    error = outcome.error
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise error
    return error


class _Count:
    """Counts the items of shards that have ended."""

    def __init__(self, shards: Mapping[str, _Shard], advance: Advance) -> None:
        self._shards, self._advance, self._done = shards, advance, 0
        self._total = sum(len(shard.items) for shard in shards.values())

    def __call__(self, name: str, outcome: Outcome) -> None:
        shard = self._shards[name]
        self._done += len(shard.items)
        self._advance(f"features of {shard.of.title}", self._done, self._total)


def _shards(one: Pass, store: FeatureStore, options: PassOptions) -> list[_Shard]:
    """Divide a pass whose features are not all kept yet; a network that is to be fitted makes it whole."""
    encoder, data, own = one.open(options)
    if isinstance(encoder, PrecomputedFeatures):
        return []
    missing = {
        layer: key for layer, key in feature_keys(encoder, data, own).items() if not store.path(key).exists()
    }
    n = size = len(data)
    if isinstance(encoder, Encoder):
        # The edges of shards are edges of batches, so that batches are those of one long pass.
        size = SHARD_BATCHES * max(1, own.get("batch_size", BATCH_SIZE) // _views(own))
    starts = range(0, n, size) if missing else ()
    return [
        _Shard(one, options, store.root, missing, range(start, min(start + size, n)), n) for start in starts
    ]


def _views(options: PassOptions) -> int:
    views = options.get("views")
    return views.count if views else 1


def _extract_shard(shard: _Shard, advance: Advance) -> None:
    """Encode the items of a shard, on a worker."""
    encoder, data, options = _as_the_command_finds_them(shard)
    store = FeatureStore(shard.root)
    stored = {layer: shard.stored_as(layer) for layer in shard.keys}
    missing = {layer: key for layer, key in stored.items() if store.read(key) is None}
    if missing:
        options["device"] = str(own_device(options.get("device", "cpu")))
        options["workers"] = reading_processes(options.get("workers", 0))
        options["advance"] = advance
        encode_into(store, missing, encoder.fitted(data, options.get("fit_on")), data, options, shard.items)


def _as_the_command_finds_them(
    shard: _Shard,
) -> tuple[Encoder | PrincipalComponents, LabelledData, PassOptions]:
    """Open encoder and data; once more where they are not the command's, as files may just have changed.

    Raises
    ------
    InputError
        When they still are others.
    """
    for _ in range(2):
        encoder, data, options = shard.of.open(shard.options)
        assert not isinstance(encoder, PrecomputedFeatures)
        found = feature_keys(encoder, data, options)
        if all(found[layer] == key for layer, key in shard.keys.items()):
            return encoder, data, options
        forget()
    raise InputError(f"{shard.of.title}: the worker finds other data or other weights than the command")


def _join(store: FeatureStore, shards: list[_Shard], options: PassOptions) -> None:
    """Write the rows of all shards into one file a layer, in the items' order, and remove them."""
    if len(shards) < 2:
        return
    data = opened(shards[0].of.data, shards[0].of.data)
    for layer, key in shards[0].keys.items():
        if store.path(key).exists():  # two passes of one pair of encoder and data
            continue
        with store.write(key, data.labels, options.get("kept_as", "float32")) as writer:
            for shard in shards:
                found = store.read(shard.stored_as(layer))
                if found is None:
                    raise EngineLostError(
                        f"{store.root} lacks what a worker says it wrote there; start the command again"
                    )
                writer.append(found.values)
    for shard in shards:
        for layer in shard.keys:
            store.path(shard.stored_as(layer)).unlink(missing_ok=True)
