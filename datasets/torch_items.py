"""A torch Dataset or DataLoader of (item, label), as labelled data."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    default_collate,
)

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.progress import Advance, silent
from mitools.datasets.arrays import digest_targets, labelled_or_targets
from mitools.datasets.base import Item, LabelledData
from mitools.datasets.selection import Selection
from mitools.datasets.targets import Targets

ITEMS_AT_ONCE = 64
"""Items read together while the data are numbered and digested."""

_READ_TWICE = 4
_CHANNELS = (1, 3)

Collate = Callable[[list[Any]], Any]
Inputs = Tensor | dict[str, Tensor]


@dataclass(frozen=True)
class TorchItems:
    """Items of a torch Dataset in its order; meets :class:`mitools.datasets.base.LabelledData`.

    Bytes are pixels: PIL images, and uint8 arrays or tensors of an image, come as images, which every encoder
    prepares in its own way. Rows of numbers (d,) come as float32. Every other tensor comes as it is: whatever
    the caller's transform made is what the network gets.

    Attributes
    ----------
    name
        A short name for tables and figures.
    classes
        The class names.
    labels
        Shape (n,), int64.
    digest
        Changes when any item or label does: of what was read.
    items
        n items with labels.
    indices
        Shape (n,): where they lie in `items`.
    collate
        What makes the caller's own batch of some of them; None where items are read one by one.
    workers
        Processes that read, as the caller has them.
    targets
        What the items are compared with where that is not one class each.
    """

    name: str
    classes: Sequence[str]
    labels: NDArray[np.int64]
    digest: str
    items: Sequence[tuple[Any, Any]]
    indices: NDArray[np.int64]
    collate: Collate | None = None
    workers: int = 0
    targets: Targets | None = None

    def __len__(self) -> int:
        """Count the items."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Item, int]:
        """Read one item and its label."""
        item, _ = _read(self.items, int(self.indices[index]), self.collate)
        return item, int(self.labels[index])

    def batch(self, indices: Sequence[int]) -> Inputs:
        """Read several items as the caller's own collate function joins them."""
        if self.collate is None:
            raise ValueError("these items are read one by one")
        chosen = [_item(self.items, int(self.indices[k])) for k in indices]
        inputs, _ = _pair(_collated(self.collate, chosen, f"a batch of {self.name}"), "a batch")
        return inputs


def whole_batch(data: LabelledData, indices: Sequence[int]) -> Inputs | None:
    """Read items of data that come in the caller's own batches; None of any other data."""
    while isinstance(data, Selection):
        indices = [int(data.indices[index]) for index in indices]
        data = data.data
    return data.batch(indices) if isinstance(data, TorchItems) and data.collate is not None else None


def read_dataset(
    dataset: Any,
    *,
    name: str | None = None,
    workers: int = 0,
    advance: Advance = silent,
    collate: Collate | None = None,
    indices: NDArray[np.int64] | None = None,
    target: str | None = None,
) -> TorchItems:
    """Read a map-style Dataset once: its labels, and the digest of all it holds.

    Labels are whole numbers or names; ``dataset.classes``, where it has them, says what numbers mean.

    Parameters
    ----------
    dataset
        With a length and numbered items, each ``(item, label)``.
    name
        A short name for tables and figures; its class's when None.
    workers
        Processes that read.
    advance
        Told how many items are read.
    collate
        The caller's own way to join items to a batch.
    indices
        Which items, all when None.
    target
        What labels are, as :func:`mitools.datasets.arrays.labelled_or_targets` takes it.

    Raises
    ------
    InputError
        When it has no numbered items, an item cannot be read or is no pair of a kind that is known, or an
        item differs when it is read again, as behind a random augmentation.
    """
    if isinstance(dataset, IterableDataset) or not (
        hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    ):
        raise InputError(
            f"{type(dataset).__name__} has no numbered items; give a map-style Dataset, which has a length"
        )
    indices = np.arange(_length(dataset)) if indices is None else indices
    if not len(indices):
        raise InputError(f"{type(dataset).__name__} has no items")
    _require_repeatable(dataset, indices, collate)
    state, labels = hashlib.sha256(), list[Any]()
    for digest, found in _chunks(dataset, indices, collate, workers):
        state.update(digest)
        labels += found
        advance("reading the data", len(labels), len(indices))
    classes, numbers, targets = labelled_or_targets(_stacked(labels), _class_names(dataset), target)
    state.update(numbers.tobytes())
    if targets is not None:
        state.update(digest_targets(targets).encode())
    digest_of_all = digest_text("items", state.hexdigest(), *classes)
    name = name or type(dataset).__name__
    return TorchItems(name, classes, numbers, digest_of_all, dataset, indices, collate, workers, targets)


def read_loader(
    loader: "DataLoader[Any]",
    *,
    workers: int | None = None,
    advance: Advance = silent,
    target: str | None = None,
) -> TorchItems:
    """Read the items that a DataLoader's sampler gives, in the order of its dataset, each once.

    So it does not matter whether it shuffles, drops the last batch or draws items repeatedly. Its batches are
    cut anew; a collate function of the caller's own still makes them.

    Raises
    ------
    InputError
        As :func:`read_dataset`.
    """
    dataset = loader.dataset
    if loader.batch_size is None and loader.batch_sampler is None:
        raise InputError("the DataLoader makes no batches (batch_size=None); give its dataset instead")
    collate = None if loader.collate_fn is default_collate else loader.collate_fn
    indices = None if isinstance(dataset, IterableDataset) else _sampled(loader)
    workers = loader.num_workers if workers is None else workers
    return read_dataset(
        dataset, workers=workers, advance=advance, collate=collate, indices=indices, target=target
    )


def _sampled(loader: "DataLoader[Any]") -> NDArray[np.int64]:
    """Say which items a loader draws, in rising order."""
    batches: Any = loader.batch_sampler
    sampler: Any = batches.sampler if type(batches) is BatchSampler else batches
    length = _length(loader.dataset)
    if isinstance(sampler, SequentialSampler) or (
        isinstance(sampler, RandomSampler) and not sampler.replacement and sampler.num_samples >= length
    ):
        return np.arange(length)
    with torch.random.fork_rng(devices=[]):  # a draw of its own must not move the caller's random numbers
        try:
            drawn = list(sampler)
        except Exception as error:
            raise InputError(f"the DataLoader's sampler fails ({_reason(error)})") from error
    flat = [index for batch in drawn for index in batch] if batches is sampler else drawn
    return np.unique(np.asarray(flat, dtype=np.int64))


class _Chunks(Dataset):
    """Digests and labels of several items at a time; an error for the caller comes as a value."""

    def __init__(self, items: Any, indices: NDArray[np.int64], collate: Collate | None) -> None:
        self._items, self._indices, self._collate = items, indices, collate

    def __len__(self) -> int:
        return -(-len(self._indices) // ITEMS_AT_ONCE)

    def __getitem__(self, chunk: int) -> tuple[bytes, list[Any]] | InputError:
        state, labels = hashlib.sha256(), []
        for index in self._indices[chunk * ITEMS_AT_ONCE : (chunk + 1) * ITEMS_AT_ONCE]:
            try:
                item, label = _read(self._items, int(index), self._collate)
            except InputError as error:  # raised in a worker it would arrive wrapped in a traceback
                return error
            _update(state, item)
            labels.append(label)
        return state.digest(), labels


def _chunks(
    items: Any, indices: NDArray[np.int64], collate: Collate | None, workers: int
) -> Iterator[tuple[bytes, list[Any]]]:
    chunks = _Chunks(items, indices, collate)
    # A generator of its own: a loader without one takes its seed from the caller's random numbers.
    for chunk in DataLoader(chunks, batch_size=None, num_workers=workers, generator=torch.Generator()):
        if isinstance(chunk, InputError):
            raise chunk
        yield chunk


def _require_repeatable(items: Any, indices: NDArray[np.int64], collate: Collate | None) -> None:
    for index in indices[:_READ_TWICE]:
        digests = []
        for _ in range(2):
            state = hashlib.sha256()
            _update(state, _read(items, int(index), collate)[0])
            digests.append(state.digest())
        if digests[0] != digests[1]:
            raise InputError(
                f"item {index} of {type(items).__name__} differs when it is read again; leave random"
                " augmentation out of its transform (pairing='same_class,simclr' draws views of its own)"
            )


def _read(items: Any, index: int, collate: Collate | None) -> tuple[Item, Any]:
    """Read one item and its label, both in their plain form."""
    where = f"item {index} of {type(items).__name__}"
    found = _item(items, index)
    if collate is None:
        item, label = _pair(found, where)
        return _plain_item(item, where), _plain_label(label, where)
    inputs, labels = _pair(_collated(collate, [found], where), where)
    return _first(inputs, where), _plain_label(labels[0] if _is_list(labels) else labels, where)


def _item(items: Any, index: int) -> Any:
    """Read one item by the caller's own code; what that raises comes with the item's number."""
    try:
        return items[index]
    except InputError:
        raise
    except Exception as error:
        where, reason = f"item {index} of {type(items).__name__}", _reason(error)
        if isinstance(error, IndexError):
            reason += f"; its length is {_length(items)}"
        raise InputError(f"{where} cannot be read ({reason})") from error


def _collated(collate: Collate, found: list[Any], where: str) -> Any:
    try:
        return collate(found)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{where}: the collate function fails ({_reason(error)})") from error


def _length(items: Any) -> int:
    try:
        return len(items)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{type(items).__name__} does not say its length ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """Say in one line what went wrong in the caller's code."""
    said = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _pair(found: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(found, tuple | list) or len(found) != 2:
        size = f" of {len(found)}" if isinstance(found, tuple | list | dict) else ""
        raise InputError(f"{where} is a {type(found).__name__}{size}; it must be a pair (item, label)")
    return found[0], found[1]


def _plain_item(item: Any, where: str) -> Item:
    if isinstance(item, Image.Image):
        return item if item.mode == "RGB" else item.convert("RGB")
    if isinstance(item, str):
        return item
    if isinstance(item, Mapping) and item and all(isinstance(value, Tensor) for value in item.values()):
        return {str(key): value.detach().cpu() for key, value in item.items()}
    if isinstance(item, np.ndarray) and item.dtype.kind in "fiub":
        item = torch.from_numpy(np.ascontiguousarray(item))
    if not isinstance(item, Tensor):
        raise InputError(
            f"{where} holds a {type(item).__name__}; an item must be a PIL image, a tensor, an array or a"
            " text"
        )
    item = item.detach().cpu()
    if item.dtype == torch.uint8 and item.ndim in (2, 3):
        return Image.fromarray(_pixels(item, where).numpy()).convert("RGB")
    is_row = item.ndim == 1 and (item.is_floating_point() or item.dtype in (torch.uint8, torch.bool))
    return item.float().numpy() if is_row else item


def _pixels(item: Tensor, where: str) -> Tensor:
    """Bring the bytes of an image to (height, width), or (height, width, 3)."""
    if item.ndim == 3 and item.shape[0] in _CHANNELS:
        item = item.permute(1, 2, 0)
    if item.ndim == 3 and item.shape[2] not in _CHANNELS:
        raise InputError(f"{where} has shape {tuple(item.shape)}; an image in uint8 has 1 or 3 channels")
    item = item[..., 0] if item.ndim == 3 and item.shape[2] == 1 else item
    return item.contiguous()


def _stacked(labels: list[Any]) -> Any:
    """Put labels of several numbers an item into one table, shape (n, k)."""
    lengths = {len(label) if isinstance(label, list) else 0 for label in labels}
    if lengths == {0}:
        return labels
    if len(lengths) > 1:
        raise InputError("some items have more labels than others; give every item 0 or 1 for every label")
    return np.array(labels, dtype=np.float64)


def _plain_label(label: Any, where: str) -> int | float | str | list[float]:
    if isinstance(label, Tensor | np.ndarray | np.generic):
        values = np.asarray(label.detach().cpu() if isinstance(label, Tensor) else label).reshape(-1)
        if len(values) > 1 and values.dtype.kind in "fiub":
            return [float(value) for value in values]
        label = values[0].item() if len(values) == 1 else label
    if isinstance(label, float) and math.isfinite(label) and not label.is_integer():
        return label
    if isinstance(label, str):
        return label
    if isinstance(label, int | float) and float(label).is_integer():
        return int(label)
    shape = f" of shape {tuple(label.shape)}" if hasattr(label, "shape") else ""
    raise InputError(
        f"{where} has a {type(label).__name__}{shape} for its label; give one class number or name an item"
    )


def _first(inputs: Any, where: str) -> Item:
    if isinstance(inputs, Mapping):
        return {str(key): _first(value, where) for key, value in inputs.items()}  # type: ignore[misc]
    if not isinstance(inputs, Tensor):
        raise InputError(f"{where} becomes a {type(inputs).__name__} in its batch; it must become a tensor")
    return inputs[0].detach().cpu()


def _is_list(labels: Any) -> bool:
    return isinstance(labels, list | tuple) or (hasattr(labels, "shape") and len(labels.shape) > 0)


def _update(state: Any, item: Item) -> None:
    """Put an item into a digest: its kind, its shape and all it holds."""
    if isinstance(item, Mapping):
        for key, value in sorted(item.items()):
            state.update(f"{key}=".encode())
            _update(state, value)
    elif isinstance(item, str):
        state.update(f"text {len(item.encode())};{item}".encode())
    elif isinstance(item, Image.Image):
        state.update(f"image {item.size};".encode() + item.tobytes())
    elif isinstance(item, np.ndarray):
        state.update(f"row {item.dtype} {item.shape};".encode() + item.tobytes())
    else:
        state.update(f"tensor {item.dtype} {tuple(item.shape)};".encode())
        state.update(item.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def _class_names(dataset: Any) -> Sequence[str] | None:
    """Find what torchvision's data sets call their classes, also behind a Subset or a ConcatDataset."""
    seen = []
    while not _has_class_names(dataset):
        seen.append(dataset)
        parts = getattr(dataset, "datasets", None)
        behind = [getattr(dataset, "dataset", None), *(parts[:1] if isinstance(parts, list | tuple) else [])]
        # What has that name may be anything, an array or a table, or lead back to where it came from.
        inner = [one for one in behind if isinstance(one, Dataset) or _has_class_names(one)]
        if not inner or any(inner[0] is one for one in seen):
            return None
        dataset = inner[0]
    return [str(name) for name in dataset.classes]


def _has_class_names(dataset: Any) -> bool:
    return isinstance(getattr(dataset, "classes", None), list | tuple)
