"""How critics are fitted: the settings that all estimators that train them share."""

from collections.abc import Sequence
from dataclasses import dataclass

from mitools.core.errors import InputError
from mitools.estimators.neural.training_loop import Schedule


@dataclass(eq=False, repr=False, kw_only=True)
class CriticFitSettings:
    """How critics are fitted.

    An estimator inherits these as keyword parameters of its own, states the defaults that differ, and
    adds its own parameters in front: one signature that scikit-learn reads like any other.

    Parameters
    ----------
    hidden
        Widths of the critic's hidden layers.
    folds
        1: one split. k: cross-fitting, k splits whose *report* parts are all items together; one pooled
        value and interval. None: 5 below :data:`mitools.estimators.inputs.folds.CROSS_FIT_BELOW_ITEMS` items,
        where it was measured to be worth its time, else (and for given parts) 1. The null has one fold.
    batch_size
        Pairs a step; every one is a negative for all others.
    learning_rate
        Of Adam.
    max_steps
        Steps at the most.
    check_every
        Steps between two readings of *select*.
    patience
        Readings of *select* without a better value after which fitting stops; the best weights are kept.
    average
        Decay of the running average of the weights, which is what is checked, kept and read: it halves the
        loss to overfitting at no cost.
    device
        Where the features stay during fitting.
    seed
        Of the split, the weights and the batches. Same seed, same machine, same number.
    """

    hidden: Sequence[int] = (256, 256)
    folds: int | None = None
    batch_size: int = 256
    learning_rate: float = 1e-3
    max_steps: int = 3000
    check_every: int = 50
    patience: int = 8
    average: float = 0.99
    device: str = "cpu"
    seed: int = 0

    def check_fit_settings(self) -> None:
        """Refuse a number that is out of its range.

        Raises
        ------
        InputError
            With the setting, its value and its range.
        """
        for name, least in {"batch_size": 2, "max_steps": 1, "check_every": 1, "patience": 1}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}, but it must be at least {least}")
        if self.folds is not None and self.folds < 1:
            raise InputError(f"folds is {self.folds}, but it must be at least 1")
        if not self.learning_rate > 0 or not 0 <= self.average < 1:
            raise InputError("the learning rate must be positive, and the average's decay in [0, 1)")
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden is {self.hidden}, but a critic needs one hidden layer at least")

    def schedule(self) -> Schedule:
        """Give how long and how fast to fit."""
        return Schedule(self.learning_rate, self.max_steps, self.check_every, self.patience, self.average)
