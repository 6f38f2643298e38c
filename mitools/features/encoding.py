"""One pass of a network over a data set: batches in, rows of every layer out, while the next are read."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mitools.backends.precision import computing_in
from mitools.backends.streams import in_streams, stream_count
from mitools.core.errors import InputError
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.read import (
    Inputs,
    Preparation,
    finish_inputs,
    inputs_count,
    inputs_to,
    read_inputs,
)
from mitools.views.item_views import SimCLRViews

LayerRows = dict[str, NDArray[np.float32]]
"""The rows of one batch by layer, shape (items, views, d) each."""


def encoded(
    encoder: Encoder,
    data: LabelledData,
    views: SimCLRViews | None,
    *,
    start: int,
    device: torch.device,
    batch_size: int,
    workers: int,
    precision: str,
) -> Iterator[LayerRows]:
    """Yield the rows of one batch after another, from item `start` on.

    Raises
    ------
    InputError
        As :func:`mitools.features.extract.extract`.
    """
    streams = stream_count(device)
    count = views.count if views else 1
    batches = _Batches(data, encoder.preprocess, views, start, batch_size // (count * streams))
    loader = DataLoader(batches, batch_size=None, num_workers=workers, pin_memory=device.type == "cuda")

    def encode(inputs: Inputs | InputError) -> dict[str, Tensor]:
        if isinstance(inputs, InputError):
            raise inputs
        with torch.inference_mode(), computing_in(precision, device):
            x = finish_inputs(inputs_to(inputs, device), encoder.preprocess)
            return _outputs(encoder, x.flatten(0, 1) if views and isinstance(x, Tensor) else x)

    widths: dict[str, int] = {}
    with _placed(encoder.module, device):
        for outputs in in_streams(encode, loader, streams):
            for layer, rows in outputs.items():
                if (width := widths.setdefault(layer, rows.shape[1])) != rows.shape[1]:
                    raise InputError(
                        f"encoder {_at(encoder, layer)} gives {width} and {rows.shape[1]} features to images"
                        " of different size; give it an image_size=N"
                    )
            yield {layer: rows.reshape(-1, count, rows.shape[1]).numpy() for layer, rows in outputs.items()}


class _Batches(Dataset):
    """Whole batches of input; what cannot be read is handed over as the error, in one piece."""

    def __init__(
        self,
        data: LabelledData,
        preprocess: Preparation,
        views: SimCLRViews | None,
        start: int,
        items: int,
    ) -> None:
        self._data = data
        self._preprocess = preprocess
        self._views = views
        self._left = range(start, len(data))
        self._items = max(1, items)

    def __len__(self) -> int:
        return -(-len(self._left) // self._items)

    def __getitem__(self, batch: int) -> Inputs | InputError:
        indices = self._left[batch * self._items : (batch + 1) * self._items]
        try:
            return read_inputs(self._data, indices, self._preprocess, self._views)
        except InputError as error:  # raised in a worker it would arrive wrapped in a traceback
            return error


@contextmanager
def _placed(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Keep a network on a device for the length of the block, laid out for fast convolutions."""
    module.to(device).to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        module.to("cpu").to(memory_format=torch.contiguous_format)


def _outputs(encoder: Encoder, x: Inputs) -> dict[str, Tensor]:
    """Run the network on one batch; float32 rows on the CPU, by layer."""
    if isinstance(x, Tensor) and x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    try:
        found = encoder.module(x)
    except InputError as error:
        raise InputError(f"encoder {encoder.name}: {error}") from None
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        shape = "x".join(map(str, x.shape[1:])) if isinstance(x, Tensor) else f"{', '.join(x)}"
        reason = " ".join(str(error).split())
        raise InputError(f"encoder {encoder.name} fails on inputs of {shape} ({reason[:300]})") from None
    layers = found if isinstance(found, dict) else {encoder.layers[0]: found}
    n = inputs_count(x)
    return {layer: _checked(_at(encoder, layer), rows, n) for layer, rows in layers.items()}


def _checked(name: str, rows: object, n: int) -> Tensor:
    if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) != n:
        what = f"shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
        raise InputError(f"encoder {name} returns {what} for {n} inputs; it must return ({n}, d)")
    rows = rows.float().cpu()
    if broken := int((~rows.isfinite()).any(dim=1).sum()):
        raise InputError(f"encoder {name}: {broken} of {n} rows in a batch are not finite")
    return rows


def _at(encoder: Encoder, layer: str) -> str:
    return encoder.name if len(encoder.layers) == 1 else f"{encoder.name}@{layer}"
