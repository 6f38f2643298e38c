"""Nearest rows of a large bank by an index of faiss: not all of them, and it is told how many."""

import math

import numpy as np
import torch

from mitools.core.optional_packages import need
from mitools.metrics.nearest_rows import nearest_rows
from mitools.metrics.sphere import BLOCK_ROWS, UnitRows

CELLS_VISITED = 32
"""Cells of the index whose rows a query is compared with; more find more and take longer."""

ROWS_A_CELL_TO_TRAIN_ON = 64
"""Rows of the bank that the centres of the cells are fitted to, for each of them."""

QUERIES_CHECKED = 256
"""Queries whose neighbours are searched exactly too."""


class ApproximateRows:
    """An index over unit rows: cells around k-means centres, the rows in half precision.

    A query is compared with the rows of the nearest cells alone: of n rows in 4 sqrt(n) cells with 8 sqrt(n).

    Parameters
    ----------
    bank
        Shape (n, d), unit rows.

    Raises
    ------
    InputError
        When faiss is not installed.

    References
    ----------
    Douze et al., "The Faiss library", 2024; inverted files after Jégou, Douze and Schmid, "Product
    Quantization for Nearest Neighbor Search", TPAMI 2011.
    """

    def __init__(self, bank: UnitRows) -> None:
        faiss = need("faiss", "faiss", "search='faiss'")
        self._bank = bank
        n, d = len(bank), bank[:1].shape[1]
        cells = max(1, min(4 * math.isqrt(n), n // ROWS_A_CELL_TO_TRAIN_ON))
        self._index = faiss.index_factory(d, f"IVF{cells},SQfp16", faiss.METRIC_INNER_PRODUCT)
        self._index.nprobe = min(CELLS_VISITED, cells)
        chosen = np.random.default_rng(0).permutation(n)[: cells * ROWS_A_CELL_TO_TRAIN_ON]
        self._index.train(bank.at(np.sort(chosen)).float().cpu().numpy())
        for start in range(0, n, BLOCK_ROWS):
            self._index.add(bank[start : start + BLOCK_ROWS].float().cpu().numpy())

    def nearest(self, queries: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Find about the `k` most similar rows of the bank; arguments and result as of :func:`nearest_rows`.

        The index searches on the CPU, and the result lies there.

        Where the cells visited hold fewer than `k` rows, the last ones have index -1 and similarity -inf.
        """
        similarity, index = self._index.search(queries.float().cpu().numpy(), k)
        found = torch.from_numpy(index)
        return torch.from_numpy(similarity).masked_fill_(found < 0, -torch.inf), found

    def recall(self, queries: UnitRows, k: int) -> float:
        """Share of the `k` nearest rows that are found, over some queries that are searched exactly too."""
        some = np.random.default_rng(1).permutation(len(queries))[:QUERIES_CHECKED]
        rows = queries.at(np.sort(some))
        exact, found = nearest_rows(rows, self._bank, k)[1], self.nearest(rows, k)[1]
        return float((exact.cpu()[:, :, None] == found[:, None]).any(dim=2).double().mean())
