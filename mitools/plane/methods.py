"""The methods of a plane by name: what each reads of I(X;T) and of I(T;Y), and what that measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.classical.pairwise_bounds import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.neural.fit_many import Problem, fit_many
from mitools.estimators.neural.mine_protocol import HELD_OUT, IN_SAMPLE, MineProtocol, fit_protocols
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.measures.compute import measure
from mitools.measures.representation import Representation
from mitools.plane.settings import PlaneSettings
from mitools.plane.subject import Subject

Quantity = Literal["I(X;T)", "I(T;Y)"]
OF_INPUT: Quantity = "I(X;T)"
OF_LABEL: Quantity = "I(T;Y)"

Limits = tuple[float, float] | None
"""The smallest and the largest value of a layer over all checkpoints."""

Layers = Sequence[NDArray[Any]]
"""T of several checkpoints, shape (n, d) each."""

Read = Callable[[Subject, Quantity, Layers, PlaneSettings, Limits], list[list[Estimate]]]

PROTOCOL_BATCH_AND_RATE = {OF_INPUT: (1000, 1e-4), OF_LABEL: (5000, 1e-5)}
"""Batch size and learning rate of Contrastive Temporal Coding, A.5."""

CRITIC_HIDDEN, CRITIC_BATCH = (128,), 128
"""Of ``infonce`` and ``mine``: critics so small that those of all checkpoints gain by sharing their steps."""


CERTIFICATE_MEASURES = ("label_information", "i_class")
"""What ``certificate`` reads: an audit's and a study's measures, with their settings."""


class PlaneMethod(NamedTuple):
    """One way to read a plane.

    Attributes
    ----------
    quantities
        What it reads.
    read
        Gives the estimates of every checkpoint's layer, in order.
    settings
        Names of those :class:`PlaneSettings` that its numbers depend on.
    together
        Whether checkpoints gain by being read together.
    uses_inputs
        Whether I(X;T) is read from the input's rows; else every item counts as an input of its own.
    what
        One line for people.
    """

    quantities: tuple[Quantity, ...]
    read: Read
    settings: tuple[str, ...]
    together: bool
    uses_inputs: bool
    what: str


def measures(method: str, settings: PlaneSettings) -> str:
    """Say in one sentence what a finite reading of I(X;T) by a method measures, and how X and T were taken.

    Parameters
    ----------
    method
        The name of a reading, as :attr:`mitools.core.estimate.Estimate.method` has it.
    settings
        Of the plane.
    """
    noise = f"the Gaussian noise of variance {settings.noise_variance:g} put into every unit"
    given = settings.bin_range
    where = "the layer's range" if given is None else f"[{given[0]:g}, {given[1]:g}]"
    steps = f"{settings.protocol_steps:,} steps of a critic {settings.protocol_hidden:,} wide"
    finite = {
        "binned": f"the {settings.bins} bins of equal width over {where} put in",
        "pairwise_upper": noise,
        "pairwise_lower": noise,
        "ksg": f"how finely n items in {settings.neighbour_components} principal components resolve it",
        "infonce": f"what a critic finds, below log n, in {settings.input_components} principal components",
        IN_SAMPLE: f"what {steps} fit of these very items",
        HELD_OUT: f"what {steps} find in n items",
    }
    return (
        f"{method}: for a deterministic network with continuous T, I(X;T) is infinite, and this finite"
        f" reading measures {finite[method]}."
    )


def _certificate(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    found = []
    for rows in layers:
        read = measure(
            CERTIFICATE_MEASURES,
            Representation(rows, subject.labels, subject.parts),
            settings.measure_settings,
        )
        found.append([read.estimates[name] for name in CERTIFICATE_MEASURES])
    return found


def _infonce(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    x = subject.principal_inputs(settings.input_components)
    problems = [Problem(x, rows, subject.pairs(of_labels=False), subject.parts) for rows in layers]
    return [[one.estimate_] for one in fit_many(_critic("infonce", settings), problems)]


def _mine(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    pairs = subject.pairs(of_labels=True)
    problems = [Problem(rows, subject.one_hot, pairs, subject.parts) for rows in layers]
    return [[one.estimate_] for one in fit_many(_critic("mine", settings), problems)]


def _critic(method: str, settings: PlaneSettings) -> VariationalEstimator:
    return VariationalEstimator(
        method,
        hidden=CRITIC_HIDDEN,
        folds=1,
        batch_size=CRITIC_BATCH,
        max_steps=settings.critic_steps,
        device=settings.device,
        seed=settings.seed,
    )


def _protocol(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    batch_size, learning_rate = PROTOCOL_BATCH_AND_RATE[quantity]
    estimator = MineProtocol(
        hidden=settings.protocol_hidden,
        batch_size=batch_size,
        learning_rate=learning_rate,
        steps=settings.protocol_steps,
        device=settings.device,
        seed=settings.seed,
    )
    pairs = subject.pairs(of_labels=quantity == OF_LABEL)
    problems = [
        Problem(rows, subject.one_hot, pairs, subject.parts)
        if quantity == OF_LABEL
        else Problem(subject.inputs, rows, pairs, subject.parts)
        for rows in layers
    ]
    fitted = fit_protocols(estimator, problems)
    return [[one.in_sample_estimate_, one.estimate_] for one in fitted]


def _ksg(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    k, found = settings.neighbour_components, []
    some = subject.items(k, paired=True)
    for rows in layers:
        reduced = subject.principal(rows, k)[some]
        if quantity == OF_LABEL:
            near = MixedKSG(seed=settings.seed).fit(reduced, subject.labels[some], subject.groups(some))
            found.append([near.estimate_])
        else:
            x = subject.principal_inputs(k)[some]
            found.append([KSG(seed=settings.seed).fit(x, reduced, subject.groups(some)).estimate_])
    return found


def _binned(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    chosen = settings.bin_range or (limits if limits and limits[0] < limits[1] else None)
    found = []
    for rows in layers:
        binned = BinnedEstimator(settings.bins, None, x_range=chosen, seed=settings.seed)
        some = subject.items(rows.shape[1], paired=False)
        if quantity == OF_LABEL:
            found.append([binned.fit(rows[some], subject.labels[some], subject.groups(some)).estimate_])
        else:
            found.append([_without_null(binned.fit(rows[some], np.arange(len(some))).estimate_)])
    return found


def _kolchinsky_tracey(
    subject: Subject, quantity: Quantity, layers: Layers, settings: PlaneSettings, limits: Limits
) -> list[list[Estimate]]:
    found = []
    for rows in layers:
        some = subject.items(rows.shape[1], paired=True)
        y = subject.labels[some] if quantity == OF_LABEL else np.arange(len(some))
        bounds = (PairwiseUpperBound, PairwiseLowerBound)
        groups = subject.groups(some) if quantity == OF_LABEL else None
        fitted = (
            bound(settings.noise_variance, settings.seed).fit(rows[some], y, groups) for bound in bounds
        )
        found.append([one.estimate_ for one in fitted])
    return found


def _without_null(estimate: Estimate) -> Estimate:
    """Drop a null that says nothing: inputs that are all different are so in any order."""
    kept = tuple(one for one in estimate.warnings if one.word != "indistinguishable_from_zero")
    return replace(estimate, null_nats=None, warnings=kept)


PLANE_METHODS: dict[str, PlaneMethod] = {
    "certificate": PlaneMethod(
        (OF_LABEL,),
        _certificate,
        ("seed",),
        together=False,
        uses_inputs=False,
        what="Barber-Agakov's bound (label_information), and the certificate (class_posterior): the"
        " information of two items of one class, which never exceeds that of the label",
    ),
    "mine": PlaneMethod(
        (OF_LABEL,),
        _mine,
        ("critic_steps", "seed"),
        together=True,
        uses_inputs=False,
        what="MINE with labels as rows, stopped and read on held-out items",
    ),
    "infonce": PlaneMethod(
        (OF_INPUT,),
        _infonce,
        ("critic_steps", "input_components", "seed"),
        together=True,
        uses_inputs=True,
        what="InfoNCE on principal components of the input",
    ),
    "ksg": PlaneMethod(
        (OF_INPUT, OF_LABEL),
        _ksg,
        ("neighbour_components", "seed"),
        together=False,
        uses_inputs=True,
        what="nearest neighbours in principal components of input and layer",
    ),
    "binned": PlaneMethod(
        (OF_INPUT, OF_LABEL),
        _binned,
        ("bins", "bin_range", "seed"),
        together=False,
        uses_inputs=False,
        what="bins of every unit, over the layer's range in all checkpoints unless a range is given",
    ),
    "kolchinsky_tracey": PlaneMethod(
        (OF_INPUT, OF_LABEL),
        _kolchinsky_tracey,
        ("noise_variance", "seed"),
        together=False,
        uses_inputs=False,
        what="upper and lower bound for the layer with Gaussian noise of a stated variance, the items read"
        " being the population",
    ),
    "ctc": PlaneMethod(
        (OF_INPUT, OF_LABEL),
        _protocol,
        ("protocol_steps", "protocol_hidden", "seed"),
        together=True,
        uses_inputs=True,
        what="MINE by the protocol of Contrastive Temporal Coding (A.5), read in-sample and held out",
    ),
}

DEFAULT_METHODS = ("certificate", "infonce", "ksg", "binned", "kolchinsky_tracey")
"""Those that take seconds a checkpoint."""


def require_methods(names: Sequence[str]) -> Mapping[str, PlaneMethod]:
    """Find methods by their names.

    Raises
    ------
    InputError
        When there is no such method (the nearest are named), or none is named.
    """
    for name in names:
        check_name("plane method", name, PLANE_METHODS)
    if not names:
        raise InputError(f"no method is named; accepted: {', '.join(PLANE_METHODS)}")
    return {name: PLANE_METHODS[name] for name in names}
