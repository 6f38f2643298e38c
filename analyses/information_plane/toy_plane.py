"""Exact binned planes of the toy networks: one network's, and the mean over networks."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from mitools.analyses.information_plane.toy_networks import Activation
from mitools.analyses.information_plane.twelve_bits import TwelveBits, shared_bits
from mitools.core.entropy import nats_to_bits
from mitools.core.result_store import Values
from mitools.estimators.classical.binned import BinnedEstimator

Floats = NDArray[np.float64]
BinLimits = tuple[float, float]

TANH_RANGE: BinLimits = (-1.0, 1.0)

LEARNT_ACCURACY = 0.6
"""Share of patterns right above which a network counts as trained; half of them are right by chance."""


def network_plane(
    layers: list[Floats], task: TwelveBits, activation: Activation, bins: int, epochs: list[int]
) -> Values:
    """Read the plane of one network at every kept epoch, over all patterns.

    Parameters
    ----------
    layers
        One a hidden layer, shape (epochs, n, width).
    task
        Whose patterns they are.
    activation
        Says over which limits a layer is binned.
    bins
        Of equal width, a unit.
    epochs
        The kept ones.

    Returns
    -------
    dict
        ``rows``, one a layer and epoch.
    """
    rows = []
    share = task.labels.mean()
    h_y = nats_to_bits(float(-(share * np.log(share) + (1 - share) * np.log(1 - share))))
    for depth, courses in enumerate(layers):
        top = float(courses.max())
        limits = TANH_RANGE if activation == "tanh" else (0.0, top if top > 0 else 1.0)
        for epoch, layer in zip(epochs, courses, strict=True):
            i_xt, i_ty = binned_plane(layer, task.labels, bins, limits)
            row: dict[str, Any] = {"layer": f"layer {depth + 1}", "depth": depth, "width": layer.shape[1]}
            row |= {"epoch": epoch, "i_xt_bits": i_xt, "i_ty_bits": i_ty, "low_edge": limits[0]}
            row |= {"high_edge": limits[1], "bins": bins, "n": len(layer), "h_y_bits": h_y}
            rows.append(row | {"i_xy_bits": shared_bits(task.positive)})
    return {"rows": rows}


def binned_plane(
    layer: Floats, labels: NDArray[np.int64], bins: int, limits: BinLimits
) -> tuple[float, float]:
    """Read I(X;T) and I(T;Y) of a binned layer in bits, over patterns that are all there is.

    Parameters
    ----------
    layer
        Shape (n, width), one row a pattern.
    labels
        Shape (n,).
    bins, limits
        Of equal width over the limits, the same for all units.
    """
    every_input = np.arange(len(layer))
    of_input = BinnedEstimator(bins, None, x_range=limits).fit(layer, every_input).estimate_
    of_label = BinnedEstimator(bins, None, x_range=limits).fit(layer, labels).estimate_
    return of_input.bits, of_label.bits


def plane_of(table: pd.DataFrame) -> pd.DataFrame:
    """Average over networks, in the columns of :class:`mitools.plane.measure.Plane`.

    Parameters
    ----------
    table
        As ``results.csv``. The limits are those of a 95% interval of the mean over the networks that learnt
        the rule; over all of an activation where none did, which its name in ``data`` says.
    """
    rows: list[Values] = []
    keys = ["activation", "layer", "depth", "epoch"]
    drawn, titles = [], {}
    for activation, own in table.groupby("activation", sort=False):
        kept = trained_networks(own)
        drawn.append(own if kept.empty else kept)
        count = drawn[-1]["network"].nunique()
        titles[activation] = f"{activation}, {count} network{'s' if count > 1 else ''}"
        titles[activation] += ", none of which learnt" if kept.empty else ""
    for (activation, layer, depth, epoch), group in pd.concat(drawn).groupby(keys, sort=False):
        for quantity, column in (("I(X;T)", "i_xt_bits"), ("I(T;Y)", "i_ty_bits")):
            mean, reach = mean_and_half_interval(group[column].to_numpy(np.float64))
            of_input = quantity == "I(X;T)"
            most = np.log2(group["n"].iloc[0]) if of_input else group["h_y_bits"].iloc[0]
            rows.append(
                {
                    "encoder": f"{activation}@{epoch}", "epoch": epoch, "stage": None, "layer": layer,
                    "depth": depth, "data": titles[activation],
                    "quantity": quantity, "method": "binned", "kind": "point estimate", "bits": mean,
                    "low_bits": max(mean - reach, 0.0), "high_bits": min(mean + reach, most),
                    "ceiling_bits": None, "entropy_bits": None if of_input else most,
                    "n": int(group["n"].iloc[0]), "role": "source", "warnings": "",
                    "measures": _measures(str(activation), int(group["bins"].iloc[0])) if of_input else "",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _measures(activation: str, bins: int) -> str:
    where = "[-1, 1]" if activation == "tanh" else "each layer's range in the run"
    return (
        f"{activation}: for a deterministic network with continuous T, I(X;T) is infinite, and this finite"
        f" reading measures the {bins} bins of equal width over {where} put in."
    )


def trained_networks(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the networks that never got beyond chance, as deep ReLU networks this narrow may not."""
    return table[table["accuracy"] > LEARNT_ACCURACY]


def mean_and_half_interval(values: Floats) -> tuple[float, float]:
    """Give a mean and half its 95% interval by Student's t; 0 where a single value has none."""
    if len(values) < 2:
        return float(values.mean()), 0.0
    stderr = values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), float(student.ppf(0.975, len(values) - 1) * stderr)
