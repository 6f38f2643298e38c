"""A whole number that the caller gives, such as a seed or a count."""

from operator import index
from typing import Any

from mitools.core.errors import InputError


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
