"""Where in a file of no known format an encoder's weights lie: every place that holds all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mitools.encoders.checkpoints.formats import Format, Place
from mitools.encoders.checkpoints.recognise import (
    Match,
    bare_name,
    encoder_names,
    fits,
    inner_mapping,
    read_place,
    tensors_of,
)

SEARCHED = Format("plain weights, found by search")
"""The format of weights at a place that no known format has."""

_DEEPEST = 6  # mappings in mappings; deeper ones hold settings


def whole_places(
    content: Mapping[Any, Any], expected: Mapping[str, Tensor], key: str | None, prefix: str | None
) -> list[Match]:
    """List the places that hold every tensor of an encoder by name and shape under one prefix.

    Parameters
    ----------
    content
        What the file holds.
    expected
        The encoder's parameters and buffers by name.
    key
        The keys that lead to the weights, with dots between them; any where None, and ``""`` for none.
    prefix
        What stands before every name there, with or without the dot at its end; any where None, and ``""``
        for nothing.

    Returns
    -------
    list of Match
        In the order of the file.
    """
    names = encoder_names(expected)
    found: list[Match] = []
    for nesting, mapping in _mappings(content):
        if key is not None and ".".join(nesting) != key:
            continue
        for before in _prefixes(mapping, names, expected):
            if prefix is not None and before.rstrip(".") != _bare_prefix(prefix):
                continue
            match = read_place(content, SEARCHED, Place(nesting, before), expected, names)
            if match is not None and len(match.fitting) == len(expected):
                found.append(match)
    return found


def named_place(
    content: Mapping[Any, Any], expected: Mapping[str, Tensor], key: str | None, prefix: str | None
) -> Match | None:
    """Read the place that a user names, whole or not; None where nothing lies there."""
    nesting = next((path for path, _ in _mappings(content) if ".".join(path) == (key or "")), None)
    if nesting is None:
        return None
    before = _bare_prefix(prefix or "")
    place = Place(nesting, f"{before}." if before else "")
    return read_place(content, SEARCHED, place, expected, encoder_names(expected))


def distinct(matches: Sequence[Match]) -> list[Match]:
    """Keep the first of several places that hold the same numbers."""
    kept: list[Match] = []
    for match in matches:
        if not any(_same_numbers(match, other) for other in kept):
            kept.append(match)
    return kept


def as_options(match: Match) -> str:
    """Write a place as the options that name it."""
    key = ".".join(match.place.nesting)
    parts = [f"key={key}"] if key else []
    parts += [f"prefix={match.prefix}"] if match.prefix else []
    return "&".join(parts) or "the top level"


def places_with_tensors(content: Mapping[Any, Any]) -> list[str]:
    """Name the keys that lead to tensors, for messages."""
    return [".".join(nesting) for nesting, mapping in _mappings(content) if nesting and tensors_of(mapping)]


def _mappings(
    content: Mapping[Any, Any], nesting: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    yield nesting, content
    if len(nesting) < _DEEPEST:
        for key, inner in content.items():
            if isinstance(key, str) and isinstance(inner, Mapping) and inner_mapping(content, [key]) is inner:
                yield from _mappings(inner, (*nesting, key))


def _prefixes(
    mapping: Mapping[Any, Any], names: Mapping[str, str], expected: Mapping[str, Tensor]
) -> Iterable[str]:
    """List what stands before one of the encoder's names in a mapping, where the tensor has its shape."""
    anchor = max(names, key=lambda name: (name.count("."), len(name)))
    tensor = expected[names[anchor]]
    for name, held in tensors_of(mapping).items():
        if (name == anchor or name.endswith(f".{anchor}")) and fits(held.tensor, tensor):
            yield name.removesuffix(anchor)


def _bare_prefix(prefix: str) -> str:
    """Take wrappers and the dot at the end off a prefix, as they are taken off names."""
    return bare_name(f"{prefix.rstrip('.')}.x").removesuffix("x").rstrip(".") if prefix else ""


def _same_numbers(first: Match, second: Match) -> bool:
    return all(torch.equal(first.inside[name].tensor, second.inside[name].tensor) for name in first.fitting)
