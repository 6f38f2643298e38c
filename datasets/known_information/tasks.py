"""Pairs whose mutual information is known, by name: what an estimator is tried on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.datasets.known_information.base import Joint, Rows
from mitools.datasets.known_information.binary_composites import BinaryComposites, flip_probability
from mitools.datasets.known_information.channels import AdditiveUniform, JointTable, LabelledIntervals
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, sparse_correlation
from mitools.datasets.known_information.mixtures import GaussianMixture
from mitools.datasets.known_information.transforms import transformed


@dataclass(frozen=True, eq=False)
class KnownMI:
    """A sample with its true mutual information.

    Attributes
    ----------
    name
        Of the task.
    x, y
        Shapes (n, d_x) and (n, d_y), float64, or (n,), int64, where discrete; rows belong together.
    nats
        I(X;Y).
    source
        Where that number comes from.
    stderr_nats
        Standard error of that number; 0 where it is exact to rounding.
    is_limit
        Whether the number is only an upper limit of the truth.
    """

    name: str
    x: Rows
    y: Rows
    nats: float
    source: str
    stderr_nats: float = 0.0
    is_limit: bool = False

    @property
    def bits(self) -> float:
        """I(X;Y) in bits."""
        return nats_to_bits(self.nats)


class Task(NamedTuple):
    """A joint distribution of known mutual information, with a name."""

    name: str
    joint: Joint

    def sample(self, n: int, seed: int = 0) -> KnownMI:
        """Draw n pairs; the same seed draws the same ones.

        Raises
        ------
        InputError
            When `n` is not positive.
        """
        return sample(self.joint, n, seed, self.name)


def sample(joint: Joint, n: int, seed: int = 0, name: str = "unnamed") -> KnownMI:
    """Draw n pairs from a joint distribution; the same seed draws the same ones.

    Raises
    ------
    InputError
        When `n` is not positive.
    """
    if n < 1:
        raise InputError(f"n={n} pairs cannot be drawn; ask for at least 1")
    x, y = joint.draw(n, np.random.default_rng(seed))
    truth = joint.truth
    return KnownMI(name, x, y, truth.nats, truth.source, truth.stderr_nats, truth.is_limit)


def benchmark_tasks() -> Iterator[Task]:
    """Give every task of :data:`KNOWN_MI_TASKS`, made one at a time.

    Dimensions 1 to 50 and truths of 0.2 to 5 nats. The tasks of Czyz et al. 2023 with at least 0.2 nats
    are among them.
    """
    return (Task(name, make()) for name, make in KNOWN_MI_TASKS.items())


def find_task(name: str) -> Task:
    """Make one task by its name.

    Raises
    ------
    InputError
        When there is no such task; the nearest ones are named.
    """
    check_name("task", name, KNOWN_MI_TASKS)
    return Task(name, KNOWN_MI_TASKS[name]())


def _through(make: Callable[[], Joint], *transforms: str) -> Callable[[], Joint]:
    return lambda: transformed(make(), transforms)


def _composites(bits: int, shared: float, dimensions: int) -> BinaryComposites:
    """Show bits by two well separated Gaussian blobs, of one seed."""
    rng = np.random.default_rng(1948)
    labels = np.repeat([0, 1], 2000)
    features = rng.standard_normal((len(labels), dimensions)) + np.where(labels, 4, -4)[:, None]
    return BinaryComposites(features, labels, bits, flip_probability(bits, shared))


_NORMAL = partial(Gaussian.dense, 1, 1, 0.75)
_SPARSE_3, _SPARSE_5, _SPARSE_25 = (partial(Gaussian.sparse, d, d, 2, 0.8) for d in (3, 5, 25))
_STUDENT_1, _STUDENT_2 = (partial(StudentT.identity, d, d, 1) for d in (1, 2))
_STUDENT_3, _STUDENT_5 = (partial(StudentT.identity, d, d, 2) for d in (3, 5))

KNOWN_MI_TASKS: dict[str, Callable[[], Joint]] = {
    # One dimension each.
    "normal 1x1": _NORMAL,
    "normal 1x1 strong": partial(Gaussian.dense, 1, 1, 0.99),
    "normal cdf of normal 1x1": _through(_NORMAL, "normal_cdf"),
    "half cube of normal 1x1": _through(_NORMAL, "half_cube"),
    "wiggly normal 1x1": _through(_NORMAL, "wiggly"),
    "bimodal margins 1x1": _through(_NORMAL, "bimodal"),
    "swiss roll 2x1": _through(_NORMAL, "normal_cdf", "swiss_roll"),
    "uniform noise 0.1 1x1": partial(AdditiveUniform, 0.1),
    "uniform noise 0.75 1x1": partial(AdditiveUniform, 0.75),
    "student 1 df 1x1": _STUDENT_1,
    "asinh of student 1 df 1x1": _through(_STUDENT_1, "asinh"),
    "crossed mixture 1x1": partial(GaussianMixture.bimodal, 1, 1, 3.0, 0.8),
    # Normal, dense and sparse.
    "dense normal 2x2": partial(Gaussian.dense, 2, 2, 0.5),
    "dense normal 3x3": partial(Gaussian.dense, 3, 3, 0.5),
    "dense normal 5x5": partial(Gaussian.dense, 5, 5, 0.5),
    "dense normal 25x25": partial(Gaussian.dense, 25, 25, 0.5),
    "dense normal 50x50": partial(Gaussian.dense, 50, 50, 0.5),
    "sparse normal 2x2": partial(Gaussian.sparse, 2, 2, 2, 0.8),
    "sparse normal 3x3": _SPARSE_3,
    "sparse normal 5x5": _SPARSE_5,
    "sparse normal 25x25": _SPARSE_25,
    "sparse normal 50x50": partial(Gaussian.sparse, 50, 50, 2, 0.8),
    "sparse normal 2x50": partial(Gaussian.sparse, 2, 50, 2, 0.8),
    "sparse normal 10x10 strong": partial(Gaussian.sparse, 10, 10, 5, 0.9),
    "sparse normal 25x25 strong": partial(Gaussian.sparse, 25, 25, 15, 0.69),
    # Student-t: heavy tails and a shared scale.
    "student 1 df 2x2": _STUDENT_2,
    "student 2 df 3x3": _STUDENT_3,
    "student 2 df 5x5": _STUDENT_5,
    "student 3 df 5x5": partial(StudentT.identity, 5, 5, 3),
    "student 5 df 25x25": partial(StudentT.identity, 25, 25, 5),
    "sparse student 3 df 5x5": lambda: StudentT(sparse_correlation(5, 5, 2, 0.8), 5, 3),
    "asinh of student 1 df 2x2": _through(_STUDENT_2, "asinh"),
    "asinh of student 2 df 3x3": _through(_STUDENT_3, "asinh"),
    "asinh of student 2 df 5x5": _through(_STUDENT_5, "asinh"),
    # Sparse normal, bent.
    "normal cdf of sparse normal 3x3": _through(_SPARSE_3, "normal_cdf"),
    "normal cdf of sparse normal 5x5": _through(_SPARSE_5, "normal_cdf"),
    "normal cdf of sparse normal 25x25": _through(_SPARSE_25, "normal_cdf"),
    "half cube of sparse normal 3x3": _through(_SPARSE_3, "half_cube"),
    "half cube of sparse normal 5x5": _through(_SPARSE_5, "half_cube"),
    "half cube of sparse normal 25x25": _through(_SPARSE_25, "half_cube"),
    "spiral of sparse normal 3x3": _through(_SPARSE_3, "spiral"),
    "spiral of sparse normal 5x5": _through(_SPARSE_5, "spiral"),
    "spiral of sparse normal 25x25": _through(_SPARSE_25, "spiral"),
    "spiral of normal cdf of sparse normal 3x3": _through(_SPARSE_3, "normal_cdf", "spiral"),
    "spiral of normal cdf of sparse normal 5x5": _through(_SPARSE_5, "normal_cdf", "spiral"),
    "spiral of normal cdf of sparse normal 25x25": _through(_SPARSE_25, "normal_cdf", "spiral"),
    # Noise, mixtures, symbols and composites.
    "uniform noise 0.25 4x4": partial(AdditiveUniform, 0.25, 4),
    "crossed mixture 3x3": partial(GaussianMixture.bimodal, 3, 3, 2.0, 0.7),
    "mixture 10x10": partial(GaussianMixture.bimodal, 10, 10, 2.0, 0.0),
    "symmetric channel 8 symbols": partial(JointTable.symmetric_channel, 8, 0.1),
    "symmetric channel 100 symbols": partial(JointTable.symmetric_channel, 100, 0.5),
    "labelled intervals": partial(LabelledIntervals, 5),
    "composites 4 bits 8x8": partial(_composites, 4, 2.0, 2),
    "composites 10 bits 50x50": partial(_composites, 10, 6.0, 5),
}
"""What makes the joint distribution of each task."""
