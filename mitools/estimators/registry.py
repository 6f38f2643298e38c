"""Every estimator by its name, for commands and recipes."""

from collections.abc import Callable
from typing import NamedTuple

from mitools.core.estimate import Kind
from mitools.core.names import check_name
from mitools.estimators.auto import AutoEstimator
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import ClassPosterior, LabelInformation
from mitools.estimators.classical.base import ClassicalEstimator
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.estimators.classical.canonical_components import ComponentEstimator
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.classical.ksg import KSG, MixedKSG
from mitools.estimators.classical.pairwise_bounds import PairwiseLowerBound, PairwiseUpperBound
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.learned_density import LEARNED_DENSITY_METHODS, LearnedDensityEstimator
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.variational import VariationalEstimator


class NamedMethod(NamedTuple):
    """How to make an estimator, and what is worth knowing before one does.

    Attributes
    ----------
    make
        Called with a seed and a device.
    kind
        What its number is; None where that depends on what is chosen.
    needs_labels
        Whether y must be class labels (for ``discrete``, symbols on both sides).
    ceiling
        The most that it can return, in words; empty where nothing caps it. n is the number of reported pairs.
    use
        When to take it.
    cost
        About how long it takes on 10,000 rows and two cores.
    """

    make: Callable[[int, str], MIEstimator]
    kind: Kind | None
    needs_labels: bool
    ceiling: str
    use: str
    cost: str


NEURAL_COST = "10 to 15 s in 25 + 25 dimensions"
QUICK = "under 1 s"

_VARIATIONAL_USE: dict[str, tuple[str, str]] = {
    "infonce": ("log n", "paired rows, same-class pairs, views"),
    "nt_xent": ("log(2n - 1)", "the papers' reading of views"),
    "dv": ("", "large values, many pairs"),
    "mine": ("", "as dv, trained with a moving average"),
    "nwj": ("", "beside dv: unbiased, with a variance that grows like exp(I)"),
    "tuba": ("", "as nwj, with a learned baseline"),
    "alpha_tuba": ("1 + log(n / alpha)", "large values at a held variance: between tuba and infonce"),
    "js": ("", "as nwj, trained by Jensen-Shannon, which is steadier"),
    "deep_infomax": ("2 log 2", "to compare and not to measure: twice the Jensen-Shannon divergence"),
    "smile": ("", "large values; may exceed the truth"),
    "flo": ("", "as nwj, with a second network that lowers its variance"),
}

_LEARNED_DENSITY_USE: dict[str, str] = {
    "barber_agakov": "one continuous column y, or a known h(Y)",
    "difference_of_entropies": "continuous y, large values",
    "club": "to press information down; an upper bound only where p(y|x) is known",
    "club_sampled": "as club, at linear cost",
    "leave_one_out": "known noise; an upper bound only there",
    "variational_kl": "stochastic codes; an upper bound only where p(y|x) is known",
}


def _variational(name: str) -> NamedMethod:
    def make(seed: int, device: str) -> MIEstimator:
        critic = "projection" if name == "nt_xent" else "separable"
        return VariationalEstimator(name, critic, device=device, seed=seed)

    ceiling, use = _VARIATIONAL_USE[name]
    return NamedMethod(make, VARIATIONAL_METHODS[name].kind, False, ceiling, use, NEURAL_COST)


def _learned_density(name: str) -> NamedMethod:
    def make(seed: int, device: str) -> MIEstimator:
        return LearnedDensityEstimator(name, device=device, seed=seed)

    use = _LEARNED_DENSITY_USE[name]
    return NamedMethod(make, LEARNED_DENSITY_METHODS[name].kind, False, "", use, NEURAL_COST)


def _classical(
    estimator: type[ClassicalEstimator], use: str, ceiling: str = "", cost: str = QUICK, labels: bool = False
) -> NamedMethod:
    def make(seed: int, device: str) -> MIEstimator:
        return estimator(seed=seed)

    return NamedMethod(make, estimator.kind, labels, ceiling, use, cost)


ESTIMATORS: dict[str, NamedMethod] = {
    "auto": NamedMethod(
        lambda seed, device: AutoEstimator(device=device, seed=seed),
        None,
        False,
        "that of the method chosen",
        "to begin with: takes what suits x and y, and says why",
        "under 1 s where neighbours are near, else as adaptive",
    ),
    "adaptive": NamedMethod(
        lambda seed, device: AdaptiveEstimator(device=device, seed=seed),
        "lower bound",
        False,
        "",
        "the tightest certified bound for continuous rows: a closed form, corrected by a network",
        "15 to 30 s",
    ),
    "components": _classical(
        ComponentEstimator,
        "continuous rows of many columns that depend pair by pair",
        cost="1 s in 25 + 25 dimensions",
    ),
    **{name: _variational(name) for name in VARIATIONAL_METHODS},
    **{name: _learned_density(name) for name in LEARNED_DENSITY_METHODS},
    "class_posterior": NamedMethod(
        lambda seed, device: ClassPosterior(seed=seed),
        "lower bound",
        True,
        "",
        "features and labels: the certificate of an audit",
        "seconds",
    ),
    "label_information": NamedMethod(
        lambda seed, device: LabelInformation(seed=seed),
        "lower bound",
        True,
        "",
        "what a classifier knows of the label",
        "seconds",
    ),
    "ksg": _classical(KSG, "continuous x and y of a few dimensions", "digamma(n) - digamma(k)"),
    "gaussian": _classical(GaussianEstimator, "normal rows"),
    "gaussian_copula": _classical(GaussianCopulaEstimator, "rows that are normal after ranks"),
    "binned": _classical(
        BinnedEstimator, "the information plane's convention", "log of the number of bins met"
    ),
    "mixed_ksg": _classical(MixedKSG, "continuous x of a few dimensions, class labels y", labels=True),
    "discrete": _classical(
        DiscreteEstimator, "symbols and labels", "log n without a correction", labels=True
    ),
    "pairwise_lower": _classical(
        PairwiseLowerBound, "rows plus noise of a stated variance", cost="seconds", labels=True
    ),
    "pairwise_upper": _classical(
        PairwiseUpperBound, "rows plus noise of a stated variance", cost="seconds", labels=True
    ),
}


def make_estimator(name: str, seed: int = 0, device: str = "cpu") -> MIEstimator:
    """Make an estimator by name, with its default settings.

    Raises
    ------
    InputError
        When there is no such method; the nearest ones are named.
    """
    check_name("method", name, ESTIMATORS)
    return ESTIMATORS[name].make(seed, device)
