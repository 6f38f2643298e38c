"""What the table of layers says, in words that pairs of seeds allow."""

import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import paired_by_seed
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import ONE_SEED, Measure
from mitools.analyses.tian2020_cmc.view_encoders.quality import SUPERVISED, UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.recipe import PREDICTIVE
from mitools.measures.accuracy_on_test import TEST_ACCURACY

CONTRASTIVE = "contrastive"

HIDDEN_ACCURACY = "mlp_test_acc"
"""The column of the classifier with a hidden layer; ``_low`` and ``_high`` are its interval."""

MEASURES = (
    Measure(TEST_ACCURACY, "linear accuracy", "%", 100.0, 1),
    Measure(HIDDEN_ACCURACY, "accuracy with a hidden layer", "%", 100.0, 1),
)

QUESTIONS = (
    (CONTRASTIVE, UNTRAINED),
    (PREDICTIVE, UNTRAINED),
    (CONTRASTIVE, PREDICTIVE),
    (SUPERVISED, CONTRASTIVE),
)
"""The pairs of methods that are compared at every layer."""

LEVEL = 0.05
"""How often one or more of a measure's intervals, or of its changes with depth, misses what it is of."""

PAPER_FINDING = (
    "On ImageNet Tian et al. found contrast to gain with depth, from 18.3% at conv1 to 42.8% at conv5, where"
    " prediction (SplitBrain) is best at conv3 with 35.4% and has 32.8% at conv5."
)


def describe(table: pd.DataFrame) -> str:
    """Say how accuracy goes with depth for each method, and which is better at which layer.

    Parameters
    ----------
    table
        One row a layer, method and seed, as ``results.csv`` of ``layers`` has them.
    """
    seeds, widths = table["seed"].nunique(), table["width"]
    text = (
        f"Classifiers read every layer, averaged over cells to {widths.min():,} to {widths.max():,} numbers,"
        f" and are counted on {table['n_test'].iloc[0]:,} items of the test part: {seeds}"
        f" seed{'s' * (seeds > 1)}, differences paired by seed. The supervised network reads the image,"
        " all others two views of it side by side. Of one measure, changes with depth of all methods hold"
        " together in 95%, and so do all pairs of methods at all layers."
    )
    for measure in measures_of(table):
        text += _depth(table, measure) + _answers(table, measure)
    return f"{text} {PAPER_FINDING}{ONE_SEED * (seeds == 1)}"


def measures_of(table: pd.DataFrame) -> tuple[Measure, ...]:
    """Give the measures that a table has."""
    return tuple(measure for measure in MEASURES if measure.column in table)


def _depth(table: pd.DataFrame, measure: Measure) -> str:
    """Say each method's accuracy layer by layer, and what the last layer has more than the first."""
    layers = list(dict.fromkeys(table["layer"]))
    told, confidence = [], 1 - LEVEL / table["method"].nunique()
    for method, own in table.groupby("method", sort=False):
        means = own.groupby("layer")[measure.column].mean()
        course = listed([measure.number(means[layer]) for layer in layers])
        change = paired_by_seed(own, measure.column, {"layer": layers[-1]}, {"layer": layers[0]}, confidence)
        verdict = {1: "it gains", -1: "it loses", 0: "neither is told"}[change.sign]
        told.append(
            f"{method} {course}, {measure.change(change)} from {layers[0]} to {layers[-1]} ({verdict})"
        )
    return f" {measure.title} by layer (%): {'; '.join(told)}."


def _answers(table: pd.DataFrame, measure: Measure) -> str:
    told = [_answer(table, measure, one, other) for one, other in QUESTIONS]
    return f" Beyond the intervals {'; '.join(told)}."


def _answer(table: pd.DataFrame, measure: Measure, one: str, other: str) -> str:
    """Name the layers at which a method is better or worse than another."""
    found: dict[int, list[str]] = {1: [], -1: [], 0: []}
    layers = list(dict.fromkeys(table["layer"]))
    confidence = 1 - LEVEL / (len(QUESTIONS) * len(layers))
    for layer in layers:
        settings = {"layer": layer, "method": one}, {"layer": layer, "method": other}
        difference = paired_by_seed(table, measure.column, *settings, confidence)
        found[difference.sign].append(str(layer))
    words = {1: f"{one} lies above {other}", -1: f"{one} lies below {other}"}
    said = [f"{words[sign]} at {listed(found[sign])}" for sign in (1, -1) if found[sign]]
    return listed(said) or f"{one} and {other} are not told apart at any layer"
