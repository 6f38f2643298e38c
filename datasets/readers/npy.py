"""One array in a npy file."""

import warnings
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

DAMAGE_ERRORS = (
    OSError, ValueError, EOFError, TypeError, OverflowError, MemoryError, TokenError, SyntaxError,
)  # fmt: skip
"""What NumPy raises on headers that no NumPy has written: shapes beyond all memory, brackets without end."""


def read_array(path: Path, mapped: bool = False) -> NDArray:
    """Read a npy file; what would need to run code to be read is refused.

    Parameters
    ----------
    path
        The file.
    mapped
        Leave the numbers on disk until they are used.

    Raises
    ------
    InputError
        When the file is missing, damaged, no npy file, or holds Python objects.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers that Python 2 has written
            array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except DAMAGE_ERRORS as error:
        reason = " ".join(str(error).split())
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds Python objects, which could run code; nothing was run"
            if not _may_hold_objects(path):
                reason = "it is of another format"
        raise InputError(
            f"{path}: not an npy file of numbers ({reason}); write one with numpy.save"
        ) from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: holds several arrays; give one array, as numpy.save writes it")
    return array


def _may_hold_objects(path: Path) -> bool:
    """Whether a file begins as a pickle, an npy or an npz file does; NumPy takes all else for a pickle."""
    with path.open("rb") as stream:
        return stream.read(6).startswith((b"\x80", b"\x93NUMPY", b"PK"))
