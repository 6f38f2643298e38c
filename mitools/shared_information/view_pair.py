"""Which two views are measured: named by the user, or made by a sweep over an option."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from mitools.core.errors import InputError
from mitools.core.specs import UnknownOptionError
from mitools.views.base import View, view_key
from mitools.views.registry import make_view
from mitools.views.specs import split_name

MOST_STEPS = 100


class ViewPair(NamedTuple):
    """Two views of an item.

    Attributes
    ----------
    views
        Their names; alike for two draws of one view.
    option, value
        Of a sweep: what is varied, and what it is here; None outside a sweep.
    shown
        What tables and figures call them; their names when None.
    """

    views: tuple[str, str]
    option: str | None = None
    value: float | None = None
    shown: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """One line: what the view is shown by, or both."""
        first, second = self.shown or self.views
        return first if first == second else f"{first}, {second}"


class Sweep(NamedTuple):
    """An option of a view, and the values that it takes.

    Attributes
    ----------
    option
        Its key in the views' names.
    values
        In order.
    """

    option: str
    values: tuple[float, ...]


def read_pair(text: str) -> ViewPair:
    """Read ``V1,V2``, or ``V`` for two draws of one view.

    Raises
    ------
    InputError
        When a view is unknown (the nearest is named), there are more than two, or both are one view in which
        nothing is random.

    Examples
    --------
    >>> read_pair("simclr?strength=0.5").views
    ('simclr?strength=0.5', 'simclr?strength=0.5')
    """
    names = [name.strip() for name in text.split(",")]
    if len(names) > 2 or not all(names):
        raise InputError(f"views {text!r}: give one view, or two with a comma between, as lab:l,lab:ab")
    views = [make_view(name) for name in names]
    if len(views) == 1:
        views, names = views * 2, names * 2
    _require_two(f"views {text!r}", views)
    shown = [split_name(name)[1] or view.name for name, view in zip(names, views, strict=True)]
    return ViewPair((views[0].name, views[1].name), shown=(shown[0], shown[1]))


def _require_two(what: str, views: Sequence[View]) -> None:
    """Refuse two views that are one and the same."""
    first, second = views
    if first.draws == 0 and view_key(first) == view_key(second):
        raise InputError(
            f"{what}: nothing in {first.name} is random, so two draws are one and the same; name two views,"
            " as lab:l,lab:ab"
        )


def read_sweep(text: str) -> Sweep:
    """Read ``OPTION=LOW:HIGH:STEPS`` (evenly spaced), or ``OPTION=A,B,C``.

    Raises
    ------
    InputError
        When it cannot be read.

    Examples
    --------
    >>> read_sweep("crop_area=0.2:1:3")
    Sweep(option='crop_area', values=(0.2, 0.6, 1.0))
    """
    form = "write OPTION=LOW:HIGH:STEPS, as crop_area=0.08:1:6, or OPTION=A,B,C"
    found = re.fullmatch(r"([a-z_]+)=(.+)", text.strip())
    if not found:
        raise InputError(f"sweep {text!r}: {form}")
    option, values = found.groups()
    try:
        numbers = _spaced(*values.split(":")) if ":" in values else [float(one) for one in values.split(",")]
    except (TypeError, ValueError):
        raise InputError(f"sweep {text!r}: {form}") from None
    if not 2 <= len(numbers) <= MOST_STEPS:
        raise InputError(
            f"sweep {text!r}: it has {len(numbers)} values; between 2 and {MOST_STEPS} are needed"
        )
    if not all(math.isfinite(number) for number in numbers) or len(set(numbers)) < 2:
        raise InputError(f"sweep {text!r}: give two different finite values at least")
    return Sweep(option, tuple(float(f"{number:.6g}") for number in numbers))


def _spaced(low: str, high: str, steps: str) -> list[float]:
    first, last, count = float(low), float(high), int(steps)
    return [first + (last - first) * k / max(1, count - 1) for k in range(min(count, MOST_STEPS + 1))]


def swept(pairs: Sequence[str], sweep: Sweep) -> list[ViewPair]:
    """Make the pairs of a sweep: every view that takes the option has it at each of the values.

    Raises
    ------
    InputError
        When no view of a pair takes the option, a value is out of its range in a view that does, or it makes
        one view of both in which nothing is random.
    """
    return [_with_option(pair, sweep.option, value) for pair in pairs for value in sweep.values]


def _with_option(pair: str, option: str, value: float) -> ViewPair:
    given = read_pair(pair)
    names = given.views
    views, lacking = [], []
    for name in names:
        try:
            views.append(make_view(_set(name, option, value)))
        except UnknownOptionError as error:
            views.append(make_view(name))
            lacking.append(error)
        except InputError as error:
            raise InputError(f"sweep over {option}: {error}") from None
    if len(lacking) == len(names):
        raise InputError(f"sweep over {option}: {lacking[0]}")
    _require_two(f"sweep over {option}, at {value:g}", views)
    found = [view.name for view in views]
    shown = [
        other if own == name else own
        for own, name, other in zip(given.shown or names, names, found, strict=True)
    ]
    return ViewPair((found[0], found[1]), option, value, (shown[0], shown[1]))


def _set(name: str, option: str, value: float) -> str:
    """Set an option in a view's name, in place of the value that it has there."""
    body, hash_, number = name.partition("#")
    head, _, options = body.partition("?")
    kept = [one for one in options.split("&") if one and not one.startswith(f"{option}=")]
    return f"{head}?{'&'.join([*kept, f'{option}={value:g}'])}{hash_}{number}"
