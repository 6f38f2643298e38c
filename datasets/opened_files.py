"""Whether the files that data are read from are still those that were opened."""

import hashlib
import os
from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_text
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
        Shape (n, 4), int64: size, time of change in ns, number on the disk (inode), and the time in ns at
        which the system last noted a change of any kind; -1 where there is no such file.
    """

    def __init__(self, paths: Sequence[str | PathLike[str]]) -> None:
        self.paths = paths
        self.states: NDArray[np.int64] = np.array([_state(path) for path in paths], np.int64)

    @property
    def bytes(self) -> int:
        """How large they are together."""
        return int(self.states[:, 0].sum()) if len(self.states) else 0

    @property
    def digest(self) -> str:
        """Changes when any file was written, or given another name or time; nothing of it is read."""
        return digest_text(
            *(os.fspath(path) for path in self.paths), hashlib.sha256(self.states.tobytes()).hexdigest()
        )

    def require_unchanged(self) -> None:
        """Check that no file was written, replaced or removed since.

        Raises
        ------
        InputError
            When one was; the first is named.
        """
        for path, before in zip(self.paths, self.states, strict=True):
            # The last of the four changes with a new link or another owner, too, which is no other content.
            if _state(path)[:3] != tuple(before[:3]):
                raise InputError(
                    f"{path}: changed while it was read; nothing of this pass is kept. Run it again when"
                    " nothing writes there any more"
                )


def _state(path: str | PathLike[str]) -> tuple[int, int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return -1, -1, -1, -1
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns


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
