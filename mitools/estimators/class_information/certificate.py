"""The certificate: class information of a representation by a critic that needs no training of its own."""

from sklearn.base import ClassifierMixin

from mitools.core.names import check_name
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator
from mitools.estimators.inputs.class_prior import Prior

_METHOD_OF_READING = {"dv": "class_posterior", "nwj": "class_posterior_nwj"}


class ClassPosterior(PosteriorEstimator):
    """Certified same-class information: Donsker-Varadhan with the class-posterior critic.

    For views X and Y drawn independently from one class C ~ pi,
    ``p(x, y) / p(x) p(y) = sum_c p(c|x) p(c|y) / pi_c``. A calibrated classifier fitted on *train* gives
    the critic; on *report* the bound's normaliser is summed over all pairs. So there is no log K
    ceiling, the variance is that of two U-statistics, and the value is a lower bound on I_class(X;Y),
    itself at most H(C) (Lee et al., Proposition III.1).

    Parameters
    ----------
    classifier, prior, seed, folds
        As for :class:`.PosteriorEstimator`.
    reading
        ``dv`` for ``estimate_``, or ``nwj``, which is lower but unbiased on a sample.

    Attributes
    ----------
    estimate_
        The chosen reading of I_class. The others are as for :class:`.PosteriorEstimator`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 1000)
    >>> features = labels[:, None] + 0.1 * rng.standard_normal((1000, 3))
    >>> estimate = ClassPosterior().estimate(features, labels)
    >>> estimate.kind, bool(0.9 < estimate.bits <= 1)
    ('lower bound', True)
    """

    def __init__(
        self,
        classifier: ClassifierMixin | str | None = None,
        prior: Prior = "empirical",
        reading: str = "dv",
        seed: int = 0,
        folds: int | None = None,
    ) -> None:
        super().__init__(classifier, prior, seed, folds)
        self.reading = reading

    def _read_as(self) -> str:
        check_name("reading", self.reading, _METHOD_OF_READING)
        return _METHOD_OF_READING[self.reading]


class LabelInformation(PosteriorEstimator):
    """How much the representation says about the label: Barber-Agakov, ``I(H;C) >= H(C) - CE``.

    Parameters
    ----------
    classifier, prior, seed, folds
        As for :class:`.PosteriorEstimator`.

    Attributes
    ----------
    estimate_
        The bound on *report* (Barber & Agakov 2003). The others are as for :class:`.PosteriorEstimator`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 1000)
    >>> features = labels[:, None] + 0.1 * rng.standard_normal((1000, 3))
    >>> bool(0.9 < LabelInformation().estimate(features, labels).bits <= 1)
    True
    """

    def _read_as(self) -> str:
        return "label_information"
