"""What intervals are tried on: pairs of known information, with symbols, labels and awkward columns."""

from collections.abc import Callable
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.known_information.base import Joint
from mitools.datasets.known_information.channels import JointTable, LabelledIntervals
from mitools.datasets.known_information.labelled_normals import LabelledNormals
from mitools.datasets.known_information.tasks import KNOWN_MI_TASKS, KnownMI, sample

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

AWKWARD_COLUMNS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "ties": lambda rng, n: np.maximum(rng.standard_normal(n), 0.0),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)),
    "clusters": lambda rng, n: 10.0 * rng.integers(0, 3, n) + rng.standard_normal(n),
}
"""Columns of which two are drawn independently: whatever is read of them is chance."""

INDEPENDENT_TASKS = {
    f"independent: {one}, {other}": (one, other) for one, other in permutations(AWKWARD_COLUMNS, 2)
}


def _zipf(symbols: int) -> NDArray[np.float64]:
    """Frequencies that fall like one over the rank."""
    weights = 1.0 / np.arange(1, symbols + 1)
    return weights / weights.sum()


def _channel(share: NDArray[np.float64], flip: float, names: NDArray[np.int64] | None = None) -> JointTable:
    """Copy a symbol, or with probability `flip` draw one anew; the copy may bear another name."""
    table = (1 - flip) * np.diag(share) + flip * np.outer(share, share)
    return JointTable(table if names is None else table[:, names])


def _renamed(symbols: int, flip: float) -> JointTable:
    return _channel(np.full(symbols, 1 / symbols), flip, np.random.default_rng(7).permutation(symbols))


def _dirichlet(rows: int, columns: int, concentration: float) -> JointTable:
    """Draw one table at random: no structure, and some pairs far more frequent than others."""
    cells = np.random.default_rng(11).dirichlet(np.full(rows * columns, concentration))
    return JointTable(cells.reshape(rows, columns))


def _blocks(blocks: int, symbols: int) -> JointTable:
    """Within a block of symbols every pair is as likely; none joins two blocks."""
    return JointTable(np.kron(np.eye(blocks) / blocks, np.full((symbols, symbols), 1 / symbols**2)))


def _circle(classes: int, radius: float, dimensions: int = 2) -> NDArray[np.float64]:
    """Places of classes on a circle in the first two coordinates, shape (classes, dimensions)."""
    angle = 2 * np.pi * np.arange(classes) / classes
    means = np.zeros((classes, dimensions))
    means[:, 0], means[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return means


def _two(separation: float, dimensions: int = 1, share: float = 0.5) -> LabelledNormals:
    """Two classes in normal noise, their means apart in the first coordinate."""
    means = np.zeros((2, dimensions))
    means[:, 0] = -separation / 2, separation / 2
    return LabelledNormals.of_classes(means, np.array([share, 1 - share]))


def _exclusive_or(separation: float) -> LabelledNormals:
    """Four blobs at the corners of a square, opposite ones of one label: no line tells the labels apart."""
    corners = separation / 2 * np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    return LabelledNormals(np.array([0, 0, 1, 1]), np.full(4, 0.25), corners, np.ones(4))


SYMBOL_TASKS: dict[str, Callable[[], Joint]] = {
    "channel 4 symbols, half new": lambda: _channel(np.full(4, 1 / 4), 0.5),
    "channel 20 symbols, a fifth new": lambda: _channel(np.full(20, 1 / 20), 0.2),
    "channel 200 symbols, half new": lambda: _channel(np.full(200, 1 / 200), 0.5),
    "channel 20 Zipf symbols, a fifth new": lambda: _channel(_zipf(20), 0.2),
    "channel 200 Zipf symbols, half new": lambda: _channel(_zipf(200), 0.5),
    "noisy copy of 50 symbols": lambda: _channel(np.full(50, 1 / 50), 0.01),
    "renamed 20 symbols, a tenth new": lambda: _renamed(20, 0.1),
    "renamed 100 symbols, a third new": lambda: _renamed(100, 1 / 3),
    "random table 10 x 5": lambda: _dirichlet(10, 5, 1.0),
    "random table 30 x 30, uneven": lambda: _dirichlet(30, 30, 0.1),
    "8 blocks of 5 symbols": lambda: _blocks(8, 5),
    "independent 4 x 4 symbols": lambda: _channel(np.full(4, 1 / 4), 1.0),
    "independent 20 x 20 symbols": lambda: _channel(np.full(20, 1 / 20), 1.0),
    "independent 200 x 200 Zipf symbols": lambda: _channel(_zipf(200), 1.0),
}
"""Symbols on both sides."""

LABEL_TASKS: dict[str, Callable[[], Joint]] = {
    "2 classes, 1 column": lambda: _two(2.0),
    "2 classes, 10 columns": lambda: _two(2.0, 10),
    "2 classes, 1 to 20, 3 columns": lambda: _two(2.5, 3, 0.05),
    "10 classes, 2 columns": lambda: LabelledNormals.of_classes(_circle(10, 4.0)),
    "10 classes, 20 columns": lambda: LabelledNormals.of_classes(_circle(10, 4.0, 20)),
    "10 Zipf classes, 3 columns": lambda: LabelledNormals.of_classes(_circle(10, 3.0, 3), _zipf(10)),
    "4 classes far apart, 5 columns": lambda: LabelledNormals.of_classes(_circle(4, 8.0, 5)),
    "exclusive or, 2 columns": lambda: _exclusive_or(3.0),
    "two sizes, 3 columns": lambda: LabelledNormals(
        np.arange(2), np.full(2, 0.5), np.zeros((2, 3)), np.array([1.0, 2.0])
    ),
    "10 labelled intervals": lambda: LabelledIntervals(10),
    "no information, 2 classes, 2 columns": lambda: _two(0.0, 2),
    "no information, 10 classes, 1 column": lambda: LabelledNormals.of_classes(np.zeros((10, 1))),
    "no information, 10 Zipf classes, 20 columns": lambda: LabelledNormals.of_classes(
        np.zeros((10, 20)), _zipf(10)
    ),
}
"""Numbers on one side, labels on the other."""

_JOINTS: dict[str, Callable[[], Joint]] = {**KNOWN_MI_TASKS, **SYMBOL_TASKS, **LABEL_TASKS}

COVERAGE_TASKS = (*_JOINTS, *INDEPENDENT_TASKS)
"""Names of everything that can be drawn."""


def draw(task: str, n: int, seed: int) -> KnownMI:
    """Draw n pairs of a task by its name.

    Parameters
    ----------
    task
        In :data:`COVERAGE_TASKS`.
    n, seed
        How many, and the seed they are drawn by.
    """
    if task not in INDEPENDENT_TASKS:
        return sample(_joint(task), n, seed, task)
    rng = np.random.default_rng([seed, *task.encode()])
    x, y = (AWKWARD_COLUMNS[name](rng, n) for name in INDEPENDENT_TASKS[task])
    return KnownMI(task, x, y, 0.0, "independent columns")


@cache
def _joint(task: str) -> Joint:
    """Make a task once: some truths take a second of simulation."""
    return _JOINTS[task]()
