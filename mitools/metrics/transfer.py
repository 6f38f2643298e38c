"""Transfer: what a new classifier on frozen features gets right on another data set."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.validation import same_length

Right = NDArray[np.bool_]
"""Shape (n_report,): which items of *report* are classified right; its mean is the accuracy."""


@dataclass(frozen=True)
class TransferProtocol:
    """How a classifier on a frozen backbone is trained: SGD on batches of a fixed size.

    The defaults are those of Cui et al. (2022, A.6) for STL-10 and CINIC-10; momentum and weight decay,
    which they do not state, are those of their source training.

    Attributes
    ----------
    steps
        Of SGD; the rate is divided by ten after a third and after two thirds of them (5,000 and 10,000 of
        15,000).
    batch_size
        Items a step; all of them where there are fewer.
    learning_rate
        At first.
    momentum, weight_decay
        Of SGD.
    """

    steps: int = 15_000
    batch_size: int = 512
    learning_rate: float = 0.4
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def rate(self, step: int) -> float:
        """Give the learning rate of a step, counted from 0."""
        return self.learning_rate / 10.0 ** (3 * step // self.steps)


def frozen_transfer(
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    parts: Parts,
    protocol: TransferProtocol | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Right:
    """Train a linear classifier on frozen features as they are, and read it once.

    Everything that is not reported on is trained on, and the classifier of the last step is the one that
    counts: nothing is chosen by the items reported on. Features are not scaled, as in the paper; for one
    that scales them and picks its regularisation, see :func:`mitools.metrics.probe.linear_probe`.

    Parameters
    ----------
    features
        Shape (n, d).
    labels
        Shape (n,), 0..C-1.
    parts
        The split; train and select are trained on.
    protocol
        See :class:`TransferProtocol`.
    seed
        Of the batches.
    device
        Where the features stay.

    Raises
    ------
    InputError
        When the lengths differ, or the learning rate is too high for features of this size.
    """
    protocol = protocol or TransferProtocol()
    same_length(len(features), len(labels), "features", "labels")
    used = np.sort(np.concatenate([parts.train, parts.select]))
    rows = torch.from_numpy(np.ascontiguousarray(features[used], dtype=np.float32)).to(device)
    own = torch.from_numpy(labels[used]).to(device)
    generator = torch.Generator().manual_seed(seed)
    classifier = blind_classifier(rows.shape[1], int(labels.max()) + 1).to(device)
    optimiser = torch.optim.SGD(
        classifier.parameters(),
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        weight_decay=protocol.weight_decay,
    )
    size = min(protocol.batch_size, len(rows))
    order, place = torch.empty(0, dtype=torch.int64), 0
    for step in range(protocol.steps):
        if place + size > len(order):
            order, place = torch.randperm(len(rows), generator=generator).to(device), 0
        batch = order[place : place + size]
        place += size
        for group in optimiser.param_groups:
            group["lr"] = protocol.rate(step)
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(classifier(rows[batch]), own[batch]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    if not all(bool(torch.isfinite(weight).all()) for weight in classifier.parameters()):
        raise InputError(
            f"the transfer classifier diverged at learning rate {protocol.learning_rate:g}; features as large"
            f" as {float(rows.abs().max()):.3g} need a smaller one"
        )
    with torch.no_grad():
        report = torch.from_numpy(np.ascontiguousarray(features[parts.report], dtype=np.float32)).to(device)
        decided = classifier(report).argmax(dim=1).cpu().numpy()
    return np.asarray(decided == labels[parts.report])


def blind_classifier(width: int, classes: int) -> nn.Linear:
    """Make a classifier that starts at zero: every class is as likely, whatever the features' size."""
    classifier = nn.Linear(width, classes)
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    return classifier
