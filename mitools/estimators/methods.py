"""Every estimator by its name, for commands and recipes."""

from collections.abc import Callable
from typing import NamedTuple

from mitools.errors import InputError
from mitools.estimate import Kind
from mitools.estimators.base import MIEstimator
from mitools.estimators.binned import BinnedEstimator
from mitools.estimators.classical import ClassicalEstimator
from mitools.estimators.closed_form import ClassPosterior, LabelInformation
from mitools.estimators.discrete import DiscreteEstimator
from mitools.estimators.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.learned_density import METHODS as LEARNED_DENSITY
from mitools.estimators.learned_density import LearnedDensityEstimator
from mitools.estimators.neighbours import KSG, MixedKSG
from mitools.estimators.noisy import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.objectives import METHODS as VARIATIONAL
from mitools.estimators.variational import VariationalEstimator
from mitools.specs import nearest


class NamedMethod(NamedTuple):
    """How to make an estimator, what its number is, and whether y must be class labels."""

    make: Callable[[int, str], MIEstimator]
    kind: Kind
    needs_labels: bool


def _variational(name: str) -> NamedMethod:
    def make(seed: int, device: str) -> MIEstimator:
        critic = "projection" if name == "nt_xent" else "separable"
        return VariationalEstimator(name, critic, device=device, seed=seed)

    return NamedMethod(make, VARIATIONAL[name].kind, False)


def _learned_density(name: str) -> NamedMethod:
    def make(seed: int, device: str) -> MIEstimator:
        return LearnedDensityEstimator(name, device=device, seed=seed)

    return NamedMethod(make, LEARNED_DENSITY[name].kind, False)


def _classical(estimator: type[ClassicalEstimator], needs_labels: bool = False) -> NamedMethod:
    return NamedMethod(lambda seed, device: estimator(seed=seed), estimator.kind, needs_labels)


METHODS: dict[str, NamedMethod] = {
    **{name: _variational(name) for name in VARIATIONAL},
    **{name: _learned_density(name) for name in LEARNED_DENSITY},
    "class_posterior": NamedMethod(lambda seed, device: ClassPosterior(seed=seed), "lower bound", True),
    "label_information": NamedMethod(lambda seed, device: LabelInformation(seed=seed), "lower bound", True),
    **{
        estimator.method: _classical(estimator)
        for estimator in (KSG, GaussianEstimator, GaussianCopulaEstimator, BinnedEstimator)
    },
    **{
        estimator.method: _classical(estimator, needs_labels=True)
        for estimator in (MixedKSG, DiscreteEstimator, PairwiseLowerBound, PairwiseUpperBound)
    },
}


def make_estimator(name: str, seed: int = 0, device: str = "cpu") -> MIEstimator:
    """Make an estimator by name, with its default settings.

    Raises
    ------
    InputError
        When there is no such method; the nearest ones are named.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; did you mean {nearest(name, METHODS)}?")
    return METHODS[name].make(seed, device)
