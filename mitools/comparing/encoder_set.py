"""The features of several encoders on the same labelled items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.inputs.validation import as_labels, as_rows

FEWEST_ENCODERS = 2


@dataclass(frozen=True)
class EncoderSet:
    """What several encoders make of n items.

    Attributes
    ----------
    rows
        Features by the name of their encoder, shape (n, d) each, possibly mapped from files.
    labels
        Shape (n,), 0..C-1.
    parts
        The split of the items, with their groups.
    """

    rows: Mapping[str, NDArray[Any]]
    labels: NDArray[np.int64]
    parts: Parts

    @classmethod
    def of_arrays(
        cls,
        features: Mapping[str, ArrayLike],
        labels: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        seed: int = 0,
    ) -> Self:
        """Check arrays in memory, and split the items.

        Parameters
        ----------
        features
            By the name of their encoder, shape (n, d) each: row i is of the same item in all.
        labels
            Shape (n,).
        groups
            Shape (n,): which items depend on each other; None where every item stands alone.
        seed
            Of the split.

        Raises
        ------
        InputError
            When there are fewer than two encoders, or their numbers of items differ.
        """
        index = as_labels(labels)
        rows = {name: as_rows(values, f"features of {name}") for name, values in features.items()}
        known = None if groups is None else as_groups(groups, len(index))
        return cls(rows, index, split(len(index), index, seed, known)).checked()

    def checked(self, failures: Mapping[str, str] | None = None) -> Self:
        """Refuse fewer than two encoders, and features of different items.

        Parameters
        ----------
        failures
            Why encoders that were asked for are missing, by their names.

        Raises
        ------
        InputError
            With how many there are, and what failed.
        """
        if len(self.rows) < FEWEST_ENCODERS:
            missing = "".join(f"; {name} failed: {reason}" for name, reason in (failures or {}).items())
            raise InputError(
                f"{len(self.rows)} encoder is there; two or more are needed to compare them{missing}"
            )
        for name, rows in self.rows.items():
            if len(rows) != len(self.labels):
                raise InputError(
                    f"{name} has features of {len(rows)} items, and there are {len(self.labels)} labels;"
                    " compare encoders on the same items"
                )
        return self


def require_several(asked: int, what: str) -> None:
    """Refuse a comparison of fewer than two encoders before anything is measured.

    Parameters
    ----------
    asked
        How many encoders are asked for.
    what
        The option that compares them.

    Raises
    ------
    InputError
        With how many there are.
    """
    if asked < FEWEST_ENCODERS:
        raise InputError(
            f"{what} compares two encoders or more, and {asked} is given; name another one in the same audit,"
            f" or leave {what} out"
        )
