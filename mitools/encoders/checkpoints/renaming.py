"""Weights whose names differ from the encoder's, though the network is the same: the two known kinds."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor


class Held(NamedTuple):
    """A tensor of a file and its key there."""

    key: str
    tensor: Tensor


def numbered_parts(inside: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Pair the numbers of an ``nn.Sequential`` made from a network's children with those children.

    ``nn.Sequential(*list(network.children())[:-1])`` numbers the children in their order and counts those
    without weights, so of the numbers that occur the first is the first child with weights, and so on. What
    follows the last of them is a head.
    """
    numbers = {name.partition(".")[0] for name in inside}
    children = list(dict.fromkeys(name.partition(".")[0] for name in names if "." in name))
    whole = len(children) == len({name.partition(".")[0] for name in names})
    if not whole or not all(map(str.isdigit, numbers)) or any(map(str.isdigit, children)):
        return {}
    ordered = sorted(numbers, key=int)
    return dict(zip(ordered, children, strict=False)) if len(ordered) >= len(children) else {}


def part_named(name: str, parts: Mapping[str, str]) -> str:
    """Name a tensor by the part that its number stands for."""
    number, dot, rest = name.partition(".")
    return parts.get(number, number) + dot + rest


def timm_names(
    inside: Mapping[str, Held], names: Mapping[str, str], expected: Mapping[str, Tensor]
) -> dict[str, Held]:
    """Name the tensors of DINOv2's transformer as timm does, where that fits the encoder.

    Blocks lose the number of their chunk, SwiGLU's ``w12`` and ``w3`` are ``fc1`` and ``fc2``, and of the
    networks with register tokens the position of the class token is added to that token.
    """
    renamed = {}
    for name, held in inside.items():
        other = re.sub(r"^blocks\.\d+\.(\d+)\.", r"blocks.\1.", name)
        other = other.replace(".mlp.w12.", ".mlp.fc1.").replace(".mlp.w3.", ".mlp.fc2.")
        other = "reg_token" if other == "register_tokens" else other
        renamed[name if name in names else other] = held
    if "reg_token" in names and {"pos_embed", "cls_token", "reg_token"} <= renamed.keys():
        positions, token = renamed["pos_embed"], renamed["cls_token"]
        if positions.tensor.shape[1] == expected[names["pos_embed"]].shape[1] + 1:
            renamed["cls_token"] = Held(token.key, token.tensor + positions.tensor[:, :1])
            renamed["pos_embed"] = Held(positions.key, positions.tensor[:, 1:])
    return renamed
