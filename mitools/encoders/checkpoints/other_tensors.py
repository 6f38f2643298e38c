"""What a checkpoint holds apart from the mapping that the encoder's weights lie in."""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from mitools.encoders.checkpoints.recognise import Match

_TRAINING = ("optim", "sched", "lr_sched", "scaler", "amp", "loss", "criterion", "callback", "loops", "rng")
_MEMORY = ("contrast", "queue", "memory")


def other_tensors(
    content: Mapping[Any, Any], nesting: tuple[str, ...], others: Iterable[Match]
) -> dict[str, str]:
    """Name the keys beside those of `nesting` under which tensors lie, and say what they are.

    Parameters
    ----------
    content
        What the file holds.
    nesting
        The keys that lead to the encoder's weights.
    others
        The other kinds of weights in the file.
    """
    elsewhere = {}
    choices = {other.place.nesting: other.place.weights for other in others}
    for path in _beside(content, nesting):
        kinds = [kind for other, kind in choices.items() if other[: len(path)] == path]
        if kinds:
            why = f"the {kinds[0]} weights; weights={kinds[0]} takes them"
        elif path[-1].startswith(_TRAINING):
            why = "state of training"
        elif path[-1].startswith(_MEMORY):
            why = "memory of the loss"
        elif path[-1] == "heads":
            why = "heads"
        else:
            why = "not part of the encoder"
        elsewhere[".".join(path)] = why
    return elsewhere


def _beside(content: Mapping[Any, Any], nesting: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for depth, key in enumerate(nesting):
        for other, value in content.items():
            if other != key and not isinstance(value, Tensor) and _holds_tensors(value):
                yield (*nesting[:depth], str(other))
        content = content[key]
    for other, value in content.items():
        if not isinstance(value, Tensor) and _holds_tensors(value):
            yield (*nesting, str(other))


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, argparse.Namespace):
        value = vars(value)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return isinstance(value, Tensor) or any(map(_holds_tensors, inner))
