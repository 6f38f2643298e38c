"""What a frozen network is to the rest of the toolkit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mitools.datasets.base import LabelledData
from mitools.encoders.checkpoints import LoadReport
from mitools.encoders.preprocess import Preprocess


@dataclass(frozen=True)
class Encoder:
    """A frozen network with its preprocessing.

    Attributes
    ----------
    spec
        The spec that named it.
    name
        A short name for tables and figures.
    source
        What comes before the spec's colon.
    digest
        SHA-256 over weights and architecture, whatever file they came in.
    module
        In evaluation mode and without gradients; maps (B, 3, H, W) to (B, d), float32. It is called from
        several threads at once, so what a call leaves behind in the module is not to be relied on.
    preprocess
        How images become its input.
    load_report
        What was loaded from a checkpoint; None where there was none.
    reads_rows
        Whether it maps feature rows (B, k) as well.
    """

    spec: str
    name: str
    source: str
    digest: str
    module: nn.Module
    preprocess: Preprocess
    load_report: LoadReport | None = None
    reads_rows: bool = False

    def __post_init__(self) -> None:
        self.module.eval().requires_grad_(False)

    def fitted_digest(self, data: LabelledData, indices: NDArray[np.int64] | None) -> str:
        """Return the digest, which depends on no data."""
        return self.digest

    def fitted(self, data: LabelledData, indices: NDArray[np.int64] | None) -> "Encoder":
        """Return the encoder itself: there is nothing to fit."""
        return self
