"""The names of views: ``name``, ``name:part``, ``name?key=value&key=value`` and ``name#k``."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, make_recipe
from mitools.core.specs import MOST_DIGITS, Spec, parse_spec

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)

Value: TypeAlias = float | str | None
"""Of an option."""


@dataclass(frozen=True)
class ViewSpec(Spec):
    """A parsed name of a view; `source` is the view's name and `name` the part of it.

    Attributes
    ----------
    number
        Which of several views that are drawn together: k in ``patch?size=64#k``; None where none is named.
    """

    number: int | None = None

    def without_parts(self) -> None:
        """Refuse a part and a number, for a view that has neither.

        Raises
        ------
        InputError
            When the spec names one.
        """
        if self.name:
            raise InputError(f"view {self.text!r}: {self.source} has no parts; leave :{self.name} out")
        self.without_number()

    def without_number(self) -> None:
        """Refuse a number, for a view that is drawn alone.

        Raises
        ------
        InputError
            When the spec names one.
        """
        if self.number is not None:
            raise InputError(f"view {self.text!r}: {self.source} has no parts; leave #{self.number} out")

    def between(self, key: str, default: float, least: float, most: float) -> float:
        """Read an option as a number between two others, beyond which single precision may not compute.

        Raises
        ------
        InputError
            When it is none, or lies outside.
        """
        text = self.options.get(key)
        try:
            value = default if text is None else float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise InputError(
                f"view {self.text!r:.100}: {key}={text:.40} must be a number from {least:g} to {most:g}, as"
                f" {key}={default:g}"
            )
        return value


def recipe_of_options(spec: ViewSpec, kind: type[AnyRecipe]) -> AnyRecipe:
    """Make the recipe of a view without parts, whose options are the recipe's keys.

    Raises
    ------
    InputError
        When the spec has a part, or an option is unknown or out of its range.
    """
    spec.without_parts()
    spec.only(*kind.model_fields)
    given = {key: option_value(text) for key, text in spec.options.items()}
    return make_recipe(given, kind, f"view {spec.text!r}")


def option_value(text: str) -> float | str:
    """Read what an option is given: a whole number, another number, or a word."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def spec_text(name: str, options: Iterable[tuple[str, Value]], defaults: Iterable[tuple[str, Value]]) -> str:
    """Write the name of a view with those of its options that differ from their defaults.

    Examples
    --------
    >>> spec_text("jigsaw", [("flip", 0.0), ("keep", 0.75)], [("flip", 0.5), ("keep", 0.75)])
    'jigsaw?flip=0'
    """
    usual = dict(defaults)
    differing = [f"{key}={option_text(value)}" for key, value in options if value != usual[key]]
    return f"{name}?{'&'.join(differing)}" if differing else name


def option_text(value: Value) -> str:
    """Write the value of an option so that it is read as the same again."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def split_name(text: str) -> tuple[str, str]:
    """Take ``name=`` out of the name of a view: what it is shown by belongs to no view.

    Returns
    -------
    spec, shown
        The spec without it, and what it asks to be shown by; empty where it asks for nothing.

    Examples
    --------
    >>> split_name("simclr?strength=0.5&name=weak"), split_name("patch?size=8&name=left#0")
    (('simclr?strength=0.5', 'weak'), ('patch?size=8#0', 'left'))

    Raises
    ------
    InputError
        When it is given twice or is empty.
    """
    head, _, rest = text.partition("?")
    options, hash_, number = rest.partition("#")
    kept = [one for one in options.split("&") if one and not one.startswith("name=")]
    named = [one.removeprefix("name=") for one in options.split("&") if one.startswith("name=")]
    if not named:
        return text, ""
    if len(named) > 1 or not named[0]:
        raise InputError(f"view {text!r}: write name= once, with the name that is shown")
    return f"{head}{'?' if kept else ''}{'&'.join(kept)}{hash_}{number}", named[0]


def view_family(text: str) -> str:
    """Give what comes before parts, options and numbers: ``lab`` of ``lab:l``."""
    return re.split(r"[:?#]", text, maxsplit=1)[0]


def parse_view_spec(text: str) -> ViewSpec:
    """Split the name of a view.

    Raises
    ------
    InputError
        When an option has no value or is given twice.

    Examples
    --------
    >>> spec = parse_view_spec("patch:l?size=64#0")
    >>> spec.source, spec.name, dict(spec.options), spec.number
    ('patch', 'l', {'size': '64'}, 0)
    """
    body, number = text, None
    if found := re.fullmatch(rf"(.+)#(\d{{1,{MOST_DIGITS}}})", text):
        body, number = found[1], int(found[2])
    spec = parse_spec(body, [view_family(body)])
    return ViewSpec(text, spec.source, spec.name, spec.options, number)
