"""The nearest rows of a bank by cosine similarity, found in blocks."""

import torch

from mitools.metrics.sphere import BLOCK_ROWS, UnitRows

BANK_ROWS = 2 * BLOCK_ROWS
"""Rows of the bank compared at once; wide, because each block is followed by a top-k."""


def nearest_rows(
    queries: torch.Tensor, bank: torch.Tensor | UnitRows, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the `k` most similar rows of the bank for every query.

    Parameters
    ----------
    queries
        Shape (m, d), unit rows; a block of them, since the result and the work space grow with m.
    bank
        Shape (n, d), unit rows on the same device; or what gives them in blocks.
    k
        How many; at most n.

    Returns
    -------
    similarity, index
        Shape (m, k) each, the most similar first. Rows equally similar come in no promised order.
    """
    similarity = queries.new_empty(len(queries), 0)
    index = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    for start in range(0, len(bank), BANK_ROWS):
        block = torch.mm(queries, bank[start : start + BANK_ROWS].T)
        near, place = block.topk(min(k, block.shape[1]), dim=1)
        similarity = torch.cat([similarity, near], dim=1)
        index = torch.cat([index, place + start], dim=1)
        similarity, order = similarity.topk(min(k, similarity.shape[1]), dim=1)
        index = index.gather(1, order)
    return similarity, index
