"""How views are measured: sizes of the networks, steps, methods."""

from dataclasses import dataclass

from mitools.core.errors import InputError

SHARED_METHODS = ("infonce", "mine")
"""How I(v1;v2) is read unless others are named: by the fitted encoders' own critic, and by MINE on what they
embed."""


@dataclass(frozen=True)
class ViewSettings:
    """How views are measured.

    Attributes
    ----------
    methods
        Of I(v1;v2): ``infonce`` reads the fitted encoders themselves; any other estimator of rows against
        rows (:func:`mitools.list_estimators`) is fitted to what they embed of held-out items. The first lower
        bound among them judges the regimes.
    folds
        Each is held out once from the networks that it is read by.
    steps, batch_size, learning_rate
        Of fitting, at the most: it stops when *select* does no better for `patience` readings.
    check_every, patience
        Steps between two readings of *select*, and how many without a better value end the fit.
    width
        Channels of the first layer of the networks.
    embedding
        Dimensions in which views are compared.
    seed
        Of folds, weights, batches and draws of the views.
    device
        Where networks are fitted.
    """

    methods: tuple[str, ...] = SHARED_METHODS
    folds: int = 2
    steps: int = 400
    batch_size: int = 256
    learning_rate: float = 1e-3
    check_every: int = 50
    patience: int = 6
    width: int = 16
    embedding: int = 64
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in [
            ("folds", 2), ("steps", 1), ("batch_size", 8), ("check_every", 1), ("patience", 1),
            ("embedding", 1), ("seed", 0),
        ]:  # fmt: skip
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}, but it must be at least {least}")
        if self.width < 8 or self.width % 8:
            raise InputError(f"width is {self.width}, but it must be a multiple of 8")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate is {self.learning_rate:g}, but it must be positive")
        if not self.methods:
            raise InputError("no method is named to read I(v1;v2) by; infonce is one")
