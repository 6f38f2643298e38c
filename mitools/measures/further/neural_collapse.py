"""How far the features have collapsed onto their class means: class means of *train*, NC4 on *report*."""

from mitools.estimators.inputs.row_table import RowTable
from mitools.measures.further.items import defined, some_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.neural_collapse.class_means import ClassMeans
from mitools.metrics.neural_collapse.classifier import LeastSquaresClassifier
from mitools.metrics.neural_collapse.nc1 import nc1
from mitools.metrics.neural_collapse.nc2 import nc2_angles, nc2_norms
from mitools.metrics.neural_collapse.nc3 import nc3
from mitools.metrics.neural_collapse.nc4 import nc4


def neural_collapse(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure all four signs; the classifier of NC3 and NC4 is fitted to *train*."""
    train = some_items(representation, settings, representation.parts.train)
    report = some_items(representation, settings, representation.parts.report)
    means = ClassMeans.of(RowTable(representation.rows, train), representation.labels[train])
    classifier = LeastSquaresClassifier.fit(means)
    return defined(
        {
            "nc1": nc1(means),
            "nc2_norms": nc2_norms(means),
            "nc2_angles": nc2_angles(means),
            "nc3": nc3(means, classifier),
            "nc4": nc4(means, classifier, RowTable(representation.rows, report)),
        }
    )
