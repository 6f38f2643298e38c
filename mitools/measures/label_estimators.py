"""Estimators that compare features with labels and train nothing: all items at once, default settings."""

from mitools.estimators.registry import make_estimator
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings


def label_estimator(representation: Representation, settings: MeasureSettings, method: str) -> Measured:
    """Read a method of :data:`mitools.measures.registry.LABEL_ESTIMATORS` on all items."""
    estimator = make_estimator(method, settings.seed, settings.device)
    rows, labels, groups = representation.rows, representation.labels, representation.parts.groups
    return Measured({f"labels:{method}": estimator.estimate(rows, labels, groups)})
