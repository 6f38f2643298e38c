"""Features on the unit sphere, where the metrics of representation quality are defined."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY

Features = NDArray[np.floating[Any]] | torch.Tensor
Device = str | torch.device

BLOCK_ROWS = 4096
"""Rows handled at once: a block against a block of similarities takes 64 MiB in float32."""


def unit_rows(features: Features, device: Device = "cpu", name: str = "features") -> torch.Tensor:
    """Scale every row to length one, in a copy.

    A row of zeros has no direction. It stays at the origin, as in scikit-learn's ``normalize``: its cosine
    with every row, itself included, is 0, and its squared distance to a unit row is 1. Everything here is
    therefore finite on dead features, which read as "unrelated to all".

    Parameters
    ----------
    features
        Shape (n, d), real. Half precision is computed in float32; float64 stays float64.
    device
        Where the copy is made and what follows is computed.
    name
        What the error messages call the array.

    Returns
    -------
    torch.Tensor
        Shape (n, d), float32 or float64, on `device`.

    Raises
    ------
    InputError
        When the array has no rows or columns, is not real, or holds NaN or infinite values.
    """
    double = _is_double(features, name)
    if isinstance(features, np.ndarray):
        rows = torch.from_numpy(np.array(features, dtype=np.float64 if double else np.float32, order="C"))
    else:
        rows = features.detach().clone()
    unit = rows.to(device=device, dtype=torch.float64 if double else torch.float32)
    # Dividing by the largest entry first keeps the squares of very large and very small rows in range.
    for order in (torch.inf, 2):
        length = torch.linalg.vector_norm(unit, ord=order, dim=1, keepdim=True)
        _refuse_rows(~torch.isfinite(length[:, 0]), name)
        unit.div_(length.masked_fill_(length == 0, 1))
    return unit


def _is_double(features: Features, name: str) -> bool:
    """Tell whether a real table, shape (n, d), holds double precision; refuse what is no such table."""
    shape = tuple(features.shape)
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"{name} has shape {shape}, but (rows, columns) is needed")
    if isinstance(features, np.ndarray):
        double, real = features.dtype == np.float64, features.dtype.kind in "fiub"
    else:
        double, real = features.dtype == torch.float64, not features.is_complex()
    if not real:
        raise InputError(f"{name} holds {features.dtype}, but real numbers are needed")
    return double


def _refuse_rows(bad: torch.Tensor, name: str) -> None:
    """Refuse rows with NaN or infinite values; `bad` says which they are, shape (n,)."""
    if bool(bad.any()):
        places = torch.nonzero(bad)[:, 0]
        raise InputError(
            f"{name} has NaN or infinite values in {len(places)} of {len(bad)} rows, the first at row"
            f" {int(places[0])}; remove them"
        )


def _refuse_non_finite(features: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse what :func:`unit_rows` does, reading a block of rows at a time."""
    precision = np.float64 if _is_double(features, name) else np.float32
    bad = np.zeros(len(features), dtype=bool)
    for start in range(0, len(features), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        with np.errstate(over="ignore"):
            bad[block] = ~np.isfinite(features[block].astype(precision, copy=False)).all(axis=1)
    _refuse_rows(torch.from_numpy(bad), name)


class UnitRows:
    """Rows of length one, asked for a block at a time.

    They are held, as :func:`unit_rows` makes them, where they fit in memory or lie on an accelerator. Of a
    larger array on the CPU, such as one mapped from a file, each block is made when it is asked for: against
    a product of blocks that costs little.

    Parameters
    ----------
    features, device, name
        As for :func:`unit_rows`.

    Raises
    ------
    InputError
        As :func:`unit_rows`.
    """

    def __init__(self, features: Features, device: Device = "cpu", name: str = "features") -> None:
        self._features = features
        self._held: torch.Tensor | None = None
        on_cpu = torch.device(device).type == "cpu"
        if isinstance(features, np.ndarray) and features.size > NUMBERS_IN_MEMORY and on_cpu:
            _refuse_non_finite(features, name)  # before the first block is asked for
        else:
            self._held = unit_rows(features, device, name)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._features)

    def __getitem__(self, rows: slice) -> torch.Tensor:
        """Give a block of rows, shape (m, d), on the device."""
        return unit_rows(self._features[rows]) if self._held is None else self._held[rows]

    def at(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Give some rows, by their numbers, shape (m,)."""
        if self._held is None:
            return unit_rows(self._features[rows])
        return self._held[torch.from_numpy(rows)]


def check_same_width(x: Features, y: Features, first: str, second: str) -> None:
    """Refuse two sets of features of different dimension.

    Raises
    ------
    InputError
        When the numbers of columns differ.
    """
    if x.shape[-1] != y.shape[-1]:
        raise InputError(
            f"{first} has {x.shape[-1]} columns and {second} has {y.shape[-1]}; take both from one encoder"
        )
