"""Which place of a checkpoint an encoder's weights are taken from, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.formats import ONLINE
from mitools.encoders.checkpoints.recognise import Match, contradicts, find_weights
from mitools.encoders.checkpoints.search import (
    as_options,
    distinct,
    named_place,
    places_with_tensors,
    whole_places,
)
from mitools.encoders.checkpoints.stand_ins import Inert

_NAMED_AT_MOST = 3


@dataclass(frozen=True)
class Choice:
    """A place, and why it was chosen.

    Attributes
    ----------
    match
        What lies there.
    others
        The other kinds of weights that the same format keeps.
    weights_reason
        Who chose among these kinds; nothing where there is only one.
    place_reason
        Why this place.
    """

    match: Match
    others: Sequence[Match]
    weights_reason: str
    place_reason: str


def choose_place(
    path: Path,
    content: Mapping[Any, Any],
    expected: Mapping[str, Tensor],
    weights: str | None,
    key: str | None,
    prefix: str | None,
) -> Choice:
    """Choose the place that a file's weights are taken from: named, known, or the only whole one.

    Parameters
    ----------
    path
        The file, for messages.
    content
        What it holds.
    expected
        The encoder's parameters and buffers by name.
    weights, key, prefix
        As :func:`mitools.encoders.checkpoints.load.load_weights` takes them.

    Raises
    ------
    InputError
        When no tensors lie at a known or named place, or several places hold the encoder with different
        numbers: each is named by the options that choose it.
    """
    count = len(expected)
    if key is not None or prefix is not None:
        if weights is not None:
            raise InputError(f"{path}: weights= and key= or prefix= are two ways to choose; leave one out")
        asked = "&".join(f"{name}={text}" for name, text in (("key", key), ("prefix", prefix)) if text)
        whole = distinct(whole_places(content, expected, key, prefix))
        if len(whole) > 1:
            raise InputError(f"{path}: {_several(whole, count)}")
        match = whole[0] if whole else named_place(content, expected, key, prefix)
        if match is None:
            there = ", ".join(places_with_tensors(content)[:_NAMED_AT_MOST]) or "the top level alone"
            raise InputError(f"{path}: {asked} leads to no tensors; tensors lie at {there}")
        return Choice(match, (), "", f"asked for: {asked}")
    matches = find_weights(content, expected)
    most = max((len(match.fitting) for match in matches), default=0)
    # Broken weights at a known place never give way to others unasked: half an encoder there is meant.
    if 2 * most < count and weights is None:
        whole = distinct(whole_places(content, expected, None, None))
        if len(whole) > 1:
            raise InputError(f"{path}: {_several(whole, count)}")
        if whole:
            reason = f"the only place in the file that holds all {count} tensors of the encoder"
            return Choice(whole[0], (), "", reason)
    if not matches:
        raise InputError(
            f"{path}: no tensors at any place known to hold weights (top level: {_top(content)})"
            f"{_elsewhere(content)}"
        )
    match, reason = _chosen(path, matches, weights, expected)
    others = tuple(other for other in matches if other is not match)
    return Choice(match, others, reason, f"where {match.format.name} keeps them")


def _several(places: Sequence[Match], count: int) -> str:
    options = " or ".join(as_options(place) for place in places[:_NAMED_AT_MOST])
    return (
        f"{len(places)} places hold all {count} tensors of the encoder, with different numbers; "
        f"choose with {options}"
    )


def _elsewhere(content: Mapping[Any, Any]) -> str:
    """Say where tensors lie that are not the encoder's."""
    there = places_with_tensors(content)[:_NAMED_AT_MOST]
    return f"; tensors lie at {', '.join(there)}, but not those of the encoder" if there else ""


def _top(content: Mapping[Any, Any]) -> str:
    """Name the first keys of a file, and what replaced an object there."""
    named = [
        repr(key) + (f", an object of {type(value).__qualname__}" if isinstance(value, Inert) else "")
        for key, value in list(content.items())[:_NAMED_AT_MOST]
    ]
    return ", ".join(named) or "nothing"


def _chosen(
    path: Path, matches: Sequence[Match], weights: str | None, expected: Mapping[str, Tensor]
) -> tuple[Match, str]:
    """Choose among the kinds of weights in a file; say why, or nothing where there is only one kind."""
    kinds = [match.place.weights for match in matches]
    if weights is not None:
        wanted = set(weights.split("."))
        matches = [match for match in matches if wanted <= set(match.place.weights.split("."))]
        if not matches:
            raise InputError(f"{path}: holds no weights={weights}; it has {' and '.join(kinds)}")
    # A network of another width or for other channels cannot be what was meant.
    agreeing = [match for match in matches if not contradicts(match, expected)]
    match = (agreeing or matches)[0]
    if weights is not None:
        return match, "asked for"
    if match is not matches[0]:
        return match, f"the {matches[0].place.weights} weights have other shapes"
    distinguishes = len({place.weights for place in match.format.places}) > 1
    if not distinguishes and kinds == [ONLINE]:
        return match, ""
    return match, "nothing else is there" if len(kinds) == 1 else f"default: {match.format.default}"
