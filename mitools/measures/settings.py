"""What an audit measures on one encoder's features: each function is one cell of results, as JSON values."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mitools.core.entropy import nats_to_bits
from mitools.core.result_store import Values
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.row_table import Table
from mitools.estimators.inputs.splits import Parts, at_most, split
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.warnings import two_sided
from mitools.features.extract import Features
from mitools.features.store import FeatureDtype
from mitools.metrics.alignment import alignment
from mitools.metrics.clustering import kmeans_nmi
from mitools.metrics.feature_quality import feature_quality
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.tolerance import tolerance, tolerance_all_pairs
from mitools.metrics.uniformity import uniformity
from mitools.pairing.same_class import SameClassPairs
from mitools.pairing.view_pairs import ViewPairs

NEIGHBOURS = (20, 200)

MOST_TRAINING, MOST_REPORTED = 131_072, 32_768
"""Items that the metrics over all pairs are taken on at the most: a random part of each part."""

CONTROL_ITEMS, CONTROL_CLASSES = 2_000, 100
"""Items and classes that a network and its untrained twin are compared on at the most."""


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
    critic
        Fit an InfoNCE critic beside the certificate: most of the time of an audit whose features are kept.
    trained_head
        For runs with a projection head, fit a critic that starts from it too.
    control
        Hold every trained network against its architecture untrained.
    precision, kept_as
        What networks compute in, and what features are kept as: see
        :class:`mitools.features.extract.PassOptions`.
    device, batch_size, workers
        Where and how encoders run; no number depends on them.
    """

    simclr: bool = False
    views: int = 2
    prior: str = "empirical"
    seed: int = 0
    critic: bool = True
    trained_head: bool = False
    control: bool = True
    precision: str = "float32"
    kept_as: FeatureDtype = "float32"
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


def same_class_critic(
    features: Features, parts: Parts, settings: AuditSettings, head: nn.Module | None = None
) -> Values:
    """Estimate I_class after training, with a projection head as critic (Lee et al., Sec. III-C).

    Parameters
    ----------
    features, parts, settings
        As for every measure.
    head
        The head that the encoder was trained with, as a critic to start from, as the paper does; a fresh
        one when None.
    """
    rows = features.values[:, 0]
    critic = _projection_critic(settings, head)
    critic.fit(rows, rows, SameClassPairs(features.labels, settings.prior), parts)
    column = "i_class_infonce" if head is None else "i_class_head"
    return {"estimates": {column: critic.estimate_.to_dict()}}


def view_critic(
    features: Features, parts: Parts, settings: AuditSettings, head: nn.Module | None = None
) -> Values:
    """Estimate I_SimCLR after training, on augmented views; arguments as for :func:`same_class_critic`."""
    n, n_views, d = features.values.shape
    rows = features.values.reshape(n * n_views, d)
    critic = _projection_critic(settings, head)
    critic.fit(rows, rows, ViewPairs(n, n_views, features.labels), parts)
    if head is not None:
        return {"estimates": {"i_simclr_head": critic.estimate_.to_dict()}}
    report = features.values[parts.report]
    return {
        "estimates": {"i_simclr": critic.estimate_.to_dict()},
        "metrics": {"alignment_simclr": alignment(report[:, 0], report[:, 1], device=settings.device)},
    }


def _projection_critic(settings: AuditSettings, head: nn.Module | None) -> VariationalEstimator:
    """Make the papers' critic; features of one network need no ranks, which cost it a hundredth of a bit."""
    return VariationalEstimator(
        "infonce",
        "projection" if head is None else head,
        # A trained head reads features as they are.
        scaling="standardise" if head is None else "none",
        device=settings.device,
        seed=settings.seed,
    )


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


def control_items(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the items of a control: 2,000 at the most, spread evenly over 100 classes at the most."""
    classes = np.unique(np.linspace(0, labels.max(), CONTROL_CLASSES).round())
    items = np.flatnonzero(np.isin(labels, classes))
    items = items[np.argsort(labels[items], kind="stable")]
    count = min(len(items), CONTROL_ITEMS)
    return np.sort(items[(2 * np.arange(count) + 1) * len(items) // (2 * count)])


def against_untrained(
    features: Features, twin: Features, items: NDArray[np.int64], settings: AuditSettings
) -> Values:
    """Certify a network and its untrained twin on the same items, and compare the two image by image.

    Parameters
    ----------
    features
        Of the network, for all items of the audit.
    twin
        Of the twin, for the items of the control.
    items
        Which items these are.
    settings
        As for the audit.
    """
    labels = twin.labels
    parts = split(len(labels), labels, settings.seed)
    own, untrained = (
        ClassPosterior(prior=settings.prior, seed=settings.seed).fit(rows, labels, parts)
        for rows in (Table(features.values[:, 0], items), twin.values[:, 0])
    )
    gain = own.dv_estimate_.nats - untrained.dv_estimate_.nats
    paired = float(np.linalg.norm(own.influence_ - untrained.influence_)) / len(own.influence_)
    unseen = [Reading.of(one.dv_estimate_, one.influence_).unseen for one in (own, untrained)]
    stderr = math.hypot(paired, *unseen)
    interval = two_sided(gain, stderr)
    low, high = nats_to_bits(interval.low), nats_to_bits(interval.high)
    return {
        "estimates": {"control_i_class": untrained.dv_estimate_.to_dict()},
        "metrics": {
            "control_gain_bits": nats_to_bits(gain),
            "control_gain_low": low,
            "control_gain_high": high,
        },
        "warnings": {"control": ["no_better_than_untrained"] if low <= 0 else []},
    }
