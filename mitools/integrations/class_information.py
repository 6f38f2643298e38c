"""The certificate as a metric that is updated batch by batch, in anyone's training or validation loop."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import distributed

from mitools.core.arrays import as_array
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import whole_number
from mitools.datasets.arrays import number_labels
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.class_prior import Prior, check_prior

_KINDS = {"b": "truth values", "i": "numbers", "u": "numbers", "f": "numbers", "U": "names"}
"""Kinds of labels by the kind of their dtype."""


class ClassInformation:
    """Certified class information of the features that pass by, in the manner of torchmetrics.

    Features are detached, copied to the CPU and kept, at most `max_items` of them: a random sample of all
    that passed by, every item equally likely. What is wider than float32 stays so, as a column far from zero
    needs it. Where ``torch.distributed`` is initialised,
    :meth:`compute` joins the items of all processes: each must call it, and each gets the same estimate. A
    sampler that repeats items to give all processes as many feeds a few copies in; give it
    ``drop_last=True``.

    Parameters
    ----------
    max_items
        Items kept, over all processes as well; all of them when None.
    prior
        The class distribution that is meant: ``empirical``, ``uniform``, or one probability a class.
    seed
        Of the sample, and of the split of :func:`mitools.certify`.

    Raises
    ------
    InputError
        When one of these is not of its form.

    Examples
    --------
    >>> import torch, mitools
    >>> generator = torch.Generator().manual_seed(0)
    >>> metric = mitools.ClassInformation()
    >>> for _ in range(8):
    ...     labels = torch.randint(0, 4, (100,), generator=generator)
    ...     features = 4 * torch.eye(4)[labels] + torch.randn(100, 4, generator=generator)
    ...     metric.update(features, labels)
    >>> estimate = metric.compute()
    >>> len(metric), estimate.kind, 1.5 < estimate.bits < 2
    (800, 'lower bound', True)
    >>> metric.reset()
    """

    def __init__(self, max_items: int | None = 20_000, prior: Prior = "empirical", seed: int = 0) -> None:
        check_prior(prior)
        self.max_items = None if max_items is None else whole_number(max_items, "max_items", 1)
        self.prior = prior
        self.seed = whole_number(seed, "seed")
        self.reset()

    def __repr__(self) -> str:
        return (
            f"ClassInformation(max_items={self.max_items}, prior={self.prior!r}, seed={self.seed}):"
            f" {len(self)} items kept of {self.seen} seen"
        )

    def reset(self) -> None:
        """Forget all items."""
        self.seen = 0
        self._kept: list[_Items] = []
        # Another sequence in every process: an item's key decides whether it stays.
        self._rng = np.random.default_rng([self.seed, distributed.get_rank() if _is_distributed() else 0])

    def __len__(self) -> int:
        """Count the items kept in this process."""
        return sum(len(items) for items in self._kept)

    def update(self, features: Any, labels: Any) -> None:
        """Add the items of a batch.

        Parameters
        ----------
        features
            Shape (B, d): a tensor on any device, with or without gradients, or anything that holds an array.
        labels
            Shape (B,): class numbers or names; of one kind in all batches.

        Raises
        ------
        InputError
            When shapes or the kind of labels do not fit each other, or earlier batches.
        """
        rows, values = as_array(features, "features"), as_array(labels, "labels")
        if rows.ndim != 2 or values.shape != (len(rows),):
            raise InputError(
                f"features have shape {rows.shape} and labels {values.shape}; give (B, d) and (B,)"
            )
        if rows.dtype.kind not in "fiub":
            raise InputError(f"features hold {rows.dtype}; give real numbers")
        if values.dtype.kind not in _KINDS:
            raise InputError(f"labels hold {values.dtype}; give one class number or name an item")
        if not len(rows):
            return
        if self._kept and self._kept[0].rows.shape[1] != rows.shape[1]:
            raise InputError(
                f"features have {rows.shape[1]} columns, and had {self._kept[0].rows.shape[1]}; reset() first"
            )
        _require_one_kind([*(items.labels for items in self._kept[:1]), values])
        # Copied: the caller's next batch may come in the same memory.
        kept_as = np.result_type(rows.dtype, np.float32)
        batch = _Items(rows.astype(kept_as, copy=True), values.copy(), self._rng.random(len(rows)))
        self.seen += len(rows)
        self._kept.append(batch)
        if self.max_items is not None and len(self) >= 2 * self.max_items:
            self._kept = [_Items.joined(self._kept).sampled(self.max_items)]

    def compute(self) -> Estimate:
        """Certify I_class of the items so far; the estimate that :func:`mitools.certify` gives of them.

        Raises
        ------
        InputError
            When no item has passed by, there is one class only, a class has fewer than five items, or
            processes hold labels of different kinds.
        """
        mine = [_Items.joined(self._kept).sampled(self.max_items)] if self._kept else []
        parts = _gathered(mine)
        if not parts:
            raise InputError("no item has passed by; call update(features, labels) first")
        _require_one_kind([part.labels for part in parts])
        items = _Items.joined(parts).sampled(self.max_items)
        _, labels = number_labels(items.labels)
        return ClassPosterior(prior=self.prior, seed=self.seed).estimate(items.rows, labels)


class _Items:
    """Rows, their labels, and the random key by which each stays in the sample or not."""

    def __init__(self, rows: NDArray[np.floating], labels: NDArray[Any], keys: NDArray[np.float64]) -> None:
        self.rows, self.labels, self.keys = rows, labels, keys

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def joined(cls, parts: "list[_Items]") -> "_Items":
        if len(parts) == 1:
            return parts[0]
        columns = zip(*((part.rows, part.labels, part.keys) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def sampled(self, count: int | None) -> "_Items":
        """Keep the items of the smallest keys, in the order in which they came."""
        if count is None or len(self) <= count:
            return self
        kept = np.sort(np.argpartition(self.keys, count - 1)[:count])
        return _Items(self.rows[kept], self.labels[kept], self.keys[kept])


def _require_one_kind(labels: list[NDArray[Any]]) -> None:
    """Refuse labels of several kinds: joined, numbers would become names, and truth values numbers."""
    kinds = list(dict.fromkeys(_KINDS[values.dtype.kind] for values in labels))
    if len(kinds) > 1:
        raise InputError(f"labels are {kinds[1]}, and were {kinds[0]}; give one kind, or reset() first")


def _gathered(mine: list[_Items]) -> list[_Items]:
    """Join what all processes hold, in the order of their ranks."""
    if not _is_distributed():
        return mine
    held: list[list[_Items] | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(held, mine)
    return [items for part in held for items in part or []]


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
