"""The certificate of one representation, in memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Estimate
from mitools.core.html import html_notes
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import Parts
from mitools.pairing.same_class import Bracket, bracket


@dataclass(frozen=True, repr=False)
class Certificate:
    """How much class information a representation carries, with a guarantee.

    Attributes
    ----------
    estimate
        A lower bound on I_class(X;Y), the information that two items of one class share through it.
    nwj_estimate
        The same bound read by Nguyen, Wainwright and Jordan: lower, but unbiased on a sample.
    label_information
        Barber-Agakov's lower bound on I(H;C), from the same classifier.
    certified_nats
        The one-sided limit: the truth lies below it in at most 5% of repetitions.
    accuracy
        The share of report items that the classifier, a linear probe, decides rightly.
    influence_nats
        Shape (n_report,): how each report item moves the estimate; two representations of the same items
        compare by it. With groups, how each group does.
    report_items
        Shape (n_report,), which items these are; with groups, each group, counted in the order of names.
    classes
        The class names, in the order of the classifier's probabilities.
    classifier
        Fitted and calibrated: ``predict`` and ``predict_proba`` take rows (m, d).
    """

    estimate: Estimate
    nwj_estimate: Estimate
    label_information: Estimate
    certified_nats: float
    accuracy: float
    influence_nats: NDArray[np.float64]
    report_items: NDArray[np.int64]
    classes: tuple[str, ...]
    classifier: Any

    @classmethod
    def of(cls, fitted: ClassPosterior, classes: tuple[str, ...]) -> "Certificate":
        """Collect what a fitted estimator found."""
        return cls(
            estimate=fitted.dv_estimate_,
            nwj_estimate=fitted.nwj_estimate_,
            label_information=fitted.label_information_,
            certified_nats=fitted.one_sided_low_nats_,
            accuracy=fitted.accuracy_,
            influence_nats=fitted.influence_,
            report_items=np.concatenate([_reported(fold.parts) for fold in fitted.folds_]),
            classes=classes,
            classifier=fitted,
        )

    @property
    def bracket(self) -> Bracket:
        """Where the truth lies: between what is certified and H(C), or at H(C)."""
        return bracket(self.estimate)

    @property
    def verdict(self) -> str:
        """``identified`` where the interval reaches H(C) from at least 0.9 H(C), else ``bracketed``.

        Rows that are not independent identify nothing.
        """
        return "identified" if self.bracket.identified else "bracketed"

    @property
    def certified_bits(self) -> float:
        """The one-sided limit in bits."""
        return nats_to_bits(self.certified_nats)

    @property
    def certified_share(self) -> float:
        """The one-sided limit as a share of H(C)."""
        return self.certified_nats / (self.estimate.entropy_nats or 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as JSON values, in bits; the influence and the classifier are left out."""
        return {
            "i_class": self.estimate.to_dict(),
            "i_class_nwj": self.nwj_estimate.to_dict(),
            "label_information": self.label_information.to_dict(),
            "identified": self.bracket.identified,
            "linear_acc": self.accuracy,
        }

    def __str__(self) -> str:
        share = f"certified at 95% confidence: {self.certified_share:.1%} of H(C)"
        if not self.bracket.independent:
            share = "nothing of H(C) is certified"
        return f"{self.bracket}\n{share}; linear accuracy {self.accuracy:.1%}"

    def __repr__(self) -> str:
        return f"<Certificate {str(self).replace(chr(10), '; ')}>"

    def _repr_html_(self) -> str:
        return self.estimate._repr_html_() + html_notes(str(self).splitlines())


def _reported(parts: Parts) -> NDArray[np.int64]:
    """Give what the influence of a fold is of: its items, or their groups."""
    groups = parts.groups_of(parts.report)
    return parts.report if groups is None else np.unique(groups)
