"""Named discrete attributes with a stated joint distribution: what an image's labels mean, and their bits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from mitools.core.entropy import bits_to_nats, check_distribution, entropy, mutual_information, nats_to_bits
from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.datasets.synthetic.random_draws import categorical


@dataclass(frozen=True)
class Attributes:
    """The attributes of a synthetic image.

    Attributes
    ----------
    values
        For each attribute its name and the names of its values.
    joint
        Shape (values of the first attribute, of the second, ...): probabilities.
    """

    values: dict[str, tuple[str, ...]]
    joint: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in the order of the table's axes."""
        return tuple(self.values)

    def axes(self, shared: Sequence[str]) -> tuple[int, ...]:
        """Positions of the named attributes, in the order of the table's axes.

        Raises
        ------
        InputError
            When a name is no attribute, or comes twice.
        """
        for name in shared:
            if name not in self.values:
                raise InputError(f"shared names no attribute {name!r}; accepted: {nearest(name, self.names)}")
        if len(set(shared)) < len(shared):
            raise InputError(f"shared={','.join(shared)} names an attribute twice")
        return tuple(axis for axis, name in enumerate(self.names) if name in shared)

    def ordered(self, shared: Sequence[str]) -> tuple[str, ...]:
        """Return the same names in the order of the table's axes."""
        return tuple(self.names[axis] for axis in self.axes(shared))

    def marginal(self, shared: Sequence[str]) -> NDArray[np.float64]:
        """Joint distribution of the named attributes alone."""
        axes = self.axes(shared)
        return self.joint.sum(axis=tuple(axis for axis in range(self.joint.ndim) if axis not in axes))

    def bits(self, shared: Sequence[str]) -> float:
        """H(C) in bits, where the class C is the combination of the named attributes."""
        return nats_to_bits(entropy(self.marginal(shared))) if shared else 0.0

    def classes(self, shared: Sequence[str]) -> list[str]:
        """Names of the combinations of the named attributes; label k stands for the k-th."""
        combinations = [""]
        for axis in self.axes(shared):
            names = self.values[self.names[axis]]
            combinations = [f"{before} {name}".strip() for before in combinations for name in names]
        return combinations if shared else ["any"]

    def labels(self, codes: NDArray[np.int64], shared: Sequence[str]) -> NDArray[np.int64]:
        """Give the number of the combination that the named attributes form.

        Parameters
        ----------
        codes
            Shape (n, attributes): the value each attribute has.
        shared
            Which attributes make the label.

        Returns
        -------
        NDArray[np.int64]
            Shape (n,), positions in :meth:`classes`.
        """
        axes = self.axes(shared)
        labels = np.zeros(len(codes), dtype=np.int64)
        for axis in axes:
            labels = labels * self.joint.shape[axis] + codes[:, axis]
        return labels

    def draw(self, u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Draw all attributes from the joint table.

        Parameters
        ----------
        u
            Shape (n,), uniform in [0, 1).

        Returns
        -------
        NDArray[np.int64]
            Shape (n, attributes).
        """
        cells = categorical(u, self.joint.ravel())
        return np.stack(np.unravel_index(cells, self.joint.shape), axis=1).astype(np.int64)

    def redraw(
        self, codes: NDArray[np.int64], shared: Sequence[str], u: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Keep the named attributes and draw the others afresh, given the kept ones.

        Drawing from p(others | kept) makes the two views independent given the class, each with the
        distribution of the data: same-class sampling, whose information is H(C) of the kept attributes.

        Parameters
        ----------
        codes
            Shape (n, attributes), of positive probability.
        shared
            The attributes to keep.
        u
            Shape (n,), uniform in [0, 1).

        Returns
        -------
        NDArray[np.int64]
            Shape (n, attributes).
        """
        kept = self.axes(shared)
        free = tuple(axis for axis in range(self.joint.ndim) if axis not in kept)
        fresh = codes.copy()
        if free:
            rows = int(np.prod([self.joint.shape[axis] for axis in kept]))
            table = self.joint.transpose(kept + free).reshape(rows, -1)
            cells = categorical(u, table[self.labels(codes, shared)])
            fresh[:, free] = np.stack(
                np.unravel_index(cells, [self.joint.shape[axis] for axis in free]), axis=1
            )
        return fresh


def uniform_joint(shape: Sequence[int]) -> NDArray[np.float64]:
    """Build the table of uniform and independent attributes."""
    return np.full(tuple(shape), 1.0 / np.prod(shape))


def checked_joint(joint: ArrayLike, shape: Sequence[int]) -> NDArray[np.float64]:
    """Return the table as float64, or say what is wrong with it.

    Raises
    ------
    InputError
        When it has another shape, or is no probability distribution.
    """
    table = np.asarray(joint)
    if table.shape != tuple(shape) or table.dtype.kind not in "fiu":
        raise InputError(
            f"the joint table has shape {table.shape} of {table.dtype}; "
            f"it must hold probabilities, shape {tuple(shape)}"
        )
    try:
        return check_distribution(table)
    except InputError as error:
        raise InputError(f"the joint table is wrong: {error}") from None


def dependent_joint(shape: Sequence[int], axes: tuple[int, int], bits: float) -> NDArray[np.float64]:
    """Build a table in which two attributes share a stated mutual information.

    Every attribute stays uniform. The two mix independence with the coupling that lines their values up
    in order, and the share of the coupling is solved for; the other attributes are independent.

    Parameters
    ----------
    shape
        How many values each attribute has.
    axes
        The two attributes that depend on each other.
    bits
        Their mutual information.

    Raises
    ------
    InputError
        When the attributes cannot share so much; the most they can is named.
    """
    rows, columns = shape[axes[0]], shape[axes[1]]
    independent = uniform_joint((rows, columns))
    edges_a, edges_b = np.arange(rows + 1) / rows, np.arange(columns + 1) / columns
    overlap = np.minimum(edges_a[1:, None], edges_b[1:]) - np.maximum(edges_a[:-1, None], edges_b[:-1])
    coupled = np.maximum(overlap, 0.0)
    coupled /= coupled.sum()

    def mixed(share: float) -> NDArray[np.float64]:
        return (1.0 - share) * independent + share * coupled

    most = mutual_information(coupled)
    nats = bits_to_nats(bits)
    if not -1e-12 <= nats <= most + 1e-12:
        raise InputError(
            f"two attributes of {rows} and {columns} values share between 0 and "
            f"{nats_to_bits(most):.4g} bits, not {bits:g}"
        )
    target = min(max(nats, 0.0), most)
    share = brentq(lambda share: mutual_information(mixed(share)) - target, 0.0, 1.0, xtol=1e-15)
    pair = mixed(round(share, 12))  # rounded, so that every machine draws from the same table
    others = [axis for axis in range(len(shape)) if axis not in axes]
    table = pair.reshape(rows, columns, *[1] * len(others)) * uniform_joint([shape[axis] for axis in others])
    return np.ascontiguousarray(np.moveaxis(table, range(len(shape)), [*axes, *others]))
