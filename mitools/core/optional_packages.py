"""Packages that only some sources need."""

import importlib
from typing import Any

from mitools.core.errors import InputError


def need(package: str, extra: str, source: str) -> Any:
    """Import a package, or say how to install it.

    Parameters
    ----------
    package
        As it is imported.
    extra
        The extra of mitools that brings it.
    source
        What needs it, as in a spec.

    Raises
    ------
    InputError
        When it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise InputError(
            f'{source}: needs {error.name}, which is not installed; pip install "mitools[{extra}]"'
        ) from None
