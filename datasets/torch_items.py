"""A torch Dataset or DataLoader of (item, label), as labelled data."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
from mitools.datasets.plain_items import (
    as_pair,
    first_of_batch,
    is_list,
    plain_item,
    plain_label,
    stacked_labels,
    update_digest,
)
from mitools.datasets.selection import Selection
from mitools.datasets.targets import Targets

ITEMS_AT_ONCE = 64
"""Items read together while the data are numbered and digested."""

_READ_TWICE = 4

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
        inputs, _ = as_pair(_collated(self.collate, chosen, f"a batch of {self.name}"), "a batch")
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
    classes, numbers, targets = labelled_or_targets(stacked_labels(labels), _class_names(dataset), target)
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
            update_digest(state, item)
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
            update_digest(state, _read(items, int(index), collate)[0])
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
        item, label = as_pair(found, where)
        return plain_item(item, where), plain_label(label, where)
    inputs, labels = as_pair(_collated(collate, [found], where), where)
    return first_of_batch(inputs, where), plain_label(labels[0] if is_list(labels) else labels, where)


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
