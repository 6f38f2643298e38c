"""The front door: what ``import mitools`` offers. Every function imports what it needs when it is called."""

from mitools.api.audits import audit
from mitools.api.correlations import correlate
from mitools.api.estimation import calibrate, certify, mutual_information
from mitools.api.exports import export_encoder
from mitools.api.features import measure_features
from mitools.api.planes import information_plane
from mitools.api.runs import study, train
from mitools.api.variables import measure_variables
from mitools.api.views import measure_views

__all__ = [
    "audit",
    "calibrate",
    "certify",
    "correlate",
    "export_encoder",
    "information_plane",
    "measure_features",
    "measure_variables",
    "measure_views",
    "mutual_information",
    "study",
    "train",
]
