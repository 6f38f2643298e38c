"""The k-nearest-neighbour classifier on frozen features."""

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.inputs.validation import as_labels, same_length
from mitools.metrics.nearest_rows import nearest_rows
from mitools.metrics.sphere import BLOCK_ROWS, Device, Features, UnitRows, check_same_width

SEARCHES = ("exact", "faiss")

Search = Callable[[torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]


def knn_accuracy(
    train: Features,
    train_labels: ArrayLike,
    report: Features,
    report_labels: ArrayLike,
    k: Sequence[int] = (20, 200),
    temperature: float = 0.07,
    device: Device = "cpu",
    search: str = "exact",
) -> dict[int, float]:
    """Share of *report* classified rightly by a vote of the nearest *train* rows; higher is better.

    Similarity is the cosine, and a neighbour's vote weighs ``exp(similarity / temperature)``. All `k`
    share one pass over the similarities, in blocks: memory does not grow with the rows where these are mapped
    from a file.

    Parameters
    ----------
    train
        Shape (n_train, d), L2-normalised here. A row of zeros stays at the origin and has cosine 0 with
        every row.
    train_labels
        Shape (n_train,).
    report
        Shape (n_report, d), L2-normalised here.
    report_labels
        Shape (n_report,). A class that *train* lacks is never guessed and counts as wrong.
    k
        Numbers of neighbours. One above n_train is capped there, and a ``UserWarning`` says so.
    temperature
        Of the votes; positive.
    device
        Where the similarities are computed.
    search
        ``exact``; or ``faiss``, which looks among the rows near a query alone, for banks of a million rows. A
        ``UserWarning`` then says which share of the neighbours was found, over queries searched exactly too.

    Returns
    -------
    dict of int to float
        The accuracy in [0, 1] for each `k` as it was asked for.

    Raises
    ------
    InputError
        When lengths or dimensions differ, values are not finite, `k` or `temperature` is not positive, or
        faiss is asked for and not installed.

    References
    ----------
    Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
    section 3.4; with the settings of Caron et al. (DINO), ICCV 2021.
    """
    if not k or min(k) < 1:
        raise InputError(f"k={list(k)} must name at least one number of neighbours, each at least 1")
    if not 0 < temperature < math.inf:
        raise InputError(f"temperature={temperature} must be positive")
    check_name("search", search, SEARCHES)
    check_same_width(train, report, "train", "report")
    train_labels, report_labels = np.asarray(train_labels), np.asarray(report_labels)
    same_length(len(train), len(train_labels), "train", "train_labels")
    same_length(len(report), len(report_labels), "report", "report_labels")
    bank, queries = UnitRows(train, device, "train"), UnitRows(report, device, "report")
    index = torch.from_numpy(as_labels(np.concatenate([train_labels, report_labels])))
    of_bank, truth = index[: len(bank)], index[len(bank) :]
    classes = int(index.max()) + 1
    capped = [each for each in k if each > len(bank)]
    if capped:
        warnings.warn(
            f"k={max(capped)} is above the {len(bank)} training rows; all of them vote", stacklevel=2
        )
    most = min(max(k), len(bank))
    nearest = _search(search, bank, queries, most)
    hits = dict.fromkeys(k, 0)
    for start in range(0, len(queries), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        similarity, place = nearest(queries[block], most)
        # Votes are summed on the CPU: CUDA's scatter_add adds in no fixed order. Dividing all weights of a
        # row by its largest changes no vote and keeps a small temperature from overflowing.
        weight = ((similarity - similarity[:, :1]) / temperature).cpu().double().exp_()
        place = place.cpu()
        found = place[:, 0] >= 0  # where an approximate search finds nothing, no guess is right
        weight[~found] = 0
        voted = of_bank[place.clamp(min=0)]  # a place that was not found has no weight
        for each in hits:
            votes = torch.zeros(len(voted), classes, dtype=torch.float64)
            votes.scatter_add_(1, voted[:, :each], weight[:, :each])
            hits[each] += int(((votes.argmax(dim=1) == truth[block]) & found).sum())
    return {each: count / len(queries) for each, count in hits.items()}


def _search(name: str, bank: UnitRows, queries: UnitRows, k: int) -> Search:
    """Give what finds neighbours; of an approximate search, say how many it finds."""
    if name == "exact":
        return lambda rows, most: nearest_rows(rows, bank, most)
    from mitools.metrics.approximate_rows import QUERIES_CHECKED, ApproximateRows

    index = ApproximateRows(bank)
    checked = min(QUERIES_CHECKED, len(queries))
    warnings.warn(
        f"approximate neighbours: {index.recall(queries, k):.1%} of the {k} nearest rows are found, as"
        f" {checked} rows searched exactly show",
        stacklevel=3,
    )
    return index.nearest
