"""One array in a npy file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitools.errors import InputError


def read_array(path: Path) -> NDArray:
    """Read a npy file; what would need to run code to be read is refused.

    Raises
    ------
    InputError
        When the file is missing, damaged, no npy file, or holds Python objects.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not an npy file of numbers ({error}); write one with numpy.save") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: holds several arrays; give one array, as numpy.save writes it")
    return array
