"""Names that people type: the nearest known ones, and the error that says so."""

import difflib
from collections.abc import Iterable

from mitools.core.errors import InputError

FEW_NAMES = 16
"""Names that an error lists in full; of more it lists the nearest."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Known names closest to a misspelt one, as ``a, b or c`` (all of them when few)."""
    known = list(dict.fromkeys(known))
    close = (
        known if len(known) <= count else difflib.get_close_matches(name, known, count, 0.4) or known[:count]
    )
    return " or ".join(filter(None, [", ".join(close[:-1]), close[-1]])) if close else "nothing"


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is not among the known ones.

    Parameters
    ----------
    what
        What is named, such as ``"critic"``.
    name
        The name given.
    known
        The names accepted.

    Raises
    ------
    InputError
        With every accepted name where they are few, else with the nearest.

    Examples
    --------
    >>> check_name("base", "gaussian", ["none", "gaussian_copula"])
    Traceback (most recent call last):
    mitools.core.errors.InputError: unknown base 'gaussian'; accepted: none or gaussian_copula
    """
    known = list(known)
    if name in known:
        return
    if len(known) <= FEW_NAMES:
        raise InputError(f"unknown {what} {name!r}; accepted: {nearest(name, known, FEW_NAMES)}")
    raise InputError(f"unknown {what} {name!r}; did you mean {nearest(name, known)}?")
