"""Every estimator by its name, for commands and recipes. Listing them imports no library."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mitools.core.names import check_name

if TYPE_CHECKING:
    from mitools.core.estimate import Kind
    from mitools.estimators.base import MIEstimator


class RegisteredEstimator(NamedTuple):
    """What is worth knowing of an estimator before it is made, and where its class lies.

    Attributes
    ----------
    path
        Module and class, as ``module:class``; imported when the estimator is made.
    kind
        What its number is; None where that depends on what is chosen.
    use
        When to take it.
    cost
        About how long it takes on 10,000 rows and two cores.
    ceiling
        The most that it can return, in words; empty where nothing caps it. n is the number of reported pairs.
    needs_labels
        Whether y must be class labels, or symbols.
    needs_symbols
        Whether both sides must be symbols: whole numbers or names.
    takes_device
        Whether it is fitted on a device.
    settings
        Parameters that the name stands for.
    """

    path: str
    kind: Kind | None
    use: str
    cost: str = "under 1 s"
    ceiling: str = ""
    needs_labels: bool = False
    needs_symbols: bool = False
    takes_device: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})


_NEURAL_COST = "10 to 15 s in 25 + 25 dimensions"


def _variational(
    method: str, use: str, ceiling: str = "", kind: Kind = "lower bound", critic: str = "separable"
) -> RegisteredEstimator:
    return RegisteredEstimator(
        "mitools.estimators.neural.variational:VariationalEstimator",
        kind,
        use,
        _NEURAL_COST,
        ceiling,
        takes_device=True,
        settings={"method": method, "critic": critic},
    )


def _learned_density(method: str, use: str, kind: Kind = "point estimate") -> RegisteredEstimator:
    return RegisteredEstimator(
        "mitools.estimators.neural.learned_density:LearnedDensityEstimator",
        kind,
        use,
        _NEURAL_COST,
        takes_device=True,
        settings={"method": method},
    )


ESTIMATORS: dict[str, RegisteredEstimator] = {
    "auto": RegisteredEstimator(
        "mitools.estimators.auto:AutoEstimator",
        None,
        "to begin with: takes what suits x and y, and says why",
        "1 to 2 s where neighbours are near, else as adaptive",
        "that of the method chosen",
        takes_device=True,
    ),
    "adaptive": RegisteredEstimator(
        "mitools.estimators.neural.adaptive:AdaptiveEstimator",
        "lower bound",
        "the tightest certified bound for continuous rows: a closed form, corrected by a network",
        "15 to 30 s",
        takes_device=True,
    ),
    "components": RegisteredEstimator(
        "mitools.estimators.classical.components.canonical:ComponentEstimator",
        "point estimate",
        "continuous rows of many columns that depend pair by pair",
        "1 s in 25 + 25 dimensions",
    ),
    "infonce": _variational("infonce", "paired rows, same-class pairs, views", "log n, 15 bits at most"),
    "nt_xent": _variational(
        "nt_xent", "the papers' reading of views", "log(2n - 1)", "asymptotic lower bound", "projection"
    ),
    "dv": _variational("dv", "large values, many pairs"),
    "mine": _variational("mine", "as dv, trained with a moving average"),
    "nwj": _variational("nwj", "beside dv: unbiased, with a variance that grows like exp(I)"),
    "tuba": _variational("tuba", "as nwj, with a learned baseline"),
    "alpha_tuba": _variational(
        "alpha_tuba", "large values at a held variance: between tuba and infonce", "1 + log(n / alpha)"
    ),
    "js": _variational("js", "as nwj, trained by Jensen-Shannon, which is steadier"),
    "deep_infomax": _variational(
        "deep_infomax",
        "to compare and not to measure: twice the Jensen-Shannon divergence",
        "2 log 2",
        "point estimate",
    ),
    "smile": _variational("smile", "large values; may exceed the truth", kind="point estimate"),
    "flo": _variational("flo", "as nwj, with a second network that lowers its variance"),
    "barber_agakov": _learned_density(
        "barber_agakov", "one continuous column y, or a known h(Y)", "lower bound"
    ),
    "difference_of_entropies": _learned_density("difference_of_entropies", "continuous y, large values"),
    "club": _learned_density("club", "to press information down; an upper bound only where p(y|x) is known"),
    "club_sampled": _learned_density("club_sampled", "as club, at linear cost"),
    "leave_one_out": _learned_density("leave_one_out", "known noise; an upper bound only there"),
    "variational_kl": _learned_density(
        "variational_kl", "stochastic codes; an upper bound only where p(y|x) is known"
    ),
    "class_posterior": RegisteredEstimator(
        "mitools.estimators.class_information.certificate:ClassPosterior",
        "lower bound",
        "features and labels: the certificate of an audit",
        "seconds",
        needs_labels=True,
    ),
    "label_information": RegisteredEstimator(
        "mitools.estimators.class_information.certificate:LabelInformation",
        "lower bound",
        "what a classifier knows of the label",
        "seconds",
        needs_labels=True,
    ),
    "ksg": RegisteredEstimator(
        "mitools.estimators.classical.ksg:KSG",
        "point estimate",
        "continuous x and y of a few dimensions",
        ceiling="digamma(n) - digamma(k)",
    ),
    "residuals": RegisteredEstimator(
        "mitools.estimators.classical.residuals:ResidualEstimator",
        "point estimate",
        "strong dependence, one side of up to five continuous columns",
        "under 1 s in a few columns, 10 s in 5 + 5",
    ),
    "gaussian": RegisteredEstimator(
        "mitools.estimators.classical.gaussian:GaussianEstimator", "point estimate", "normal rows"
    ),
    "gaussian_copula": RegisteredEstimator(
        "mitools.estimators.classical.gaussian:GaussianCopulaEstimator",
        "point estimate",
        "rows that are normal after ranks",
    ),
    "binned": RegisteredEstimator(
        "mitools.estimators.classical.binned:BinnedEstimator",
        "point estimate",
        "the information plane's convention",
        ceiling="log of the number of bins met",
    ),
    "mixed_ksg": RegisteredEstimator(
        "mitools.estimators.classical.mixed_ksg:MixedKSG",
        "point estimate",
        "continuous x of a few dimensions, class labels y",
        needs_labels=True,
    ),
    "discrete": RegisteredEstimator(
        "mitools.estimators.classical.discrete:DiscreteEstimator",
        "point estimate",
        "symbols and labels",
        ceiling="log n without a correction",
        needs_labels=True,
        needs_symbols=True,
    ),
    "nsb": RegisteredEstimator(
        "mitools.estimators.classical.nsb:NSBEstimator",
        "point estimate",
        "symbols of many values, few of whose pairs recur",
        needs_labels=True,
        needs_symbols=True,
    ),
    "predictive_coding": RegisteredEstimator(
        "mitools.estimators.classical.predictive_coding:PredictiveCoding",
        "lower bound",
        "beside nsb: what of y is predicted from x on other rows",
        needs_labels=True,
        needs_symbols=True,
    ),
    "pairwise_lower": RegisteredEstimator(
        "mitools.estimators.classical.pairwise_bounds:PairwiseLowerBound",
        "lower bound",
        "rows plus noise of a stated variance",
        "seconds",
        needs_labels=True,
    ),
    "pairwise_upper": RegisteredEstimator(
        "mitools.estimators.classical.pairwise_bounds:PairwiseUpperBound",
        "upper bound",
        "rows plus noise of a stated variance",
        "seconds",
        needs_labels=True,
    ),
}
"""What is known of every estimator, by name. The classes are imported by :func:`make_estimator` alone."""


def make_estimator(name: str, seed: int = 0, device: str = "cpu") -> MIEstimator:
    """Make an estimator by name, with its default settings.

    Parameters
    ----------
    name
        One of :data:`ESTIMATORS`.
    seed
        Of everything random.
    device
        Where it is fitted, for those that are fitted on a device.

    Raises
    ------
    InputError
        When there is no such method; the nearest ones are named.

    Examples
    --------
    >>> make_estimator("infonce", seed=3)
    VariationalEstimator(seed=3)
    """
    check_name("method", name, ESTIMATORS)
    entry = ESTIMATORS[name]
    module, _, of_class = entry.path.partition(":")
    estimator: type[MIEstimator] = getattr(import_module(module), of_class)
    settings = {**entry.settings, "seed": seed} | ({"device": device} if entry.takes_device else {})
    return estimator(**settings)
