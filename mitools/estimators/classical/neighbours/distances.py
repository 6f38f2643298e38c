"""Distances in the maximum norm, by blocks of rows that stay in cache, in threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from mitools.estimators.array_types import Floats, WholeNumbers

BLOCK_ROWS = 8
"""Rows, and less than twice as many, whose distances to all others are held at a time, to stay in cache."""

TILE_ROWS = 10_000
"""Others that a block is compared with at a time, so that the same holds for any n."""


def distances_between(some: Floats, columns: Floats) -> Floats:
    """Maximum norm of every difference, shapes (d, m) and (d, n) to (m, n)."""
    m, n = some.shape[1], columns.shape[1]
    result = np.empty((m, n), dtype=columns.dtype)
    difference = np.empty((m, min(n, TILE_ROWS)), dtype=columns.dtype)
    for start in range(0, n, TILE_ROWS):
        part = result[:, start : start + TILE_ROWS]
        step = difference[:, : part.shape[1]]
        others = columns[:, start : start + TILE_ROWS]
        for number, (a, b) in enumerate(zip(some[:, :, None], others, strict=True)):
            np.subtract(a, b, out=step if number else part)
            if number:
                np.maximum(part, np.abs(step, out=step), out=part)
            else:
                np.abs(part, out=part)
    return result


def shifted_in_blocks(n: int) -> WholeNumbers:
    """Permute rows so that each takes the place of the next in its block, shape (n,)."""
    permutation = np.arange(1, n + 1)
    edges = _edges(n)
    permutation[edges[1:] - 1] = edges[:-1]
    return permutation


def in_blocks(n: int, work: Callable[[slice], None], others: int) -> None:
    """Run `work` on whole blocks of rows in as many threads as torch uses: numpy lets go of the interpreter.

    Parameters
    ----------
    n
        Rows.
    work
        Given a slice of the rows, of one block; of several where a tile has room for them, since threads wait
        for each other to begin an operation and small ones are over at once.
    others
        Rows that each is compared with.
    """
    threads = torch.get_num_threads()
    edges = _edges(n)
    edges = np.append(edges[: -1 : max(1, TILE_ROWS // others)], n)

    def run(number: int) -> None:
        for block in range(number, len(edges) - 1, threads):
            work(slice(int(edges[block]), int(edges[block + 1])))

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, range(threads)):
            pass


def _edges(n: int) -> WholeNumbers:
    """Cut n rows into blocks of `BLOCK_ROWS` rows or a few more: their first rows, and n."""
    blocks = max(1, n // BLOCK_ROWS)
    return np.arange(blocks + 1) * n // blocks


def beyond(radii: Floats) -> Floats:
    """Widen a radius by one step of its precision, so that what lies on it counts as within."""
    return np.nextafter(radii, np.inf, dtype=radii.dtype)


def positive(radii: Floats) -> Floats:
    """Keep a radius from being 0, so that duplicates of a row count as within it."""
    return np.maximum(radii, np.finfo(radii.dtype).tiny)
