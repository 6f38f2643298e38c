"""What every measure depends on beside the representation: one set of settings, whoever asks."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MeasureSettings:
    """Settings that an audit, a study, a plane and Python share.

    Attributes
    ----------
    prior
        The class distribution that is meant: ``empirical`` or ``uniform``.
    seed
        Of the split, of everything fitted, and of every random part.
    device
        Where critics and metrics are computed; no number depends on it beyond rounding.
    """

    prior: str = "empirical"
    seed: int = 0
    device: str = "cpu"

    def record(self) -> dict[str, Any]:
        """Give what the numbers depend on, as JSON values."""
        return {"prior": self.prior, "seed": self.seed}
