"""Train and test loss of a run's own classifier at every kept checkpoint (Cui et al. 2022, A.4, Fig. 12)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from mitools.analyses.cui2022.changes import Change, mean_over_images
from mitools.analyses.cui2022.transfer_study import Measured
from mitools.analyses.shared.runs_by_setting import SettingAndSeed
from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.core.files import digest_file
from mitools.core.result_store import Values
from mitools.encoders.sources.run import HEAD, find_checkpoint, run_spec
from mitools.features.extract import Features
from mitools.training.loop.run_folder import RunFolder


class ClassifierLosses(NamedTuple):
    """What the classifier that was trained with the encoder makes of images.

    Attributes
    ----------
    bits
        Shape (n,): cross-entropy of every image.
    right
        Shape (n,): whether its class is the likeliest.
    """

    bits: NDArray[np.float64]
    right: NDArray[np.bool_]

    @property
    def loss(self) -> Change:
        """Give the mean loss in bits, with a 95% interval over images."""
        return mean_over_images(self.bits)


class TrainAndTest(NamedTuple):
    """A checkpoint's losses on the images trained on, as they are, and on other images of the source."""

    train: ClassifierLosses
    test: ClassifierLosses


def losses_of_runs(
    measured: Measured,
    runs: Mapping[SettingAndSeed, RunFolder],
    epochs: Callable[[str], Sequence[int]],
    train: str,
    test: str,
) -> dict[tuple[str, int, int], TrainAndTest]:
    """Read the classifiers of checkpoints on both parts of the source; each is kept in a cell.

    Parameters
    ----------
    measured
        Has features and cells.
    runs
        By setting and seed.
    epochs
        Which of a setting's checkpoints are read.
    train, test
        Specs of the images trained on, and of other images.

    Returns
    -------
    dict
        By setting, seed and epoch.

    Raises
    ------
    InputError
        When the data cannot be read, or a run has no linear classifier on its encoder.
    """
    measurer = measured.measurer
    keys = [(name, seed, epoch) for name, seed in runs for epoch in epochs(name)]
    specs = [run_spec(runs[name, seed].path, epoch) for name, seed, epoch in keys]
    found = []
    for data in (train, test):
        features = measurer.features(data, specs)
        of_data = []
        for (name, seed, epoch), one in zip(keys, features, strict=True):
            path = find_checkpoint(runs[name, seed].path, epoch) / HEAD
            weights = _classifier(path)
            on = {"features": one.key, "classifier": digest_file(path)}
            cell = measurer.results.cell("temporal-classifier", on, partial(_losses, one, *weights))
            of_data.append(ClassifierLosses(np.array(cell["bits"]), np.array(cell["right"])))
        found.append(of_data)
    return {key: TrainAndTest(*both) for key, both in zip(keys, zip(*found, strict=True), strict=True)}


def _classifier(path: Path) -> tuple[Tensor, Tensor]:
    weights = load_file(path) if path.is_file() else {}
    if set(weights) != {"weight", "bias"}:
        raise InputError(f"{path.parent}: has no linear classifier on its encoder; its loss cannot be read")
    return weights["weight"], weights["bias"]


def _losses(features: Features, weight: Tensor, bias: Tensor) -> Values:
    rows = torch.from_numpy(np.asarray(features.values[:, 0], dtype=np.float32))
    labels = torch.from_numpy(features.labels)
    logits = functional.linear(rows, weight, bias)
    bits = functional.cross_entropy(logits.double(), labels, reduction="none") / LOG2
    return {"bits": bits.tolist(), "right": (logits.argmax(dim=1) == labels).tolist()}
