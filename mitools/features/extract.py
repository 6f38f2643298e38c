"""One pass of a frozen encoder over a data set."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mitools.backends.devices import resolve_device
from mitools.backends.streams import in_streams, stream_count
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs import finish_inputs, read_inputs
from mitools.encoders.open import AnyEncoder
from mitools.encoders.precomputed import PrecomputedFeatures
from mitools.encoders.preprocess import Preprocess
from mitools.errors import InputError
from mitools.features.store import FeatureStore, feature_key
from mitools.pairing.augmented import SimCLRViews

Advance = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Features:
    """What an encoder makes of a data set.

    Attributes
    ----------
    values
        Shape (n, V, d), float32, possibly mapped from a file; V is 1 without views.
    labels
        Shape (n,), int64.
    key
        The digest of all they depend on.
    encoded
        Whether the encoder ran; False when they were kept from before or came from a file.
    seconds
        Wall-clock time, fitting and verifying included.
    """

    values: NDArray[np.float32]
    labels: NDArray[np.int64]
    key: str
    encoded: bool
    seconds: float


def extract(
    encoder: AnyEncoder,
    data: LabelledData,
    *,
    store: FeatureStore,
    views: SimCLRViews | None = None,
    fit_on: NDArray[np.int64] | None = None,
    device: str = "cpu",
    batch_size: int = 256,
    workers: int = 0,
    advance: Advance | None = None,
) -> Features:
    """Encode every item once, or read the features kept from an earlier pass.

    Parameters
    ----------
    encoder
        A frozen encoder, or one that is fitted first to the items `fit_on`.
    data
        n labelled items.
    store
        Where features are kept.
    views
        Encode these views of every image in place of the image itself.
    fit_on
        The training items, for an encoder that is fitted.
    device
        As :func:`mitools.backends.devices.resolve_device` reads it.
    batch_size
        Images in work at a time, all views counted; on a CPU its cores share them.
    workers
        Processes that read and decode; with 0 the calling thread does, while the encoder computes.
    advance
        Called with the encoder's name, the items done and n.

    Raises
    ------
    InputError
        When an item cannot be read, the encoder cannot read such items, or its output is not one finite
        row an item.
    """
    start = time.perf_counter()
    if isinstance(encoder, PrecomputedFeatures):
        return _precomputed(encoder, data, views, start)
    key = _key(encoder.fitted_digest(data, fit_on), encoder.preprocess.key, data, views)
    kept = store.read(key)
    encoded = kept is None
    if kept is None:
        network = encoder.fitted(data, fit_on)
        _require_readable(network, data, views)
        with store.write(key, data.labels) as writer:
            done = 0
            for values in _encoded(network, data, views, resolve_device(device), batch_size, workers):
                writer.append(values)
                done += len(values)
                if advance:
                    advance(encoder.name, done, len(data))
        kept = store.read(key)
        if kept is None:
            raise InputError(f"{store.path(key)}: does not read back as written; is the disk failing?")
    return Features(kept.values, kept.labels, key, encoded, time.perf_counter() - start)


def _precomputed(
    encoder: PrecomputedFeatures, data: LabelledData, views: SimCLRViews | None, start: float
) -> Features:
    if views is not None:
        raise InputError(f"{encoder.spec}: rows already computed have no augmented views")
    values = encoder.rows_for(data).astype(np.float32, copy=False)[:, None, :]
    key = _key(encoder.digest, "none", data, None)
    return Features(values, data.labels, key, False, time.perf_counter() - start)


def _key(digest: str, preprocess: str, data: LabelledData, views: SimCLRViews | None) -> str:
    return feature_key(
        encoder=digest,
        preprocess=preprocess,
        layer="output",
        data=data.digest,
        views=views.key if views else "none",
        precision="float32",
    )


def _require_readable(encoder: Encoder, data: LabelledData, views: SimCLRViews | None) -> None:
    if not isinstance(data[0][0], np.ndarray):
        return
    if views is not None:
        raise InputError(f"{data.name} holds feature rows, which have no augmented views")
    if not encoder.reads_rows:
        raise InputError(
            f"encoder {encoder.name} reads images and {data.name} holds feature rows; use builtin:pixels"
        )


class _Batches(Dataset):
    """Whole batches of input; what cannot be read is handed over as the error, in one piece."""

    def __init__(
        self, data: LabelledData, preprocess: Preprocess, views: SimCLRViews | None, items: int
    ) -> None:
        self._data = data
        self._preprocess = preprocess
        self._views = views
        self._items = max(1, items)

    def __len__(self) -> int:
        return -(-len(self._data) // self._items)

    def __getitem__(self, batch: int) -> Tensor | InputError:
        indices = range(len(self._data))[batch * self._items : (batch + 1) * self._items]
        try:
            return read_inputs(self._data, indices, self._preprocess, self._views)
        except InputError as error:  # raised in a worker it would arrive wrapped in a traceback
            return error


def _encoded(
    encoder: Encoder,
    data: LabelledData,
    views: SimCLRViews | None,
    device: torch.device,
    batch_size: int,
    workers: int,
) -> Iterator[NDArray[np.float32]]:
    """Yield the features of one batch after another, shape (items, V, d)."""
    streams = stream_count(device)
    count = views.count if views else 1
    batches = _Batches(data, encoder.preprocess, views, batch_size // (count * streams))
    loader = DataLoader(batches, batch_size=None, num_workers=workers, pin_memory=device.type == "cuda")

    def encode(inputs: Tensor | InputError) -> Tensor:
        if isinstance(inputs, InputError):
            raise inputs
        with torch.inference_mode():
            x = finish_inputs(inputs.to(device, non_blocking=True), encoder.preprocess)
            return _outputs(encoder, x.flatten(0, 1) if views else x)

    width = None
    with _placed(encoder.module, device):
        for outputs in in_streams(encode, loader, streams):
            width = width or outputs.shape[1]
            if outputs.shape[1] != width:
                raise InputError(
                    f"encoder {encoder.name} gives {width} and {outputs.shape[1]} features to images of "
                    "different size; give it an image_size=N"
                )
            yield outputs.reshape(-1, count, width).numpy()


@contextmanager
def _placed(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Keep a network on a device for the length of the block, laid out for fast convolutions."""
    module.to(device).to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        module.to("cpu").to(memory_format=torch.contiguous_format)


def _outputs(encoder: Encoder, x: Tensor) -> Tensor:
    """Run the network on one batch; float32 rows on the CPU."""
    if x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    try:
        outputs = encoder.module(x)
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        shape, reason = "x".join(map(str, x.shape[1:])), " ".join(str(error).split())
        raise InputError(f"encoder {encoder.name} fails on inputs of {shape} ({reason[:300]})") from None
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != len(x):
        what = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else type(outputs).__name__
        raise InputError(
            f"encoder {encoder.name} returns {what} for {len(x)} inputs; it must return ({len(x)}, d)"
        )
    outputs = outputs.float().cpu()
    if broken := int((~outputs.isfinite()).any(dim=1).sum()):
        raise InputError(f"encoder {encoder.name}: {broken} of {len(x)} rows in a batch are not finite")
    return outputs
