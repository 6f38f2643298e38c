"""What is wrong with the features of all items, counted."""

from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.feature_quality import feature_quality


def feature_faults(representation: Representation, settings: MeasureSettings) -> Measured:
    """Count constant and dead dimensions, copies of rows and values that are not finite."""
    found = feature_quality(representation.rows, settings.seed)
    classes = int(representation.labels.max()) + 1
    return Measured(found.to_dict(), warnings={"features": found.warnings(classes)})
