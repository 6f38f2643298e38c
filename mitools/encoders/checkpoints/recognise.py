"""Which of the known formats a file is in, and where in it an encoder's weights lie."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from mitools.encoders.checkpoints.formats import (
    EMA,
    FORMATS,
    HEADS,
    NESTINGS,
    ONLINE,
    PREFIXES,
    WRAPPERS,
    Format,
    Place,
)
from mitools.encoders.checkpoints.renaming import RENAMINGS, Held, numbered_parts, part_named


@dataclass(frozen=True)
class Match:
    """One place of a file, read with an encoder in mind.

    Attributes
    ----------
    format
        The row of the table that the place belongs to.
    place
        The place.
    prefix
        What stands before every name there, as it is in the file.
    inside
        What lies there, by the encoder's names as far as they are known, whether it fits or not.
    beside
        What lies in the same mapping outside the place, by its names without wrappers.
    fitting
        The names that the encoder has with the same shape and kind of number.
    numbers
        How many numbers these are.
    renamed
        ``part <- number`` for parts of the encoder that the file numbers instead of naming.
    choices
        The kinds of weights that the file holds.
    """

    format: Format
    place: Place
    prefix: str
    inside: Mapping[str, Held]
    beside: Mapping[str, Held]
    fitting: frozenset[str]
    numbers: int
    renamed: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


def find_weights(content: Mapping[Any, Any], expected: Mapping[str, Tensor]) -> list[Match]:
    """Recognise a file's format and list the encoder's weights in it, one entry a kind of weights.

    Every place of every format whose marks the file bears is tried; the format under which most of the
    encoder's numbers lie is the file's, the first of the table where several do equally well.

    Parameters
    ----------
    content
        What the file holds.
    expected
        The encoder's parameters and buffers by name.

    Returns
    -------
    list of Match
        In the order of preference: the project's own default first. Empty when the file has no tensor at
        any known place.
    """
    names = encoder_names(expected)
    best: list[Match] = []
    for form in FORMATS:
        if not _has_marks(form, content):
            continue
        found = [
            match
            for place in form.places or _any_places(content)
            if (match := read_place(content, form, place, expected, names))
        ]
        if found and _most(found) > (_most(best) if best else -1):
            best = found
    kinds = dict.fromkeys(match.place.weights for match in best)
    matches = [max((m for m in best if m.place.weights == kind), key=lambda m: m.numbers) for kind in kinds]
    if not best or not best[0].format.places:
        matches.sort(key=lambda match: match.place.weights != ONLINE)
    choices = tuple(match.place.weights for match in matches if match.numbers or len(matches) == 1)
    return [replace(match, choices=choices) for match in matches]


def encoder_names(expected: Iterable[str]) -> dict[str, str]:
    """Give an encoder's names by those without wrappers, where these tell them apart."""
    expected = list(expected)
    names = {bare_name(name): name for name in expected}
    return names if len(names) == len(expected) else {name: name for name in expected}


def bare_name(name: str) -> str:
    """Take what training wrappers put into a name off it."""
    *parts, last = name.split(".")
    return ".".join([*(part for part in parts if part not in WRAPPERS), last])


def fits(found: Tensor, expected: Tensor) -> bool:
    """Whether two tensors have the same shape and are both real, both whole or both complex numbers."""
    return (
        found.shape == expected.shape
        and found.is_floating_point() == expected.is_floating_point()
        and found.is_complex() == expected.is_complex()
    )


def contradicts(match: Match, expected: Mapping[str, Tensor]) -> bool:
    """Whether a tensor of the encoder lies there in another shape: then other weights are meant."""
    return any(name in expected and name not in match.fitting for name in match.inside)


def nearest_name(name: str, found: Iterable[str]) -> str | None:
    """Find the name in the file closest to one that the encoder has."""
    return next(iter(difflib.get_close_matches(name, found, 1, 0.0)), None)


def head_of(match: Match, others: Iterable[Match], name: str, key: str) -> tuple[str, str] | None:
    """Say which part of the file beside the encoder a tensor belongs to.

    Parameters
    ----------
    match
        The weights that are loaded.
    others
        The other kinds of weights in the file.
    name, key
        The tensor's name without and with wrappers.

    Returns
    -------
    tuple of str, or None
        The beginning of its name in the file, and what it is; None where nothing is known of it.
    """
    for head, why in match.format.heads.items():
        if name.startswith(head):
            return _beginning(key, head), why
    for other in others:
        if other.place.nesting == match.place.nesting and name.startswith(other.place.prefix):
            return (
                other.prefix,
                f"the {other.place.weights} weights; weights={other.place.weights} takes them",
            )
    inner = name.removeprefix(match.place.prefix)
    for head, why in HEADS.items():
        if inner.startswith(head):
            return _beginning(key, name.removesuffix(inner) + head), why
    bare = name
    while prefix := next((prefix for prefix in PREFIXES if bare.startswith(prefix)), None):
        bare = bare.removeprefix(prefix)
    for head, why in HEADS.items():
        if bare.startswith(head):
            return _beginning(key, name.removesuffix(bare) + head), why
    if match.renamed and re.fullmatch(r"\d+\.(weight|bias)", name.removeprefix(match.place.prefix)):
        return _beginning(key, name.rpartition(".")[0]), "classifier or projection head"
    return None


def _most(matches: list[Match]) -> int:
    return max(match.numbers for match in matches)


def _beginning(key: str, prefix: str) -> str:
    """Cut a key of the file behind what is `prefix` once wrappers are off."""
    parts = key.split(".")
    wanted = len(prefix.rstrip(".").split(".")) if prefix else 0
    taken = 0
    while taken < len(parts) - 1 and (wanted or parts[taken] in WRAPPERS):
        wanted -= parts[taken] not in WRAPPERS
        taken += 1
    taken += wanted > 0
    return ".".join(parts[:taken]) + ("." if 0 < taken < len(parts) else "")


def inner_mapping(content: Mapping[Any, Any], nesting: Iterable[str]) -> Mapping[Any, Any] | None:
    """Follow keys into nested mappings; None where one is missing or leads to none."""
    for key in nesting:
        content = content.get(key)  # type: ignore[assignment]
        if not isinstance(content, Mapping):
            return None
    return content


def tensors_of(content: Mapping[Any, Any]) -> dict[str, Held]:
    """Give the tensors of a mapping by their names without wrappers."""
    found = [
        Held(name, value)
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    ]
    bare = {bare_name(held.key): held for held in found}
    # Where two names differ in wrappers alone, the wrappers are part of the names.
    return bare if len(bare) == len(found) else {held.key: held for held in found}


def _has_marks(form: Format, content: Mapping[Any, Any]) -> bool:
    def has_key(path: str) -> bool:
        *outer, last = path.split(".")
        inner = inner_mapping(content, outer)
        return inner is not None and last in inner

    if not all(any(map(has_key, keys.split("|"))) for keys in form.keys):
        return False
    if not form.names:
        return True
    nestings = dict.fromkeys(place.nesting for place in form.places)
    mappings = [inner for nesting in nestings if (inner := inner_mapping(content, nesting)) is not None]
    names = [bare_name(name) for inner in mappings for name in inner if isinstance(name, str)]
    return all(any(name.startswith(tuple(marks.split("|"))) for name in names) for marks in form.names)


def _any_places(content: Mapping[Any, Any], nesting: tuple[str, ...] = ()) -> Iterator[Place]:
    """List every known nesting with every combination of known prefixes that occurs in it."""
    tensors = tensors_of(content)
    nested = EMA if any(NESTINGS[key] == EMA for key in nesting) else ONLINE

    def prefixes(before: str, weights: str) -> Iterator[Place]:
        yield Place(nesting, before, weights)
        for prefix, kind in PREFIXES.items():
            if any(name.startswith(before + prefix) for name in tensors):
                yield from prefixes(before + prefix, EMA if kind == EMA else weights)

    if tensors:
        yield from prefixes("", nested)
    for key in NESTINGS:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            yield from _any_places(inner, (*nesting, key))


def read_place(
    content: Mapping[Any, Any],
    form: Format,
    place: Place,
    expected: Mapping[str, Tensor],
    names: Mapping[str, str],
) -> Match | None:
    """Read one place; None where nothing lies there. `names` are the encoder's, by those without wrappers."""
    mapping = inner_mapping(content, place.nesting)
    tensors = {} if mapping is None else tensors_of(mapping)
    inside = {
        name.removeprefix(place.prefix): held
        for name, held in tensors.items()
        if name.startswith(place.prefix)
    }
    if not inside:
        return None
    if form.renamed:
        inside = RENAMINGS[form.renamed](inside, names, expected)
    parts = numbered_parts(inside, names)
    if parts:
        inside = {part_named(name, parts): held for name, held in inside.items()}
    inside = {names.get(name, name): held for name, held in inside.items()}
    fitting = frozenset(
        name for name, held in inside.items() if name in expected and fits(held.tensor, expected[name])
    )
    return Match(
        format=form,
        place=place,
        prefix=_beginning(next(iter(inside.values())).key, place.prefix),
        inside=inside,
        beside={name: held for name, held in tensors.items() if not name.startswith(place.prefix)},
        fitting=fitting,
        numbers=sum(expected[name].numel() for name in fitting),
        renamed=tuple(f"{part} <- {number}" for number, part in parts.items()),
    )
