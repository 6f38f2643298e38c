"""What users bring as code of their own: ``python:module:name``."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mitools.core.errors import InputError
from mitools.core.files import digest_file


def import_named(what: str, name: str) -> Any:
    """Import the object that ``module:name`` names, found as Python finds it or in the current folder.

    Parameters
    ----------
    what
        What is imported, such as ``"view"``; begins every error.
    name
        For example ``own_package.views:Sepia``.

    Raises
    ------
    InputError
        When nothing stands behind the colon, or the module or the object cannot be imported.

    Examples
    --------
    >>> import_named("function", "math:sqrt")(9)
    3.0
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise InputError(f"{what} 'python:{name}' is not of the form python:module:name")
    try:
        with _current_folder_importable():
            found = importlib.import_module(module)
        return getattr(found, attribute)
    except (Exception, SystemExit) as error:  # the user's own code may raise anything
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{what} 'python:{name}' cannot be imported ({type(error).__name__}: {reason})"
        ) from None


def digest_code(kind: type) -> str:
    """Digest the file that a class is defined in; nothing for a class of mitools, or one without a file."""
    if kind.__module__.partition(".")[0] == "mitools":
        return ""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return digest_file(Path(file)) if file else ""


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
