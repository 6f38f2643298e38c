"""Estimators: pairs of arrays in, an Estimate out."""

from mitools.estimators.base import MIEstimator, Pairing
from mitools.estimators.closed_form import ClassPosterior, LabelInformation
from mitools.estimators.methods import METHODS, make_estimator
from mitools.estimators.parts import Parts, split
from mitools.estimators.variational import VariationalEstimator

__all__ = [
    "METHODS",
    "ClassPosterior",
    "LabelInformation",
    "MIEstimator",
    "Pairing",
    "Parts",
    "VariationalEstimator",
    "make_estimator",
    "split",
]
