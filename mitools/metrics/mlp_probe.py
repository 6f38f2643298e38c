"""A small network on frozen features, read on data of their own: what a linear classifier may leave."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mitools.backends.seeding import seeded
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import split
from mitools.metrics.probe import check_train_and_test

HIDDEN = 200
"""Units of the hidden layer, as of Hjelm et al. (2019) and Tian et al. (2020, Table 7)."""

EPOCHS, BATCH, RATE = 100, 64, 1e-3
"""Passes over the rows, rows a step, and Adam's rate at first, which falls to a fifth after 60% and 80%."""


def mlp_probe_on_test(
    train: NDArray[np.floating],
    train_labels: NDArray[np.int64],
    test: NDArray[np.floating],
    test_labels: NDArray[np.int64],
    seed: int = 0,
    groups: Groups | None = None,
    *,
    hidden: int = HIDDEN,
    epochs: int = EPOCHS,
    device: torch.device | str = "cpu",
) -> NDArray[np.bool_]:
    """Fit a network of one hidden layer to one data set and read it on another: official parts.

    As :func:`mitools.metrics.probe.linear_probe_on_test`, 15% of *train* are held out: they say after which
    epoch the network is taken. Columns are standardised by the other rows of *train*.

    Parameters
    ----------
    train, test
        Shapes (n_train, d) and (n_test, d).
    train_labels, test_labels
        Shapes (n_train,) and (n_test,), 0..C-1; every class occurs in *train*, five times or more.
    seed
        Of the held-out rows, the first weights and the batches.
    groups
        Shape (n_train,): which rows of *train* depend on each other.
    hidden, epochs
        Units of the hidden layer, and passes over the rows.
    device
        Where the network is fitted.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n_test,): which rows are classified right; the mean is the accuracy.

    Raises
    ------
    InputError
        When lengths or widths differ, *test* has another class, or a class of *train* is too small.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.standard_normal((400, 2)).astype(np.float32)
    >>> labels = (rows[:, 0] * rows[:, 1] > 0).astype(np.int64)
    >>> right = mlp_probe_on_test(rows[:300], labels[:300], rows[300:], labels[300:], hidden=32, epochs=60)
    >>> float(right.mean()) > 0.8
    True
    """
    check_train_and_test(train, train_labels, test, test_labels)
    parts = split(len(train), train_labels, seed, groups)
    fitted, held_out = np.sort(np.concatenate([parts.train, parts.report])), parts.select
    centre, spread = train[fitted].mean(axis=0, dtype=np.float64), train[fitted].std(axis=0, dtype=np.float64)

    def standardised(rows: NDArray[np.floating]) -> Tensor:
        scaled = (rows - centre) / np.where(spread > 0, spread, 1.0)
        return torch.from_numpy(scaled.astype(np.float32)).to(device)

    labels = torch.from_numpy(train_labels).to(device)
    with seeded(seed):
        network = nn.Sequential(
            nn.Linear(train.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, int(train_labels.max()) + 1)
        ).to(device)
        _fit(
            network,
            (standardised(train[fitted]), labels[fitted]),
            (standardised(train[held_out]), labels[held_out]),
            epochs,
        )
    with torch.no_grad():
        decided = network(standardised(test)).argmax(dim=1).cpu().numpy()
    return np.asarray(decided == test_labels)


def _fit(
    network: nn.Sequential, fitted: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor], epochs: int
) -> None:
    """Train the network, and leave it as it was after the epoch of the least cross-entropy held out."""
    rows, labels = fitted
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.5, 0.999), fused=True)
    drops = [epochs * 6 // 10, epochs * 8 // 10]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, drops, gamma=0.2)
    least, best = float("inf"), {name: value.clone() for name, value in network.state_dict().items()}
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).to(rows.device).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            functional.cross_entropy(network(rows[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
        with torch.no_grad():
            loss = float(functional.cross_entropy(network(held_out[0]), held_out[1]))
        if loss < least:
            least, best = loss, {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(best)
