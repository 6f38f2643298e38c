"""The certificate of class information, and what the same classifier says beside it."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.estimators.class_information.item_readings import item_readings
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings


def certificate(representation: Representation, settings: MeasureSettings) -> Measured:
    """Certify I_class, bound the label information, and read the linear probe off the same classifier.

    Cross-fitted where that is worth its time: every item is then reported once, by a classifier that never
    saw it, whatever part of the representation's split it belongs to. An encoder that was fitted to *train*
    (principal components) has seen some of them, without their labels.
    """
    labels, groups = representation.labels, representation.parts.groups
    splits = certificate_splits(labels, settings.seed, groups)
    fitted = fit_certificate(representation.rows, labels, splits, settings)
    return Measured(
        {
            "i_class": fitted.dv_estimate_,
            "i_class_nwj": fitted.nwj_estimate_,
            "label_information": fitted.label_information_,
            "linear_acc": fitted.accuracy_,
        },
        influence_nats=fitted.influence_,
        items=item_readings(fitted, representation.rows, labels),
    )


def fit_certificate(
    rows: ArrayLike | RowTable,
    labels: ArrayLike,
    parts: Parts | Sequence[Parts],
    settings: MeasureSettings,
) -> ClassPosterior:
    """Fit the classifier behind every certificate.

    For callers that need more of it than its numbers.

    Parameters
    ----------
    rows
        Shape (n, d).
    labels
        Shape (n,).
    parts
        The split of the items, or one for each fold.
    settings
        The prior and the seed.
    """
    return ClassPosterior(prior=settings.prior, seed=settings.seed).fit(rows, labels, parts)
