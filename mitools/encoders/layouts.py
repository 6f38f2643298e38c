"""Where projects put an encoder's weights inside a checkpoint: the tables, and the best match in a file."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# Keys under which a mapping of weights is nested. Of equally good matches the first listed wins.
NESTINGS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "module",
    "backbone",
    "encoder",
    "params",
    "weights",
    "teacher",
    "student",
    "state_dict_ema",
    "model_ema",
    "ema",
    "ema_state_dict",
)
# What training wrappers put before a parameter's name, in any order and number.
PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
    "backbone.",
    "encoder.",
    "net.",
    "network.",
    "base_encoder.",
    "encoder_q.",
    "trunk.",
)
# Parts that stand on top of an encoder and may be left out of it.
CLASSIFIERS = ("fc.", "linear.", "head.", "heads.", "head_dist.", "classifier.", "last_linear.")
OTHER_HEADS = (
    "projector.",
    "projection.",
    "projection_head.",
    "proj_head.",
    "predictor.",
    "prediction_head.",
    "prototypes.",
    "queue",
    "queue_ptr",
)


@dataclass(frozen=True)
class Match:
    """The tensors of a file that fit an encoder best.

    Attributes
    ----------
    nesting
        The keys that lead to them, outermost first.
    prefix
        What stood before every name.
    tensors
        Those below the prefix, by the name without it, whether they fit or not.
    others
        The names (in full) of the tensors beside the prefix.
    fitting
        The names that the encoder has with the same shape and kind of number.
    """

    nesting: tuple[str, ...]
    prefix: str
    tensors: Mapping[str, Tensor]
    others: tuple[str, ...]
    fitting: frozenset[str]


def best_match(content: Mapping[Any, Any], expected: Mapping[str, Tensor]) -> Match | None:
    """Find the nesting and the prefix under which most of the encoder's numbers lie.

    Parameters
    ----------
    content
        What the file holds.
    expected
        The encoder's parameters and buffers by name.

    Returns
    -------
    Match or None
        None when the file has no tensor at any known place.
    """
    best, best_count = None, -1
    for nesting, tensors in _places(content, ()):
        for prefix in _prefixes(tensors, ""):
            inside = {
                name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
            }
            fitting = frozenset(
                name for name, value in inside.items() if name in expected and fits(value, expected[name])
            )
            count = sum(expected[name].numel() for name in fitting)
            if count > best_count:
                others = tuple(name for name in tensors if not name.startswith(prefix))
                best, best_count = Match(nesting, prefix, inside, others, fitting), count
    return best


def fits(found: Tensor, expected: Tensor) -> bool:
    """Whether two tensors have the same shape and are both real, both whole or both complex numbers."""
    return (
        found.shape == expected.shape
        and found.is_floating_point() == expected.is_floating_point()
        and found.is_complex() == expected.is_complex()
    )


def is_part(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a name, once wrappers' prefixes are off, begins with one of `parts`."""
    while wrapper := next((prefix for prefix in PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(wrapper)
    return name.startswith(parts)


def nearest_name(name: str, found: Mapping[str, Tensor]) -> str | None:
    """Find the name in the file closest to one that the encoder has."""
    return next(iter(difflib.get_close_matches(name, found, 1, 0.0)), None)


def _places(
    content: Mapping[Any, Any], nesting: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    tensors = {
        name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)
    }
    if tensors:
        yield nesting, tensors
    for key in NESTINGS:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            yield from _places(inner, (*nesting, key))


def _prefixes(names: Mapping[str, Tensor], prefix: str) -> Iterator[str]:
    yield prefix
    for wrapper in PREFIXES:
        if any(name.startswith(prefix + wrapper) for name in names):
            yield from _prefixes(names, prefix + wrapper)
