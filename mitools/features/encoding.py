"""One pass of a network over a data set: batches in, rows of every layer out, while the next are read."""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mitools.backends.lending import dtype_of, lent
from mitools.backends.precision import computing_in
from mitools.backends.streams import in_streams, stream_count
from mitools.core.errors import InputError, reason_of
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.read import (
    Inputs,
    Preparation,
    finish_inputs,
    inputs_count,
    inputs_to,
    read_inputs,
)
from mitools.views.item_views import ItemViews

BATCH_SIZE = 256
"""Items in work at a time, all views counted, unless the caller says otherwise."""

_TYPE_WORDS = ("dtype", "scalar type", "input type", "not implemented for")
"""In torch's errors about numbers of two types."""

_OF_INPUTS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
"""What a network raises that does not take inputs of such a shape."""

LayerRows = dict[str, NDArray[np.float32]]
"""The rows of one batch by layer, shape (items, views, d) each."""


def encoded(
    encoder: Encoder,
    data: LabelledData,
    views: ItemViews | None,
    *,
    items: range,
    device: torch.device,
    batch_size: int,
    workers: int,
    precision: str,
) -> Generator[LayerRows, None, None]:
    """Yield the rows of one batch of `items` after another.

    Close it when it is not drawn to its end: until then the network is not given back.

    Raises
    ------
    InputError
        As :func:`mitools.features.extract.extract`.
    """
    streams = stream_count(device)
    count = views.count if views else 1
    batches = _Batches(data, encoder.preprocess, items, items_a_batch(batch_size, views, device))
    # A generator of its own: a loader without one takes its seed from the caller's random numbers.
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),
    )

    def encode(batch: _Batch | InputError) -> dict[str, Tensor]:
        if isinstance(batch, InputError):
            raise batch
        with _without_gradients(encoder):
            inputs = inputs_to(batch.inputs, device)
            # Outside the network's precision: a view is the same one whatever the network computes in.
            x = (
                finish_inputs(inputs, encoder.preprocess)
                if views is None
                else _normalised_views(inputs, batch.items, views, encoder)
            )
            if encoder.borrowed and isinstance(x, Tensor) and _is_prepared_here(batch.inputs):
                x = x.to(dtype_of(encoder.module))
            with computing_in(precision, device):
                return _outputs(encoder, x)

    widths: dict[str, int] = {}
    with lent(encoder.module) if encoder.borrowed else _placed(encoder.module, device):
        # Nobody knows whether the caller's module may be called from several threads at once.
        passes = map(encode, loader) if encoder.borrowed else in_streams(encode, loader, streams)
        for outputs in passes:
            for layer, rows in outputs.items():
                if (width := widths.setdefault(layer, rows.shape[1])) != rows.shape[1]:
                    raise InputError(
                        f"encoder {_at(encoder, layer)} gives {width} and {rows.shape[1]} features to images"
                        " of different size; give it an image_size=N"
                    )
            yield {layer: rows.reshape(-1, count, rows.shape[1]).numpy() for layer, rows in outputs.items()}


def items_a_batch(batch_size: int, views: ItemViews | None, device: torch.device) -> int:
    """Count the items that one call of the network reads."""
    return max(1, batch_size // ((views.count if views else 1) * stream_count(device)))


class _Batch(NamedTuple):
    """Inputs, and the positions of their items in the data set, shape (items,)."""

    inputs: Inputs
    items: Tensor


class _Batches(Dataset):
    """Whole batches of input; what cannot be read is handed over as the error, in one piece."""

    def __init__(
        self,
        data: LabelledData,
        preprocess: Preparation,
        items: range,
        size: int,
    ) -> None:
        self._data = data
        self._preprocess = preprocess
        self._items = items
        self._size = size

    def __len__(self) -> int:
        return -(-len(self._items) // self._size)

    def __getitem__(self, batch: int) -> _Batch | InputError:
        indices = self._items[batch * self._size : (batch + 1) * self._size]
        try:
            return _Batch(read_inputs(self._data, indices, self._preprocess), torch.tensor(indices))
        except InputError as error:  # raised in a worker it would arrive wrapped in a traceback
            return error


def _is_prepared_here(inputs: Inputs) -> bool:
    """Whether these are pixels or rows, which go into a network of half precision as such numbers.

    Tensors that their owner has made go into it as they are.
    """
    return isinstance(inputs, Tensor) and (inputs.dtype == torch.uint8 or inputs.ndim == 2)


def _without_gradients(encoder: Encoder) -> AbstractContextManager[None]:
    """Keep no record for gradients; of the caller's module not in a way that shows in what it remembers.

    A tensor made in inference mode can never be trained through, and a network may keep one: a mask or a
    position table that it makes at its first call.
    """
    return torch.no_grad() if encoder.borrowed else torch.inference_mode()


def _normalised_views(inputs: Inputs, items: Tensor, views: ItemViews, encoder: Encoder) -> Tensor:
    """Draw the views of a batch of images and normalise them, shape (items * views, 3, height, width)."""
    preprocess = encoder.preprocess
    if not isinstance(inputs, Tensor) or not isinstance(preprocess, Preprocess):
        raise InputError(f"encoder {encoder.name} reads no images, and only images have views")
    try:
        drawn = views.of(inputs / 255, items.numpy())
    except InputError:  # which names the view already
        raise
    except (
        RuntimeError,
        ValueError,
        TypeError,
        IndexError,
    ) as error:  # of the user's own view, or a small image
        shape, reason = "x".join(map(str, inputs.shape[1:])), " ".join(str(error).split())
        raise InputError(f"view {views.view.name} fails on images of {shape} ({reason[:300]})") from None
    if drawn.ndim != 5:
        raise InputError(
            f"encoder {encoder.name} reads one image at a time, and the view {views.view.name} gives"
            f" {drawn.shape[2]} of each item"
        )
    return preprocess.normalise(drawn.flatten(0, 1))


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
    except SystemExit as error:
        raise InputError(f"encoder {encoder.name} ended the program ({error}) instead of encoding") from None
    except Exception as error:
        # A network of ours that fails otherwise is broken, and its error must be seen as it is.
        if not (encoder.borrowed or isinstance(error, _OF_INPUTS)):
            raise
        if differ := _differing_types(encoder.module, x, error):
            raise InputError(f"encoder {encoder.name}: {differ}") from (error if encoder.borrowed else None)
        shape = "x".join(map(str, x.shape[1:])) if isinstance(x, Tensor) else f"{', '.join(x)}"
        said = InputError(f"encoder {encoder.name} fails on inputs of {shape} ({reason_of(error)})")
        raise said from (error if encoder.borrowed else None)  # its owner wants to see where
    by_layer = isinstance(found, dict) and set(found) == set(encoder.layers)
    layers = found if by_layer else {encoder.layers[0]: found}
    n = inputs_count(x)
    return {layer: _checked(_at(encoder, layer), rows, n) for layer, rows in layers.items()}


def _differing_types(module: nn.Module, x: Inputs, error: Exception) -> str | None:
    """Say what torch means where it refuses to compute with numbers of two types; None of other errors."""
    is_about_types = any(words in str(error).lower() for words in _TYPE_WORDS)
    if not is_about_types or next(module.parameters(), None) is None:
        return None
    weights = dtype_of(module)
    tensors = [x] if isinstance(x, Tensor) else [value for value in x.values() if value.is_floating_point()]
    other = next((tensor.dtype for tensor in tensors if tensor.dtype != weights), None)
    if other is None:
        return None
    one, two = (str(dtype).removeprefix("torch.") for dtype in (weights, other))
    return f"the module's weights are {one} and items are {two}; convert one of them (items.to(torch.{one}))"


def _checked(name: str, rows: object, n: int) -> Tensor:
    if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) != n:
        what = f"shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
        raise InputError(f"encoder {name} returns {what} for {n} inputs; it must return ({n}, d)")
    if not rows.shape[1]:
        raise InputError(f"encoder {name} returns rows of 0 columns; it must return ({n}, d), d at least 1")
    if rows.is_complex():  # float() would keep the real part alone
        raise InputError(
            f"encoder {name} returns complex numbers; return torch.view_as_real(rows).flatten(1)"
        )
    rows = rows.float().cpu()
    if broken := int((~rows.isfinite()).any(dim=1).sum()):
        raise InputError(f"encoder {name}: {broken} of {n} rows in a batch are not finite")
    return rows


def _at(encoder: Encoder, layer: str) -> str:
    return encoder.name if len(encoder.layers) == 1 else f"{encoder.name}@{layer}"
