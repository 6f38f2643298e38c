"""Computing measures of a representation: the one way, for an audit, a study, a plane and Python."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from mitools.core.errors import InputError
from mitools.core.result_store import ResultStore, Values
from mitools.measures.base import Computation, Measure
from mitools.measures.item_split import groups_record
from mitools.measures.measured import Measured
from mitools.measures.registry import REVISION, known_measure
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings

LACKING = {
    "views": "features of augmented views, shape (n, V, d)",
    "head": "the projection head of a run",
    "untrained": "features of the same network untrained",
}
"""What a representation may lack, in words."""


def measure(
    names: Iterable[str], representation: Representation, settings: MeasureSettings | None = None
) -> Measured:
    """Compute measures of a representation; those of one fit share it.

    Parameters
    ----------
    names
        Of :data:`mitools.measures.registry.MEASURES`.
    representation
        Features of labelled items, and what further the measures read.
    settings
        See :class:`~mitools.measures.settings.MeasureSettings`.

    Returns
    -------
    Measured
        The numbers asked for, by name and in the order of `names`.

    Raises
    ------
    InputError
        When a name is unknown, the representation lacks what a measure reads, or it cannot be measured.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 400)
    >>> features = labels[:, None] + 0.1 * rng.standard_normal((400, 3))
    >>> found = measure(["i_class", "linear_acc"], Representation.of_arrays(features, labels))
    >>> found["linear_acc"]
    1.0
    """
    settings = settings or MeasureSettings()
    asked = [known_measure(name) for name in names]
    computations = dict.fromkeys(_computation(one, representation) for one in asked)
    found = Measured.together(_compute(one, representation, settings) for one in computations)
    return found.only([one.name for one in asked])


def kept_measure(
    store: ResultStore,
    kind: str,
    names: Iterable[str],
    representation: Representation,
    settings: MeasureSettings,
    **further: Any,
) -> tuple[Measured, float]:
    """Compute measures, or read them where they were computed before.

    Parameters
    ----------
    store
        Where results are kept.
    kind
        Begins the name of the file.
    names, representation, settings
        As for :func:`measure`; the representation has the keys of what is read.
    further
        What the numbers depend on beside, as JSON values.

    Returns
    -------
    tuple of Measured and float
        The numbers, and the seconds that they took when they were computed.

    Raises
    ------
    InputError
        As :func:`measure`.
    """
    names = list(names)
    values = store.cell(
        kind,
        request(names, representation, settings) | further,
        lambda: measure(names, representation, settings).to_dict(),
    )
    return Measured.from_dict(values), values["seconds"]


def request(names: Iterable[str], representation: Representation, settings: MeasureSettings) -> Values:
    """Name all that measures of a representation depend on, as JSON values."""
    asked = [known_measure(name) for name in names]
    fields = {field for one in asked for field in one.reads} & {*LACKING, "rows"}
    fields |= {field for one in asked for field in one.may_read if getattr(representation, field) is not None}
    read = {field: representation.keys[field] for field in sorted(fields)}
    record = groups_record(representation.parts.groups) | settings.record()
    return {"measures": [one.name for one in asked], "revision": REVISION} | read | record


def _computation(one: Measure, representation: Representation) -> Computation:
    """Find where a measure is computed, once everything that it reads is there."""
    if one.computation is None:
        raise InputError(
            f"{one.name} is read by an information plane, for all checkpoints of a layer together; take"
            " `mitools plane`"
        )
    if one.needs_labels and not representation.labelled:
        raise InputError(f"{one.name} reads labels, which are not given; give them, or leave it out")
    for field in one.reads:
        if getattr(representation, field) is None:
            raise InputError(
                f"{one.name} reads {LACKING[field]}, which this representation lacks; leave it out"
            )
    return one.computation


def _compute(computation: Computation, representation: Representation, settings: MeasureSettings) -> Measured:
    module, _, name = computation.function.partition(":")
    function: Callable[..., Measured] = getattr(import_module(module), name)
    further = (computation.method,) if computation.method else ()
    return function(representation, settings, *further)
