"""mitools: mutual information that can be trusted.

Everything public is here. A name is imported when it is first used, so that ``import mitools`` takes no time:

>>> import mitools
>>> estimate = mitools.mutual_information([[0.1], [0.4], [0.2], [0.9]] * 50, [0, 1, 0, 1] * 50)
>>> estimate.kind
'point estimate'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mitools.api import (
        audit,
        calibrate,
        certify,
        correlate,
        export_encoder,
        information_plane,
        measure_features,
        measure_variables,
        measure_views,
        mutual_information,
        study,
        train,
    )
    from mitools.core.errors import InputError
    from mitools.core.estimate import Estimate, Interval
    from mitools.integrations.class_information import ClassInformation
    from mitools.lists import list_datasets, list_encoders, list_estimators, list_measures, list_views

__version__ = "0.1.0"

__all__ = [
    "ClassInformation",
    "Estimate",
    "InputError",
    "Interval",
    "__version__",
    "audit",
    "calibrate",
    "certify",
    "correlate",
    "export_encoder",
    "information_plane",
    "list_datasets",
    "list_encoders",
    "list_estimators",
    "list_measures",
    "list_views",
    "measure_features",
    "measure_variables",
    "measure_views",
    "mutual_information",
    "study",
    "train",
]

_HOMES = {
    "ClassInformation": "mitools.integrations.class_information",
    "Estimate": "mitools.core.estimate",
    "InputError": "mitools.core.errors",
    "Interval": "mitools.core.estimate",
    "list_datasets": "mitools.lists",
    "list_encoders": "mitools.lists",
    "list_estimators": "mitools.lists",
    "list_measures": "mitools.lists",
    "list_views": "mitools.lists",
}
"""Where each name lies that is not in :mod:`mitools.api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'mitools' has no attribute {name!r}")
    found = getattr(import_module(_HOMES.get(name, "mitools.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
