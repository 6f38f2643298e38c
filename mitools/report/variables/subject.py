"""Whose variables are shown: an encoder's rows on data, and what is made of them."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.requests import as_requests
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.datasets.accepted import as_labelled_data
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.read import item_kind
from mitools.encoders.open import AnyEncoder
from mitools.features.extract import extract
from mitools.features.store import FeatureStore
from mitools.measures.item_split import item_groups
from mitools.training.trained_variables import trained_variables
from mitools.variables.discretise import Discretiser, fit_bins, fit_clusters
from mitools.variables.distributions import Floats, JointTable
from mitools.variables.measure import VariableReading, measure_variables
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

How = Literal["auto", "bins", "clusters", "own"]

MOST_DRAWN = 5
"""Variables in the picture of joint probabilities, as in the paper."""

CHUNK = 4096
"""Items in work at a time."""


@dataclass(frozen=True)
class Subject:
    """An encoder's variables on data.

    Attributes
    ----------
    encoder, data
        Opened.
    rows
        Shape (n, d).
    viewed
        Shape (n, 2, d): features of two views of every item; None for what has no augmented views.
    views
        How these were drawn.
    discretiser
        Makes variables of rows.
    reading
        The numbers.
    """

    encoder: AnyEncoder
    data: LabelledData
    rows: NDArray[Any]
    viewed: NDArray[Any] | None
    views: ItemViews
    discretiser: Discretiser
    reading: VariableReading

    def joint(self, variables: int = MOST_DRAWN) -> Floats:
        """Count the joint distribution of the first variables over two views, or over the items themselves.

        Returns
        -------
        Floats
            Shape (V, D, V, D).
        """
        some = slice(0, min(variables, self.discretiser.variables))
        table = JointTable(some.stop, self.discretiser.units)
        for start in range(0, len(self.rows), CHUNK):
            items = slice(start, start + CHUNK)
            if self.viewed is None:
                table.add(self.discretiser(self.rows[items])[:, some])
            else:
                first, second = (self.discretiser(self.viewed[items, k])[:, some] for k in range(2))
                table.add(first, second)
        return table.joint

    def agreement(self) -> float | None:
        """Give how probable it is that a variable takes one value in two views, on average."""
        if self.viewed is None:
            return None
        total = 0.0
        for start in range(0, len(self.rows), CHUNK):
            items = slice(start, start + CHUNK)
            first, second = (self.discretiser(self.viewed[items, k]) for k in range(2))
            total += float((first * second).sum())
        return total / (len(self.rows) * self.discretiser.variables)

    def unit(self, variable: int, unit: int) -> Floats:
        """Give each item's probability of a unit, shape (n,).

        Raises
        ------
        InputError
            When there is no such variable or unit.
        """
        if not (0 <= variable < self.discretiser.variables and 0 <= unit < self.discretiser.units):
            raise InputError(
                f"there is no unit {variable}:{unit}; variables are 0 to {self.discretiser.variables - 1},"
                f" and their units 0 to {self.discretiser.units - 1}"
            )
        starts = range(0, len(self.rows), CHUNK)
        return np.concatenate([self.discretiser(self.rows[k : k + CHUNK])[:, variable, unit] for k in starts])


def open_subject(
    encoder: Any,
    data: Any,
    store: FeatureStore,
    *,
    how: How = "auto",
    units: int = 8,
    view: str = "simclr",
    seed: int = 0,
    device: str = "cpu",
    advance: Advance | None = None,
) -> Subject:
    """Encode data, and make and measure variables.

    Parameters
    ----------
    encoder, data
        As :func:`mitools.audit` takes them; one encoder.
    store
        Where features are kept.
    how
        ``own`` variables of a run of imsvd, columns in ``bins``, groups of columns in ``clusters``; ``auto``
        takes its own where a run has them and bins otherwise.
    units
        Of bins and clusters.
    view
        By name: how two views of every image are drawn.
    seed, device
        Of everything random; where networks run.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When the encoder or the data cannot be opened, the encoder has no variables of its own and they are
        asked for, or no variables can be made of its columns.
    """
    check_name("way to discretise", how, get_args(How))
    items = as_labelled_data(data)
    requests = as_requests(encoder)
    if len(requests) > 1:
        raise InputError(f"{len(requests)} encoders are given; the variables shown are those of one")
    opened = requests[0].open(items)
    spec = encoder if isinstance(encoder, str) else getattr(encoder, "spec", None)
    own = trained_variables(spec) if isinstance(spec, str) and how in ("auto", "own") else None
    if how == "own" and own is None:
        raise InputError(f"{opened.name} was not trained with soft variables (imsvd); take bins or clusters")
    views = ItemViews(make_view(view), 2, seed)
    common: dict[str, Any] = {"store": store, "device": device, "advance": advance}
    rows = extract(opened, items, fit_on=np.arange(len(items)), **common).values[:, 0]
    viewed = None
    if item_kind(items[0][0]) == "images" and isinstance(opened, Encoder):
        viewed = extract(opened, items, views=views, **common).values
    fit = fit_clusters if how == "clusters" else fit_bins
    discretiser = fit(rows, units=units, seed=seed) if own is None else own
    reading = measure_variables(rows, discretiser, item_groups(items), seed)
    return Subject(opened, items, rows, viewed, views, discretiser, reading)
