"""Estimators: pairs of arrays in, an Estimate out."""

from mitools.estimators.base import MIEstimator, Pairing
from mitools.estimators.binned import BinnedEstimator
from mitools.estimators.closed_form import ClassPosterior, LabelInformation
from mitools.estimators.conditional import ChainRule, GivenClasses
from mitools.estimators.conditional_models import AdditiveGaussianNoise
from mitools.estimators.discrete import DiscreteEstimator
from mitools.estimators.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.known_density import KnownDensityEstimator
from mitools.estimators.learned_density import LearnedDensityEstimator
from mitools.estimators.many import Problem, fit_many
from mitools.estimators.methods import METHODS, make_estimator
from mitools.estimators.neighbours import KSG, MixedKSG
from mitools.estimators.noisy import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.parts import Parts, split
from mitools.estimators.pointwise import (
    PointwiseMI,
    pointwise,
    pointwise_of_class_pairs,
    pointwise_of_labels,
    pointwise_reported,
)
from mitools.estimators.variational import VariationalEstimator

__all__ = [
    "KSG",
    "METHODS",
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
