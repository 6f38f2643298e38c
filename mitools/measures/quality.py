"""What mutual information is compared with: accuracies, alignment, uniformity, tolerance."""

import numpy as np

from mitools.auditing.settings import AuditSettings
from mitools.core.result_store import Values
from mitools.estimators.inputs.splits import Parts, at_most
from mitools.features.extract import Features
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


def quality(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Measure what mutual information is compared with, on the report part.

    What compares all pairs is taken on a random part of 32,768 report items, and of 131,072 training items,
    where there are more.
    """
    rows, labels, device = features.values[:, 0], features.labels, settings.device
    rng = np.random.default_rng([settings.seed, 5])
    reported = at_most(parts.report, MOST_REPORTED, rng)
    report, report_labels = rows[reported], labels[reported]
    pairs = SameClassPairs(labels, settings.prior).within(parts.report)
    x, y = pairs.independent(np.random.default_rng([settings.seed, 4]))
    trained = at_most(parts.train, MOST_TRAINING, rng)
    train, train_labels = rows[trained], labels[trained]
    # A small training part has fewer neighbours to ask than the table's columns are named for.
    asked = {k: min(k, len(train)) for k in NEIGHBOURS}
    neighbours = knn_accuracy(train, train_labels, report, report_labels, list(asked.values()), device=device)
    return {
        "metrics": {
            **{f"knn{k}_acc": neighbours[least] for k, least in asked.items()},
            "alignment": alignment(rows[x], rows[y], device=device),
            "uniformity": uniformity(report, device=device),
            "tolerance": tolerance(report, report_labels),
            "tolerance_all_pairs": tolerance_all_pairs(report, report_labels),
            "recall_at_1": recall_at_1(report, report_labels, device=device),
            "nmi": kmeans_nmi(report, report_labels, settings.seed),
        }
    }


def guard(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Count what is wrong with the features of all items."""
    found = feature_quality(features.values[:, 0], settings.seed)
    classes = int(features.labels.max()) + 1
    return {"metrics": found.to_dict(), "warnings": {"features": found.warnings(classes)}}
