"""What the features' singular values say; no labels are read."""

from mitools.estimators.inputs.row_table import RowTable
from mitools.measures.further.items import defined, some_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.spectrum.alpha_req import alpha_req
from mitools.metrics.spectrum.lidar import lidar
from mitools.metrics.spectrum.nesum import nesum
from mitools.metrics.spectrum.participation_ratio import participation_ratio
from mitools.metrics.spectrum.rankme import rankme
from mitools.metrics.spectrum.singular_values import Spectrum
from mitools.metrics.spectrum.stable_rank import stable_rank

MEASURES_OF_SPECTRUM = {
    "rankme": rankme,
    "alpha_req": alpha_req,
    "nesum": nesum,
    "stable_rank": stable_rank,
    "participation_ratio": participation_ratio,
}


def spectrum(representation: Representation, settings: MeasureSettings) -> Measured:
    """Read every measure off one spectrum of all items."""
    rows = RowTable(representation.rows, some_items(representation, settings))
    found = Spectrum.of(rows)
    return defined({name: one(found) for name, one in MEASURES_OF_SPECTRUM.items()})


def lidar_of_views(representation: Representation, settings: MeasureSettings) -> Measured:
    """Measure LiDAR on the views of all items."""
    assert representation.views is not None
    return defined({"lidar_simclr": lidar(representation.views[some_items(representation, settings)])})
