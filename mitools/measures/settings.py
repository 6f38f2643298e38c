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
    quick_critic
        Fit smaller critics in fewer steps: see :data:`mitools.measures.critics.QUICK`.
    """

    prior: str = "empirical"
    seed: int = 0
    device: str = "cpu"
    quick_critic: bool = False

    def record(self) -> dict[str, Any]:
        """Give what the numbers depend on, as JSON values."""
        found: dict[str, Any] = {"prior": self.prior, "seed": self.seed}
        return found | {"quick_critic": True} if self.quick_critic else found
