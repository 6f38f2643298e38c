"""Does a network compress its input? Exact binned planes of a toy, tanh and ReLU (Saxe et al. 2018)."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from mitools.analyses.information_plane.toy_networks import (
    Activation,
    NetworkRecipe,
    accuracy,
    hidden_layers,
    kept_epochs,
    train_networks,
)
from mitools.analyses.information_plane.twelve_bits import TwelveBits, shared_bits, twelve_bits
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.entropy import nats_to_bits
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.report.figures.plane_curves import epochs_chart
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.figures.save import WITH_PDF, write_chart
from mitools.training.recipes import Count

Floats = NDArray[np.float64]
Range = tuple[float, float]

ACTIVATIONS: tuple[Activation, ...] = ("tanh", "relu")

TANH_RANGE: Range = (-1.0, 1.0)

COMPRESSED_BITS = 0.5
"""A layer counts as compressed where I(X;T) falls from its highest mean by more, beyond chance."""

OVER_NETWORKS = "95% intervals of the mean over networks"

LEARNT = 0.6
"""Share of patterns right above which a network counts as trained; half of them are right by chance."""


class InformationPlaneToyRecipe(Recipe):
    """What the study is made from.

    Attributes
    ----------
    tanh, relu
        How the networks of either activation are trained.
    bins
        Of equal width, a unit: over [-1, 1] for tanh, and over a layer's range in the whole run for ReLU.
    labels_seed
        Of the labels, which are drawn once from the published kind of rule.
    """

    tanh: NetworkRecipe = NetworkRecipe()
    relu: NetworkRecipe = NetworkRecipe()
    bins: Count = 30
    labels_seed: int = 0


def run(
    recipe: InformationPlaneToyRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train both kinds of networks on all of the task, and read their planes over all 4,096 patterns.

    Parameters
    ----------
    recipe
        See :class:`InformationPlaneToyRecipe`.
    out
        Where everything goes; what is there of an earlier start is gone on with.
    advance
        Told what is being done, how much of it is done, and how much there is.
    runtime
        Not needed: the networks are so small that a CPU is fastest.

    Returns
    -------
    Finding or None
        None in processes beside the first.
    """
    if runtime is not None and not runtime.is_main:
        return None
    task = twelve_bits(recipe.labels_seed)
    results = ResultStore(out / "cells")
    rows: list[Values] = []
    for activation in ACTIVATIONS:
        networks: NetworkRecipe = getattr(recipe, activation)
        if advance:
            advance(f"{activation}: training {networks.networks} networks", 0, networks.networks)
        weights = train_networks(networks, activation, task.patterns, task.labels, out / "networks")
        right = accuracy(weights, activation, task.patterns, task.labels)
        for network in range(networks.networks):
            if advance:
                advance(f"{activation}: planes", network, networks.networks)
            layers = hidden_layers(weights, activation, task.patterns, network)
            on = {
                "task": recipe.labels_seed,
                "networks": networks.model_dump(mode="json"),
                "activation": activation,
                "network": network,
                "bins": recipe.bins,
            }
            cell = results.cell(
                "toy-plane", on, partial(_plane, layers, task, activation, recipe.bins, kept_epochs(networks))
            )
            rows += [
                {"activation": activation, "network": network, "accuracy": float(right[network]), **row}
                for row in cell["rows"]
            ]
    table = pd.DataFrame(rows)
    trained = plane_of(table)
    figures = [
        *write_chart(
            out / "information_plane_toy", plane_chart, trained, "binned", "binned", OVER_NETWORKS,
            endings=WITH_PDF,
        ),
        *write_chart(
            out / "by_epoch", epochs_chart, trained.assign(method=trained["layer"]), OVER_NETWORKS,
            endings=WITH_PDF,
        ),
    ]  # fmt: skip
    return write_finding(table, read(table), out, figures)


def binned_plane(layer: Floats, labels: NDArray[np.int64], bins: int, limits: Range) -> tuple[float, float]:
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
    of_input = BinnedEstimator(bins, None, x_range=limits).estimate(layer, every_input)
    of_label = BinnedEstimator(bins, None, x_range=limits).estimate(layer, labels)
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
            mean, reach = _mean_and_reach(group[column].to_numpy(np.float64))
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
    return table[table["accuracy"] > LEARNT]


def falls(table: pd.DataFrame, activation: str) -> pd.DataFrame:
    """Say of every layer how far I(X;T) falls from its highest mean over networks to the last epoch.

    Parameters
    ----------
    table
        As ``results.csv``.
    activation
        Whose networks.

    Returns
    -------
    pandas.DataFrame
        ``layer``, ``peak_epoch``, ``peak_bits`` and ``end_bits`` of the mean over networks, ``fall_bits``
        with ``fall_low`` and ``fall_high`` (a 95% interval, paired over networks, each of which falls from
        the epoch at which the others are highest), and ``compressed``.
    """
    kept = trained_networks(table)
    rows = []
    for layer, group in kept[kept["activation"] == activation].groupby("layer", sort=False):
        courses = group.pivot(index="network", columns="epoch", values="i_xt_bits").sort_index(axis=1)
        mean = courses.mean(axis=0)
        peak = mean.idxmax()
        fall, reach = _mean_and_reach(_falls_of_networks(courses))
        rows.append(
            {
                "layer": layer,
                "peak_epoch": peak,
                "peak_bits": float(mean[peak]),
                "end_bits": float(mean.iloc[-1]),
                "fall_bits": fall,
                "fall_low": fall - reach,
                "fall_high": fall + reach,
                "compressed": fall > COMPRESSED_BITS and fall - reach > 0,
            }
        )
    return pd.DataFrame(rows)


def _falls_of_networks(courses: pd.DataFrame) -> Floats:
    """Give each network's fall from the epoch at which the others are highest: it is not picked by it."""
    found = []
    for network, course in courses.iterrows():
        others = courses.drop(index=network) if len(courses) > 1 else courses
        found.append(course[others.mean(axis=0).idxmax()] - course.iloc[-1])
    return np.array(found, dtype=np.float64)


def read(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        As ``results.csv``.
    """
    first = table.iloc[0]
    text = (
        f"Over all {first['n']:,} patterns, with {first['bins']} bins of equal width a unit, I(X;T) and"
        f" I(T;Y) are exact for the binned layers. I(X;Y) of the rule is {first['i_xy_bits']:.2f} bits; its"
        f" labels are drawn once, and of those drawn it is their entropy, {first['h_y_bits']:.2f}."
    )
    doubt = ""
    compressed: dict[str, bool] = {}
    for activation in ACTIVATIONS:
        own = table[table["activation"] == activation]
        kept = trained_networks(own)
        learnt, all_of_them = kept["network"].nunique(), own["network"].nunique()
        text += f" {activation}: {learnt} of {all_of_them} networks learnt the rule"
        if kept.empty:
            text += ", so nothing can be said of it."
            continue
        ends = kept.drop_duplicates("network")["accuracy"]
        text += f" ({ends.min():.1%} to {ends.max():.1%} of the patterns right)."
        found = falls(table, activation)
        fallen = found[found["compressed"]]
        compressed[activation] = len(fallen) > 0
        if len(fallen):
            parts = [
                f"{row.layer} by {row.fall_bits:.2f} bits ({row.fall_low:.2f} to {row.fall_high:.2f}) from"
                f" {row.peak_bits:.2f} at epoch {row.peak_epoch}"
                for row in fallen.itertuples()
            ]
            text += f" I(X;T) falls in {listed(parts)}."
        else:
            most = found.loc[found["fall_bits"].idxmax()]
            text += (
                f" In no layer does I(X;T) fall by more than {COMPRESSED_BITS} bits beyond chance; most in"
                f" {most['layer']}, {most['fall_bits']:.2f} ({most['fall_low']:.2f} to"
                f" {most['fall_high']:.2f})."
            )
            if found["fall_high"].max() > COMPRESSED_BITS:
                doubt += (
                    f" For {activation} so few networks do not rule out a fall of up to"
                    f" {found['fall_high'].max():.2f} bits in one layer."
                )
    if len(compressed) < len(ACTIVATIONS):
        return text
    if compressed["tanh"] and not compressed["relu"]:
        text += " So tanh compresses under binning and ReLU is not seen to, in line with Saxe et al."
    elif compressed["tanh"]:
        text += " So both compress under binning here; Saxe et al. found it for tanh alone."
    elif compressed["relu"]:
        text += " So ReLU compresses under binning here and tanh does not, the reverse of Saxe et al."
    else:
        text += " So neither compresses under binning here; Saxe et al. found it for tanh."
    return (
        text
        + doubt
        + " Either way it is the binned layer that is measured: unbinned, I(X;T) is that of X itself."
    )


def _plane(
    layers: list[Floats], task: TwelveBits, activation: Activation, bins: int, epochs: list[int]
) -> Values:
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


def _mean_and_reach(values: Floats) -> tuple[float, float]:
    """Give a mean and half its 95% interval by Student's t; 0 where a single value has none."""
    if len(values) < 2:
        return float(values.mean()), 0.0
    stderr = values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), float(student.ppf(0.975, len(values) - 1) * stderr)
