"""Estimators: pairs of arrays in, an Estimate out."""

from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import ClassPosterior, LabelInformation
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.classical.ksg import KSG, MixedKSG
from mitools.estimators.classical.pairwise_bounds import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.conditional_mi import ChainRule, GivenClasses
from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise
from mitools.estimators.inputs.splits import Parts, split
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
    "Pairing",
    "PairwiseLowerBound",
    "PairwiseUpperBound",
    "Parts",
    "PointwiseMI",
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
