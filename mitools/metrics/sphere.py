"""Features on the unit sphere, where the metrics of representation quality are defined."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY
from mitools.estimators.inputs.validation import as_table

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
    shape = tuple(features.shape)
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"{name} has shape {shape}, but (rows, columns) is needed")
    if isinstance(features, np.ndarray):
        double, real = features.dtype == np.float64, features.dtype.kind in "fiub"
    else:
        double, real = features.dtype == torch.float64, not features.is_complex()
    if not real:
        raise InputError(f"{name} holds {features.dtype}, but real numbers are needed")
    if isinstance(features, np.ndarray):
        rows = torch.from_numpy(np.array(features, dtype=np.float64 if double else np.float32, order="C"))
    else:
        rows = features.detach().clone()
    unit = rows.to(device=device, dtype=torch.float64 if double else torch.float32)
    # Dividing by the largest entry first keeps the squares of very large and very small rows in range.
    for order in (torch.inf, 2):
        length = torch.linalg.vector_norm(unit, ord=order, dim=1, keepdim=True)
        if not bool(torch.isfinite(length).all()):
            bad = torch.nonzero(~torch.isfinite(length[:, 0]))[:, 0]
            raise InputError(
                f"{name} has NaN or infinite values in {len(bad)} of {len(unit)} rows, the first at row"
                f" {int(bad[0])}; remove them"
            )
        unit.div_(length.masked_fill_(length == 0, 1))
    return unit


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
        large = isinstance(features, np.ndarray) and features.size > NUMBERS_IN_MEMORY
        if large and torch.device(device).type == "cpu":
            as_table(features, name, centring=None)  # refuses what is not finite, before the first block
        else:
            self._held = unit_rows(features, device, name)

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, rows: slice) -> torch.Tensor:
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
