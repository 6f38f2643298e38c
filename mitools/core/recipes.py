"""Recipes: YAML files that say what to do, read strictly; an unknown key is an error, never ignored."""

import json
import re
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import LARGEST_SEED, MOST_DIGITS


class Recipe(BaseModel):
    """A recipe or a part of one: every key is declared, values are not converted silently, none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @field_validator("seed", "seeds", check_fields=False)
    @classmethod
    def _require_64_bits(cls, value: Any) -> Any:
        """Refuse a seed that generators of random numbers cannot take."""
        for seed in value if isinstance(value, tuple) else (value,):
            if isinstance(seed, int) and seed > LARGEST_SEED:
                raise ValueError(f"a seed has at most {MOST_DIGITS} digits")
        return value


class _Loader(yaml.SafeLoader):
    """YAML 1.1, but 1e-3 is the number that people mean by it, not a text, and no key comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make a mapping, and refuse a repeated key, of which plain YAML takes the last."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # no key of ours; the loader refuses it
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)


def read_recipe(path: Path, kind: type[AnyRecipe]) -> AnyRecipe:
    """Read a recipe from a YAML file.

    Parameters
    ----------
    path
        The file; plain YAML read by a safe loader, so that nothing in it is executed.
    kind
        What it must be.

    Raises
    ------
    InputError
        When the file is missing or no YAML, a key is unknown (the nearest is named) or missing, or a value
        is of the wrong kind or out of range. The first fault is described, by its place in the file.
    """
    content = read_yaml(path)
    if not content:
        raise InputError(f"{path}: holds no keys; expected: {', '.join(kind.model_fields)}")
    return make_recipe(content, kind, str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the keys and values of a YAML file; none where it holds none.

    Raises
    ------
    InputError
        When the file is missing or no YAML.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    # Numbers without end are a ValueError, brackets without end a RecursionError.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not YAML ({_place_and_problem(error)})") from None
    return content if isinstance(content, dict) else {}


def _place_and_problem(error: Exception) -> str:
    """Say in which line a YAML file cannot be read on, and why."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())[:300]
    return (
        f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', None) or 'unreadable'}"
    )


def make_recipe(content: dict[str, Any], kind: type[AnyRecipe], name: str = "", under: str = "") -> AnyRecipe:
    """Make a recipe from keys and values.

    Parameters
    ----------
    content
        Keys and values.
    kind
        What it must be.
    name
        Begins every error.
    under
        Where the keys stand in the whole recipe, as ``options.``; begins the name of a key in an error.

    Raises
    ------
    InputError
        As :func:`read_recipe`.
    """
    # As JSON, a list may fill a tuple and a text a path, and yet no text becomes a number.
    prefix = f"{name}: " if name else ""
    try:
        return kind.model_validate_json(json.dumps(content, default=_plain))
    except ValidationError as error:
        raise InputError(prefix + _first_fault(error, kind, under)) from None
    except InputError as error:
        raise InputError(f"{prefix}{error}") from None
    except (
        TypeError,
        ValueError,
        RecursionError,
    ) as error:  # a list that holds itself; a key that is no text
        raise InputError(f"{prefix}no keys and values ({error})") from None


def _plain(value: Any) -> str:
    """Give a path as text; anything else that JSON has not is no value of a recipe."""
    if isinstance(value, PathLike):
        return str(value)
    raise InputError(f"a recipe holds an object of {type(value).__name__}; give texts, numbers and lists")


def _first_fault(error: ValidationError, kind: type[Recipe], under: str) -> str:
    # A mistyped key is missing under its right name too, which says less.
    fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = under + ".".join(map(str, fault["loc"])) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        known = _fields_at(kind, fault["loc"][:-1])
        return f"unknown key {place!r}; did you mean {nearest(str(fault['loc'][-1]), known)}?"
    if fault["type"] == "missing":
        return f"{place!r} is missing"
    message = fault["msg"].removeprefix("Value error, ")
    given = "" if fault["type"].startswith("value_error") else f", not {fault['input']!r:.60}"
    return f"{place!r}: {message[:1].lower()}{message[1:]}{given}" if place else message


def _fields_at(kind: type[Recipe], place: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the part of a recipe that a fault's place leads to."""
    fields = kind.model_fields
    for step in place:
        if isinstance(step, int) or step not in fields:
            continue
        part = fields[step].annotation
        inner = [part, *getattr(part, "__args__", ())]
        found = next((one for one in inner if isinstance(one, type) and issubclass(one, Recipe)), None)
        if found is None:
            return []
        fields = found.model_fields
    return list(fields)
