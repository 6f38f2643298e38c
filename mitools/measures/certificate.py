"""The certificate of class information, and what the same classifier says beside it."""

from numpy.typing import ArrayLike

from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings


def certificate(representation: Representation, settings: MeasureSettings) -> Measured:
    """Certify I_class, bound the label information, and read the linear probe off the same classifier."""
    fitted = fit_certificate(representation.rows, representation.labels, representation.parts, settings)
    return Measured(
        {
            "i_class": fitted.dv_estimate_,
            "i_class_nwj": fitted.nwj_estimate_,
            "label_information": fitted.label_information_,
            "linear_acc": fitted.accuracy_,
        },
        influence_nats=fitted.influence_,
    )


def fit_certificate(
    rows: ArrayLike | RowTable, labels: ArrayLike, parts: Parts, settings: MeasureSettings
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
        The split of the items.
    settings
        The prior and the seed.
    """
    return ClassPosterior(prior=settings.prior, seed=settings.seed).fit(rows, labels, parts)
