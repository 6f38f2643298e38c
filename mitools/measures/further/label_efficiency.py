"""How many labels a linear probe needs: probes fitted to growing parts of *train*, read on *report*."""

from dataclasses import replace

from mitools.measures.further.items import defined, some_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.label_efficiency.code_length import code_length
from mitools.metrics.label_efficiency.curve import loss_data_curve
from mitools.metrics.label_efficiency.sample_complexity import sample_complexity
from mitools.metrics.label_efficiency.surplus_description_length import surplus_description_length

EPSILON = 0.25
"""The loss that is good enough, as a share of H(C)."""

MOST_LABELS = 8_192
"""Training items at the most, and report items."""


def label_efficiency(representation: Representation, settings: MeasureSettings) -> Measured:
    """Read code length, surplus description length and sample complexity off one curve."""
    rows, labels = representation.rows, representation.labels
    train, report = (
        some_items(representation, settings, part, MOST_LABELS)
        for part in (representation.parts.train, representation.parts.report)
    )
    curve = loss_data_curve(rows[train], labels[train], rows[report], labels[report], settings.seed)
    epsilon = EPSILON * curve.entropy_nats
    found = defined(
        {
            "code_length": code_length(curve),
            "surplus_description_length": surplus_description_length(curve, epsilon),
            "sample_complexity": sample_complexity(curve, epsilon),
        }
    )
    if curve.loss_nats.min() > epsilon:
        short = "epsilon_not_reached"
        return replace(found, warnings={"surplus_description_length": [short], "sample_complexity": [short]})
    if curve.loss_nats[:2].min() <= epsilon:
        return replace(found, warnings={"sample_complexity": ["epsilon_reached_at_once"]})
    return found
