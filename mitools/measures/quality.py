"""What mutual information is compared with, on the report part: accuracies, alignment, uniformity, tolerance.

What compares every two items is taken on a random part of the report items, and of the training items, where
there are more than so many.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.inputs.splits import at_most
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.alignment import alignment
from mitools.metrics.clustering import kmeans_nmi
from mitools.metrics.feature_quality import feature_quality
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.tolerance import tolerance, tolerance_all_pairs
from mitools.metrics.uniformity import uniformity
from mitools.pairing.same_class import SameClassPairs

NEIGHBOURS = (20, 200)

MOST_TRAINING, MOST_REPORTED = 131_072, 32_768
"""Items that the metrics over all pairs are taken on at the most: a random part of each part."""


class _Compared(NamedTuple):
    """The items that metrics over all pairs are taken on, shape (m,) each."""

    train: NDArray[np.int64]
    report: NDArray[np.int64]


def _compared(representation: Representation, settings: MeasureSettings) -> _Compared:
    """Choose the items: the same for every metric, whichever of them are asked for."""
    rng = np.random.default_rng([settings.seed, 5])
    report = at_most(representation.parts.report, MOST_REPORTED, rng)
    return _Compared(at_most(representation.parts.train, MOST_TRAINING, rng), report)


def _reported(
    representation: Representation, settings: MeasureSettings
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Give the rows, shape (m, d), and labels, shape (m,), of the report items."""
    report = _compared(representation, settings).report
    return representation.rows[report], representation.labels[report]


def neighbour_accuracies(representation: Representation, settings: MeasureSettings) -> Measured:
    """Classify the report items by their 20, and by their 200 nearest training items."""
    train = _compared(representation, settings).train
    rows, labels = representation.rows[train], representation.labels[train]
    report, report_labels = _reported(representation, settings)
    # A small training part has fewer neighbours to ask than the table's columns are named for.
    asked = {k: min(k, len(train)) for k in NEIGHBOURS}
    found = knn_accuracy(rows, labels, report, report_labels, list(asked.values()), device=settings.device)
    return Measured({f"knn{k}_acc": found[least] for k, least in asked.items()})


def same_class_alignment(representation: Representation, settings: MeasureSettings) -> Measured:
    """Align pairs of one class, every report item in one pair at the most."""
    pairs = SameClassPairs(representation.labels, settings.prior).within(representation.parts.report)
    x, y = pairs.independent(np.random.default_rng([settings.seed, 4]))
    rows = representation.rows
    return Measured({"alignment": alignment(rows[x], rows[y], device=settings.device)})


def view_alignment(representation: Representation, settings: MeasureSettings) -> Measured:
    """Align the first two views of every report item."""
    assert representation.views is not None
    report = representation.views[representation.parts.report]
    return Measured({"alignment_simclr": alignment(report[:, 0], report[:, 1], device=settings.device)})


def report_uniformity(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure how evenly the report items are spread."""
    rows, _ = _reported(representation, settings)
    return Measured({"uniformity": uniformity(rows, device=settings.device)})


def class_tolerance(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure how alike report items of one class are, over same-class pairs and over all pairs."""
    rows, labels = _reported(representation, settings)
    return Measured(
        {
            "tolerance": tolerance(rows, labels),
            "tolerance_all_pairs": tolerance_all_pairs(rows, labels),
        }
    )


def nearest_item_recall(representation: Representation, settings: MeasureSettings) -> Measured:
    """Count the report items whose nearest other report item is of their class."""
    rows, labels = _reported(representation, settings)
    return Measured({"recall_at_1": recall_at_1(rows, labels, device=settings.device)})


def cluster_agreement(representation: Representation, settings: MeasureSettings) -> Measured:
    """Compare k-means clusters of the report items with their classes."""
    rows, labels = _reported(representation, settings)
    return Measured({"nmi": kmeans_nmi(rows, labels, settings.seed)})


def feature_faults(representation: Representation, settings: MeasureSettings) -> Measured:
    """Count constant and dead dimensions, copies of rows and values that are not finite."""
    found = feature_quality(representation.rows, settings.seed)
    classes = int(representation.labels.max()) + 1
    return Measured(found.to_dict(), warnings={"features": found.warnings(classes)})
