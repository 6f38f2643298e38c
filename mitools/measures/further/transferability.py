"""How well a model of the features explains the labels, on all items; nothing is held out."""

from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.typing import NDArray

from mitools.measures.further.items import defined, some_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.metrics.transferability.h_score import h_score
from mitools.metrics.transferability.logme import logme
from mitools.metrics.transferability.nleep import nleep
from mitools.metrics.transferability.transrate import transrate


def transferability(representation: Representation, settings: MeasureSettings, name: str) -> Measured:
    """Measure ``logme``, ``h_score``, ``nleep`` or ``transrate``."""
    functions: dict[str, Callable[[NDArray[Any], NDArray[Any]], float]] = {
        "logme": logme,
        "h_score": h_score,
        "nleep": partial(nleep, seed=settings.seed),
        "transrate": transrate,
    }
    items = some_items(representation, settings)
    return defined({name: functions[name](representation.rows[items], representation.labels[items])})
