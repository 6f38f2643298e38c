"""Directions of canonical components, each row's fixed by other rows, turned to load on few columns."""

from typing import NamedTuple

import numpy as np
import torch

from mitools.estimators.array_types import Doubles
from mitools.estimators.critics.gaussian_copula import CLEAR_CORRELATION, GaussianCopulaBase
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.rank_normal import values_recur

ROTATION_KEEPS_SHARE = 0.97
"""Share of the normal information that a rotation must leave between the components of a pair."""

SETTLED_ANGLE = 1e-6
"""Radians below which no plane is turned any more."""

SMALL_COEFFICIENT = 0.1
"""Share of a direction's greatest coefficient below which others are left out where values recur."""


class Directions(NamedTuple):
    """Where components point, and how the columns load on them, shape (d_x + d_y, k)."""

    of_x: Doubles
    of_y: Doubles
    correlations: Doubles
    loadings: Doubles

    def turned(self, turn: Doubles) -> "Directions":
        """Turn the components of both sides together."""
        correlations = np.diag(turn.T * self.correlations @ turn)
        return Directions(self.of_x @ turn, self.of_y @ turn, correlations, self.loadings @ turn)


def components(
    x: Doubles, y: Doubles, folds: int, seed: int, groups: Groups | None
) -> tuple[Doubles, Doubles]:
    """Give the components of every row of normal scores: shapes (n, k) and (n, k).

    Directions are those that other rows fixed, but for ties: see :class:`.ComponentEstimator`.
    """
    if x.shape[1] == y.shape[1] == 1:
        return x, y
    rng = np.random.default_rng(seed)
    if groups is None:
        fold = rng.permutation(len(x)) % folds
    else:
        fold = (rng.permutation(int(groups.max()) + 1) % folds)[groups]
    found: list[Directions] = []
    for held in (fold == j for j in range(folds)):
        if not found:
            found.append(_on_few_columns(_canonical(x[~held], y[~held], None)))
            continue
        first = found[0]
        one = _canonical(x[~held], y[~held], len(first.correlations))
        # The same components in the same order: the turn that brings the loadings closest.
        left, _, right = np.linalg.svd(one.loadings.T @ first.loadings)
        found.append(one.turned(left @ right))
    if values_recur(x) or values_recur(y):
        of_x, of_y = (np.mean(parts, axis=0) for parts in zip(*(one[:2] for one in found), strict=True))
        return x @ _without_small(of_x), y @ _without_small(of_y)
    u, v = (np.empty((len(x), len(found[0].correlations))) for _ in range(2))
    for j, one in enumerate(found):
        held = fold == j
        u[held], v[held] = x[held] @ one.of_x, y[held] @ one.of_y
    return u, v


def _without_small(directions: Doubles) -> Doubles:
    """Set small coefficients to 0, shape (d, k): they are noise, which would put tied rows in an order."""
    size = np.abs(directions)
    return np.where(size < SMALL_COEFFICIENT * size.max(axis=0, initial=0.0), 0.0, directions)


def _canonical(x: Doubles, y: Doubles, count: int | None) -> Directions:
    """Fit the leading canonical directions: `count`, or those that are clearly correlated."""
    base = GaussianCopulaBase.fit(torch.from_numpy(x), torch.from_numpy(y))
    to_u, to_v, r = (part.cpu().numpy() for part in (base.to_u, base.to_v, base.correlations))
    used = slice(count if count is not None else int((r > CLEAR_CORRELATION).sum()))
    r = r[used]
    # The base's directions carry the sharpness of its ratio; components have variance 1.
    blunt = np.sqrt((1 - np.square(r)) / np.maximum(r, 1e-12))
    of_x, of_y = to_u[:, used] * blunt, to_v[:, used] * blunt
    loadings = np.vstack([side.T @ (side @ of) / len(side) for side, of in ((x, of_x), (y, of_y))])
    return Directions(of_x, of_y, r, loadings)


def _on_few_columns(found: Directions) -> Directions:
    """Turn the components until they load on few columns, where that leaves them matched."""
    if len(found.correlations) < 2:
        return found
    turned = found.turned(_varimax(found.loadings))
    before, after = (np.log1p(-np.square(each.correlations)).sum() for each in (found, turned))
    return turned if after <= ROTATION_KEEPS_SHARE * before else found


def _varimax(loadings: Doubles, rounds: int = 30) -> Doubles:
    """Turn that makes squared loadings vary most, shape (k, k), plane by plane (Kaiser 1958, Eq. 17)."""
    rows, k = loadings.shape
    now, turn = loadings.copy(), np.eye(k)
    for _ in range(rounds):
        largest = 0.0
        for i in range(k):
            for j in range(i):
                one, other = now[:, i], now[:, j]
                u, v = one**2 - other**2, 2 * one * other
                sine = 2 * (u @ v) - 2 * u.sum() * v.sum() / rows
                cosine = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / rows
                angle = float(np.arctan2(sine, cosine)) / 4
                plane = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                now[:, [i, j]], turn[:, [i, j]] = now[:, [i, j]] @ plane, turn[:, [i, j]] @ plane
                largest = max(largest, abs(angle))
        if largest < SETTLED_ANGLE:
            break
    return turn
