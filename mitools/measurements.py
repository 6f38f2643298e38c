"""What an audit measures on one encoder's features: each function is one cell of results, as JSON values."""

from dataclasses import dataclass

import numpy as np

from mitools.estimators.closed_form import ClassPosterior
from mitools.estimators.parts import Parts
from mitools.estimators.variational import VariationalEstimator
from mitools.features.extract import Features
from mitools.metrics.alignment import alignment
from mitools.metrics.clustering import kmeans_nmi
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.tolerance import tolerance, tolerance_all_pairs
from mitools.metrics.uniformity import uniformity
from mitools.pairing.same_class import SameClassPairs
from mitools.pairing.view_pairs import ViewPairs
from mitools.results import Values

NEIGHBOURS = (20, 200)


@dataclass(frozen=True)
class AuditSettings:
    """What an audit is asked for, beside data and encoders.

    Attributes
    ----------
    simclr
        Measure I_SimCLR too, on `views` augmented views an image: the encoder runs that many more times.
    prior
        The class distribution that is meant: ``empirical`` or ``uniform``.
    seed
        Of the split, the critics and the views.
    device, batch_size, workers
        Where and how encoders run; no number depends on them.
    """

    simclr: bool = False
    views: int = 2
    prior: str = "empirical"
    seed: int = 0
    device: str = "cpu"
    batch_size: int = 256
    workers: int = 0


def certificate(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Certify I_class, bound the label information, and read the linear probe off the same classifier."""
    fitted = ClassPosterior(prior=settings.prior, seed=settings.seed)
    fitted.fit(features.values[:, 0], features.labels, parts)
    return {
        "estimates": {
            "i_class": fitted.dv_estimate_.to_dict(),
            "i_class_nwj": fitted.nwj_estimate_.to_dict(),
            "label_information": fitted.label_information_.to_dict(),
        },
        "metrics": {"linear_acc": fitted.accuracy_},
        "influence_nats": fitted.influence_.tolist(),
    }


def same_class_critic(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Estimate I_class after training, with a projection head as critic (Lee et al., Sec. III-C)."""
    rows = features.values[:, 0]
    critic = VariationalEstimator("infonce", "projection", device=settings.device, seed=settings.seed)
    critic.fit(rows, rows, SameClassPairs(features.labels, settings.prior), parts)
    return {"estimates": {"i_class_infonce": critic.estimate_.to_dict()}}


def view_critic(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Estimate I_SimCLR after training, on augmented views, with a projection head as critic."""
    n, n_views, d = features.values.shape
    rows = features.values.reshape(n * n_views, d)
    critic = VariationalEstimator("infonce", "projection", device=settings.device, seed=settings.seed)
    critic.fit(rows, rows, ViewPairs(n, n_views, features.labels), parts)
    report = features.values[parts.report]
    return {
        "estimates": {"i_simclr": critic.estimate_.to_dict()},
        "metrics": {"alignment_simclr": alignment(report[:, 0], report[:, 1], device=settings.device)},
    }


def quality(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Measure what mutual information is compared with, on the report part."""
    rows, labels, device = features.values[:, 0], features.labels, settings.device
    report, report_labels = rows[parts.report], labels[parts.report]
    pairs = SameClassPairs(labels, settings.prior).within(parts.report)
    x, y = pairs.independent(np.random.default_rng([settings.seed, 4]))
    train, train_labels = rows[parts.train], labels[parts.train]
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
