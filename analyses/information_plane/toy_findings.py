"""Does a toy network compress its input? The falls of I(X;T), and what they say in words."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.analyses.information_plane.toy_networks import Activation
from mitools.analyses.information_plane.toy_plane import mean_and_half_interval, trained_networks
from mitools.analyses.shared.finding import listed

ACTIVATIONS: tuple[Activation, ...] = ("tanh", "relu")

COMPRESSED_BITS = 0.5
"""A layer counts as compressed where I(X;T) falls from its highest mean by more, beyond chance."""


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
        fall, reach = mean_and_half_interval(_falls_of_networks(courses))
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


def _falls_of_networks(courses: pd.DataFrame) -> NDArray[np.float64]:
    """Give each network's fall from the epoch at which the others are highest: it is not picked by it."""
    found = []
    for network, course in courses.iterrows():
        others = courses.drop(index=network) if len(courses) > 1 else courses
        found.append(course[others.mean(axis=0).idxmax()] - course.iloc[-1])
    return np.array(found, dtype=np.float64)


def describe(table: pd.DataFrame) -> str:
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
        text += f" With {activation} units {learnt} of {all_of_them} networks learnt the rule"
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
