"""Names and whole numbers that people type and files bring: checked, and shown safely."""

import difflib
from collections.abc import Iterable
from operator import index
from typing import Any

from mitools.core.errors import InputError, as_codes

FEW_NAMES = 16
"""Names that an error lists in full; of more it lists the nearest."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def whole_number(value: Any, name: str, at_least: int = 0) -> int:
    """Return a whole number of Python, numpy or a tensor as an int, or say why it is none.

    Parameters
    ----------
    value
        What was given.
    name
        What messages call it.
    at_least
        The smallest that is accepted.

    Raises
    ------
    InputError
        When it is no whole number, or smaller.

    Examples
    --------
    >>> whole_number(3, "seed")
    3
    >>> whole_number(-1, "seed")
    Traceback (most recent call last):
    mitools.core.errors.InputError: seed=-1 must be a whole number of at least 0
    """
    try:
        number = index(value)
    except TypeError:
        number = at_least - 1
    if number < at_least:
        raise InputError(f"{name}={value!r} must be a whole number of at least {at_least}")
    return number


def printable(text: str) -> str:
    r"""Write what moves a terminal's cursor, colours it or turns the direction of reading as its code.

    Names of classes, files and columns come from other people's data. Ends of lines stay.

    Examples
    --------
    >>> print(printable("cat" + chr(27) + "[2Jdog"))
    cat\x1b[2Jdog
    """
    return "\n".join(map(as_codes, text.split("\n")))


def spreadsheet_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula, and run.

    Numbers stay, whatever their sign. A formula that has an apostrophe already gets another, so that no two
    texts become one.

    Examples
    --------
    >>> spreadsheet_cell("=1+2"), spreadsheet_cell("-0.5"), spreadsheet_cell("a=b"), spreadsheet_cell("'=1")
    ("'=1+2", '-0.5', 'a=b', "''=1")
    """
    if not text.lstrip("'").startswith(_FORMULA):
        return text
    if text.startswith("'"):
        return text if spreadsheet_cell(text.lstrip("'")) == text.lstrip("'") else f"'{text}"
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def text_of_spreadsheet_cell(cell: str) -> str:
    """Give the text that :func:`spreadsheet_cell` made a cell of.

    Examples
    --------
    >>> text_of_spreadsheet_cell("'=1+2"), text_of_spreadsheet_cell("'tis")
    ('=1+2', "'tis")
    """
    return cell[1:] if cell.startswith("'") and spreadsheet_cell(cell[1:]) == cell else cell
