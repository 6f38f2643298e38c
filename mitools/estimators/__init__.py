"""Estimators: pairs of arrays in, an Estimate out.

Names are imported when they are first asked for, so that listing the estimators needs neither torch nor
scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mitools.estimators.base import MIEstimator
    from mitools.estimators.class_information.certificate import ClassPosterior, LabelInformation
    from mitools.estimators.classical.binned import BinnedEstimator
    from mitools.estimators.classical.discrete import DiscreteEstimator
    from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
    from mitools.estimators.classical.ksg import KSG
    from mitools.estimators.classical.mixed_ksg import MixedKSG
    from mitools.estimators.classical.nsb import NSBEstimator
    from mitools.estimators.classical.pairwise_bounds import PairwiseLowerBound, PairwiseUpperBound
    from mitools.estimators.classical.predictive_coding import PredictiveCoding
    from mitools.estimators.conditional_mi import ChainRule, GivenClasses
    from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise
    from mitools.estimators.inputs.splits import Parts, split
    from mitools.estimators.neural.adaptive import AdaptiveEstimator
    from mitools.estimators.neural.fit_many import Problem, fit_many
    from mitools.estimators.neural.known_density import KnownDensityEstimator
    from mitools.estimators.neural.learned_density import LearnedDensityEstimator
    from mitools.estimators.neural.variational import VariationalEstimator
    from mitools.estimators.pairs import Pairing
    from mitools.estimators.pointwise_information import (
        PointwiseMI,
        pointwise,
        pointwise_of_class_pairs,
        pointwise_of_labels,
        pointwise_reported,
    )
    from mitools.estimators.registry import ESTIMATORS, make_estimator

__all__ = [
    "ESTIMATORS",
    "KSG",
    "AdaptiveEstimator",
    "AdditiveGaussianNoise",
    "BinnedEstimator",
    "ChainRule",
    "ClassPosterior",
    "DiscreteEstimator",
    "GaussianCopulaEstimator",
    "GaussianEstimator",
    "GivenClasses",
    "KnownDensityEstimator",
    "LabelInformation",
    "LearnedDensityEstimator",
    "MIEstimator",
    "MixedKSG",
    "NSBEstimator",
    "Pairing",
    "PairwiseLowerBound",
    "PairwiseUpperBound",
    "Parts",
    "PointwiseMI",
    "PredictiveCoding",
    "Problem",
    "VariationalEstimator",
    "fit_many",
    "make_estimator",
    "pointwise",
    "pointwise_of_class_pairs",
    "pointwise_of_labels",
    "pointwise_reported",
    "split",
]

_NAMES_BY_MODULE = {
    "base": ["MIEstimator"],
    "class_information.certificate": ["ClassPosterior", "LabelInformation"],
    "classical.binned": ["BinnedEstimator"],
    "classical.discrete": ["DiscreteEstimator"],
    "classical.gaussian": ["GaussianCopulaEstimator", "GaussianEstimator"],
    "classical.ksg": ["KSG"],
    "classical.mixed_ksg": ["MixedKSG"],
    "classical.nsb": ["NSBEstimator"],
    "classical.pairwise_bounds": ["PairwiseLowerBound", "PairwiseUpperBound"],
    "classical.predictive_coding": ["PredictiveCoding"],
    "conditional_mi": ["ChainRule", "GivenClasses"],
    "critics.conditional_densities": ["AdditiveGaussianNoise"],
    "inputs.splits": ["Parts", "split"],
    "neural.adaptive": ["AdaptiveEstimator"],
    "neural.fit_many": ["Problem", "fit_many"],
    "neural.known_density": ["KnownDensityEstimator"],
    "neural.learned_density": ["LearnedDensityEstimator"],
    "neural.variational": ["VariationalEstimator"],
    "pairs": ["Pairing"],
    "pointwise_information": [
        "PointwiseMI", "pointwise", "pointwise_of_class_pairs", "pointwise_of_labels", "pointwise_reported",
    ],
    "registry": ["ESTIMATORS", "make_estimator"],
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
