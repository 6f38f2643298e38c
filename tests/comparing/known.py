"""Encoders of stated attributes: what one of them adds to another is known exactly."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def noisy_channel(keep: float, symbols: int = 4) -> Floats:
    """Probabilities of what is seen given the class: itself with probability `keep`, else any other."""
    wrong = (1 - keep) / (symbols - 1)
    return np.full((symbols, symbols), wrong) + (keep - wrong) * np.eye(symbols)


def draw(channels: list[Floats], n: int, seed: int) -> tuple[list[Floats], NDArray[np.int64]]:
    """Draw classes, and what independent channels show of them, one-hot."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    shown = [(rng.random((n, 1)) > channel.cumsum(axis=1)[labels]).sum(axis=1) for channel in channels]
    return [np.eye(4)[one] for one in shown], labels


def complement_bits(of: Floats, given: Floats) -> float:
    """I(C; A | B) of two channels that are independent given the class, in bits."""
    joint = np.einsum("ca,cb->cab", of, given) / 4
    return information(joint.reshape(4, -1)) - information(given / 4)


def information(joint: Floats) -> float:
    """Mutual information of a table, in bits."""
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float((joint[some] * np.log2(joint[some] / product[some])).sum())
