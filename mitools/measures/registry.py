"""Every measure by its name. Listing them imports no library and computes nothing.

A measure is a column: of an audit's table, of a study's or of a plane's. Whoever asks for it gets it from
:func:`mitools.measures.compute.measure`, computed by one function with one set of settings.
"""

from collections.abc import Iterable

from mitools.core.names import check_name
from mitools.measures.audit_columns import AUDIT_MEASURES
from mitools.measures.base import Computation, Measure

REVISION = 4
"""Part of the name of every kept result: raise it when a change of the code changes a number of a measure.
Since 4, NC3 is the squared distance, LogME is sought from features of one scale, and the network of
V-information is stopped by its loss."""

CRITIC_METHODS = (
    "infonce", "nt_xent", "dv", "mine", "nwj", "tuba", "alpha_tuba", "js", "deep_infomax", "smile", "flo",
)  # fmt: skip
"""Methods that train a critic, on same-class pairs or on views."""

LABEL_ESTIMATORS = ("mixed_ksg", "discrete", "pairwise_lower", "pairwise_upper")
"""Estimators that compare rows with labels, beside ``label_information``."""

PLANE_METHODS_OF_LABEL = (
    "mine", "mixed_ksg", "binned", "pairwise_upper", "pairwise_lower", "ctc_in_sample", "ctc_held_out",
)  # fmt: skip
PLANE_METHODS_OF_INPUT = (
    "infonce", "ksg", "binned", "pairwise_upper", "pairwise_lower", "ctc_in_sample", "ctc_held_out",
)  # fmt: skip
"""What a plane reads with settings of its own: see :mod:`mitools.plane.methods`."""


def _of_studies() -> Iterable[Measure]:
    """Give what a study can have beside the columns of an audit."""
    for method in CRITIC_METHODS[1:]:
        yield Measure(
            f"same_class:{method}",
            "estimate",
            Computation("mitools.measures.critics:same_class_critic", method),
            what=f"same-class information, with the critic of i_class_infonce trained and read by {method}",
            source="mitools.estimators.neural.methods",
            pairing="same_class",
            estimator=method,
            range="any number",
            cost="a trained critic",
            tables=("study",),
        )
        yield Measure(
            f"simclr:{method}",
            "estimate",
            Computation("mitools.measures.critics:view_critic", method),
            what=f"information of two views, with the critic of i_simclr trained and read by {method}",
            source="mitools.estimators.neural.methods",
            pairing="simclr",
            estimator=method,
            reads=("views",),
            range="any number",
            cost="views, and a trained critic",
            tables=("study",),
        )
    for method in LABEL_ESTIMATORS:
        yield Measure(
            f"labels:{method}",
            "estimate",
            Computation("mitools.measures.label_estimators:label_estimator", method),
            what=f"information of the features about the label, by {method} with its default settings",
            source="mitools.estimators.registry",
            pairing="labels",
            estimator=method,
            range="0 upwards",
            cost="n^2 d",
            tables=("study",),
        )


def _of_planes() -> Iterable[Measure]:
    """Give what a plane reads for all checkpoints of a layer together."""
    for method in PLANE_METHODS_OF_INPUT:
        yield Measure(
            f"I(X;T):{method}",
            "estimate",
            None,
            what=f"information that a layer keeps of the input, by {method} with the settings of a plane",
            source="mitools.plane.methods",
            pairing="input",
            reads=("rows",),
            range="0 upwards",
            cost="every checkpoint of a layer",
            tables=("plane",),
        )
    for method in PLANE_METHODS_OF_LABEL:
        yield Measure(
            f"I(T;Y):{method}",
            "estimate",
            None,
            what=f"information of a layer about the label, by {method} with the settings of a plane",
            source="mitools.plane.methods",
            pairing="labels",
            range="0 to H(C)",
            cost="every checkpoint of a layer",
            tables=("plane",),
        )


MEASURES: dict[str, Measure] = {
    measure.name: measure for measure in (*AUDIT_MEASURES, *_of_studies(), *_of_planes())
}
"""Every column of an audit, a study or a plane; those of an audit first, in its order."""

_NAMES = {
    (measure.pairing, measure.estimator): measure.name for measure in MEASURES.values() if measure.estimator
}

PAIRINGS = tuple(dict.fromkeys(pairing for pairing, _ in _NAMES))
"""The pairings that a study may ask for."""

METRICS = tuple(measure.name for measure in MEASURES.values() if measure.kind == "metric")
"""What mutual information is compared with."""


def find_measure(pairing: str, estimator: str) -> Measure | None:
    """Find an estimate by the names of its pairing and estimator; None where the two do not go together.

    Examples
    --------
    >>> find_measure("same_class", "infonce").name
    'i_class_infonce'
    """
    name = _NAMES.get((pairing, estimator))
    return None if name is None else MEASURES[name]


def known_measure(name: str) -> Measure:
    """Find a measure by its name.

    Raises
    ------
    InputError
        When there is no such measure; the nearest are named.
    """
    check_name("measure", name, MEASURES)
    return MEASURES[name]
