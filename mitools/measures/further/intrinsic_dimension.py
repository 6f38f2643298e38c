"""On how few dimensions the features lie, and how fast their own clusters are learnt; no labels are read."""

from mitools.measures.further.items import defined, some_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.intrinsic_dimension.cluster_learnability import cluster_learnability
from mitools.metrics.intrinsic_dimension.two_nn import two_nn

MOST_NEIGHBOURS, MOST_CLUSTERED = 8_192, 4_096
"""Items at the most, since time grows with their square."""


def intrinsic_dimension(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure TwoNN's dimension on all items, 8,192 at the most."""
    items = some_items(representation, settings, most=MOST_NEIGHBOURS)
    return defined({"two_nn": two_nn(representation.rows[items])})


def learnability(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure cluster learnability on all items, 4,096 at the most."""
    items = some_items(representation, settings, most=MOST_CLUSTERED)
    found = cluster_learnability(representation.rows[items], seed=settings.seed)
    return defined({"cluster_learnability": found})
