"""What the public functions take in several forms: folders, lists of names, recipes."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

Folder = str | Path | None
"""Where to write; nowhere when None."""


def listed(words: str | Sequence[str] | None) -> list[str]:
    """Take words of a list, or of a text with commas between them."""
    words = words.split(",") if isinstance(words, str) else words or ()
    return [str(word).strip() for word in words]


def as_recipe(given: Any, kind: Any, name: str) -> Any:
    """Take a recipe, its keys and values, or the path of its file."""
    from mitools.core.errors import InputError
    from mitools.core.recipes import make_recipe, read_recipe

    if isinstance(given, kind):
        return given
    if isinstance(given, Mapping):
        return make_recipe(dict(given), kind, name)
    if isinstance(given, str | PathLike):
        return read_recipe(Path(given), kind)
    raise InputError(
        f"{name} is a {type(given).__name__}; give keys and values, the path of a YAML file, or a"
        f" {kind.__name__}"
    )
