"""How every measure goes with linear accuracy over a shelf: on the same images, apart, within families."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.analyses.lee2023.quality.on_halves import (
    complete,
    measure_halves,
    measures_on_halves,
    oriented,
)
from mitools.analyses.lee2023.quality.shelf import family_of, run_of
from mitools.auditing.audit import Audit
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore
from mitools.statistics.correlation_differences import (
    FEWEST_CLUSTERS,
    JointCorrelations,
    apart_correlations,
    joint_correlations,
)
from mitools.statistics.grouped_correlation import correlate_groups

Floats = NDArray[np.float64]

TARGET = "linear_acc"
"""What measures are to go with."""

OF_VIEWS = ("i_simclr_bits", "alignment_simclr", "lidar_simclr")
"""Columns that are read once: views are not drawn again for a half."""


class Quality(NamedTuple):
    """Every measure beside linear accuracy, on the same encoders.

    Attributes
    ----------
    joint
        Correlations and differences, over encoders and images together.
    apart
        The same of measures on one half of the images and accuracy on the other; without measures of views.
    within
        The same as `joint` of what is left when the mean of each family (a method on its data) is taken off;
        None where there is one family, or too few runs.
    table
        ``joint.measures``, with ``same_half_pearson`` (measures and accuracy on one half of the images, mean
        over the halves), ``apart_pearson`` and ``within_pearson`` with their intervals, and ``between``: r of
        the families' means.
    accuracies
        The least and the greatest linear accuracy.
    encoder_alone
        Measures that are not computed on halves: their intervals are over encoders alone.
    left_out
        Measures that some encoder has no number of on some half, or that are the same for all.
    """

    joint: JointCorrelations
    apart: JointCorrelations
    within: JointCorrelations | None
    table: pd.DataFrame
    accuracies: tuple[float, float]
    encoder_alone: list[str]
    left_out: list[str]


def correlate_together(
    audit: Audit, store: ResultStore, n_halves: int, seed: int, advance: Advance = silent
) -> Quality:
    """Correlate every measure with accuracy, over runs and halves of the images together.

    Parameters
    ----------
    audit
        The last layer of every encoder is taken.
    store
        Keeps what is measured on halves.
    n_halves
        Even.
    seed
        Of the halves and of the bootstrap.
    advance
        Told what is done.
    """
    again, encoders = measures_on_halves(audit), audit.last_layers()
    halves = measure_halves(audit, encoders, again, store, n_halves, seed, advance)
    results = pd.DataFrame([one.row for one in encoders])
    specs = [one.spec for one in encoders]
    wanted = [f"{name}_bits" if f"{name}_bits" in results else name for name in again if name != TARGET]
    of_views = [name for name in OF_VIEWS if name in results]
    full = oriented(results, [*wanted, *of_views])
    turned = [oriented(half, wanted).join(full[of_views]) for half in halves]
    names = complete([full, *turned])
    clusters = _numbers([str(run_of(spec) or spec) for spec in specs])
    families = [family_of(spec) or spec for spec in specs]
    values, target = full[names], results[TARGET].to_numpy(np.float64)
    read = np.stack([half[names].to_numpy(np.float64) for half in turned])
    whole = [half[TARGET] for half in halves]
    accuracy = np.stack([one.to_numpy(np.float64) for one in whole])
    joint = joint_correlations(values, target, read, accuracy, clusters, seed=seed)

    of_halves = [name not in of_views for name in names]
    on_half = [name for name in names if name not in of_views]
    apart = apart_correlations(on_half, read[:, :, of_halves], accuracy, clusters, seed=seed)
    on_same_half = [
        np.mean([half[name].corr(acc) for half, acc in zip(turned, whole, strict=True)]) for name in on_half
    ]
    within = _within(values, target, read, accuracy, clusters, _numbers(families), seed)

    same = dict(zip(on_half, on_same_half, strict=True))
    table = joint.measures.assign(same_half_pearson=joint.measures["measure"].map(same))
    table = _with(table, "apart", apart, ["pearson", "pearson_low", "pearson_high"])
    if within is not None:
        table = _with(table, "within", within, ["pearson", "pearson_low", "pearson_high"])
        means = correlate_groups(
            values.assign(**{TARGET: target, "family": families}), TARGET, "family", seed=seed
        )
        between = means[means["scope"] == "between"].set_index("column")["pearson"]
        table = table.assign(between=table["measure"].map(between))
    accuracies = float(target.min()), float(target.max())
    left_out = [name for name in full if name not in names]
    return Quality(
        joint, apart, within, table, accuracies, [name for name in of_views if name in names], left_out
    )


def _within(
    values: pd.DataFrame,
    target: Floats,
    read: Floats,
    accuracy: Floats,
    clusters: NDArray[np.int64],
    families: NDArray[np.int64],
    seed: int,
) -> JointCorrelations | None:
    """Correlate what is left when each family's mean is taken off."""
    count = int(families.max()) + 1
    if count < 2 or len(np.unique(clusters)) < count + FEWEST_CLUSTERS - 1:
        return None
    belongs = np.eye(count)[families]
    off = np.eye(len(target)) - belongs @ np.linalg.pinv(belongs)  # takes the mean of its family off each row
    centred = pd.DataFrame(off @ values.to_numpy(np.float64), columns=values.columns)
    return joint_correlations(
        centred, off @ target, off @ read, accuracy @ off, clusters, means=count, seed=seed
    )


def _with(table: pd.DataFrame, name: str, found: JointCorrelations, columns: Sequence[str]) -> pd.DataFrame:
    """Add columns of other correlations of the same measures."""
    own = found.measures.set_index("measure")
    return table.assign(**{f"{name}_{column}": table["measure"].map(own[column]) for column in columns})


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(names, return_inverse=True)[1]
