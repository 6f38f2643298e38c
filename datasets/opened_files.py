"""Whether the files that data are read from are still those that were opened."""

import os
from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import Selection


class OpenedFiles:
    """The files that items are read from on demand, as they were when the data were opened.

    Parameters
    ----------
    paths
        The files, n of them.

    Attributes
    ----------
    states
        Shape (n, 3), int64: size, time of change in ns, and number on the disk (inode) of each.
    """

    def __init__(self, paths: Sequence[str | PathLike[str]]) -> None:
        self.paths = paths
        self.states: NDArray[np.int64] = np.array([_state(path) for path in paths], np.int64)

    def require_unchanged(self) -> None:
        """Check that no file was written, replaced or removed since.

        Raises
        ------
        InputError
            When one was; the first is named.
        """
        for path, before in zip(self.paths, self.states, strict=True):
            try:
                same = _state(path) == tuple(before)
            except OSError:
                same = False
            if not same:
                raise InputError(
                    f"{path}: changed while it was read; nothing of this pass is kept. Run it again when"
                    " nothing writes there any more"
                )


def _state(path: str | PathLike[str]) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino


def require_unchanged(data: LabelledData) -> None:
    """Check that data which are read on demand are still those that were opened.

    Data that lie in memory whole, or are generated, cannot change. Others say by an attribute
    ``opened``, an :class:`OpenedFiles`, what they read.

    Raises
    ------
    InputError
        As :meth:`OpenedFiles.require_unchanged`.
    """
    while isinstance(data, Selection):
        data = data.data
    opened: OpenedFiles | None = getattr(data, "opened", None)
    if opened is not None:
        opened.require_unchanged()
