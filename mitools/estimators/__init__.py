"""Estimators: pairs of arrays in, an Estimate out."""

from mitools.estimators.base import MIEstimator, Pairing
from mitools.estimators.binned import BinnedEstimator
from mitools.estimators.closed_form import ClassPosterior, LabelInformation
from mitools.estimators.discrete import DiscreteEstimator
from mitools.estimators.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.methods import METHODS, make_estimator
from mitools.estimators.neighbours import KSG, MixedKSG
from mitools.estimators.noisy import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.parts import Parts, split
from mitools.estimators.variational import VariationalEstimator

__all__ = [
    "KSG",
    "METHODS",
    "BinnedEstimator",
    "ClassPosterior",
    "DiscreteEstimator",
    "GaussianCopulaEstimator",
    "GaussianEstimator",
    "LabelInformation",
    "MIEstimator",
    "MixedKSG",
    "Pairing",
    "PairwiseLowerBound",
    "PairwiseUpperBound",
    "Parts",
    "VariationalEstimator",
    "make_estimator",
    "split",
]
