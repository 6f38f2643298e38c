"""Alignment: how close the two members of a positive pair lie on the unit sphere."""

import math

import torch

from mitools.core.errors import InputError
from mitools.metrics.sphere import BLOCK_ROWS, Device, Features, unit_rows


def alignment(x: Features, y: Features, alpha: float = 2.0, device: Device = "cpu") -> float:
    """Mean distance of positive pairs, ``E ||x - y||^alpha``, over L2-normalised features; lower is better.

    Which joint distribution is meant is the caller's choice of pairs: two views of an image, or two images
    of a class. Over *all* same-class pairs, alignment with alpha 2 is ``2 - 2 * tolerance``.

    Parameters
    ----------
    x, y
        Shape (n, d) each; row i of `x` and row i of `y` are a positive pair. A row of zeros stays at the
        origin (see :func:`mitools.metrics.sphere.unit_rows`).
    alpha
        The exponent; positive.
    device
        Where to compute.

    Returns
    -------
    float
        Between 0 and ``2**alpha``.

    Raises
    ------
    InputError
        When the shapes differ, values are not finite, or `alpha` is not positive.

    References
    ----------
    Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on
    the Hypersphere", ICML 2020, section 4.1.
    """
    if tuple(x.shape) != tuple(y.shape):
        raise InputError(
            f"the members of positive pairs have shapes {tuple(x.shape)} and {tuple(y.shape)}, but row i of"
            " one belongs to row i of the other"
        )
    if not 0 < alpha < math.inf:
        raise InputError(f"alpha={alpha} must be positive")
    unit_rows(x[:1], name="x")  # refuses what is no (rows, columns) array, an empty one included
    total = 0.0
    for start in range(0, len(x), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        difference = unit_rows(x[block], device, "x").sub_(unit_rows(y[block], device, "y"))
        distance = torch.linalg.vector_norm(difference, dim=1)
        total += float(distance.pow_(alpha).cpu().double().sum())
    return total / len(x)
