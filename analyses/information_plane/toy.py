"""Does a network compress its input? Exact binned planes of a toy, tanh and ReLU (Saxe et al. 2018)."""

from functools import partial
from pathlib import Path

import pandas as pd

from mitools.analyses.information_plane.toy_findings import ACTIVATIONS, describe
from mitools.analyses.information_plane.toy_networks import (
    NetworkRecipe,
    accuracy,
    hidden_layers,
    kept_epochs,
    train_networks,
)
from mitools.analyses.information_plane.toy_plane import network_plane, plane_of
from mitools.analyses.information_plane.twelve_bits import twelve_bits
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.report.figures.plane_curves import epochs_chart
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.figures.save import write_chart
from mitools.training.recipes import Count

TASK = "the 12-bit task of Shwartz-Ziv and Tishby (2017), all 4,096 patterns"
"""The data, above the figures."""

BARS_OVER_NETWORKS = "95% intervals of the mean over networks"
"""What captions say of the bars."""


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
        Folder for everything; an earlier, unfinished run in it is continued.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Not needed: the networks are so small that a CPU is fastest.

    Returns
    -------
    Finding or None
        None in all processes but the first.
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
            epochs = kept_epochs(networks)
            measure = partial(network_plane, layers, task, activation, recipe.bins, epochs)
            cell = results.cell("toy-plane", on, measure)
            rows += [
                {"activation": activation, "network": network, "accuracy": float(right[network]), **row}
                for row in cell["rows"]
            ]
    table = pd.DataFrame(rows)
    trained = plane_of(table)
    figures = [
        *write_chart(
            out / "information_plane_toy", plane_chart, trained, "binned", "binned", BARS_OVER_NETWORKS,
            subject=TASK,
        ),
        *write_chart(
            out / "by_epoch", epochs_chart, trained.assign(method=trained["layer"]), BARS_OVER_NETWORKS,
            subject=TASK,
        ),
    ]  # fmt: skip
    return write_finding(table, describe(table), out, figures)
