"""Weights whose names differ from the encoder's, though the network is the same: the known kinds."""

import re
from collections.abc import Callable, Iterable, Mapping
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


def _from_dinov2(
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


_CLIP_PARTS = (
    (r"^conv1\.", "patch_embed.proj."),
    (r"^class_embedding$", "cls_token"),
    (r"^positional_embedding$", "pos_embed"),
    (r"^ln_pre\.", "norm_pre."),
    (r"^ln_post\.", "norm."),
    (r"^transformer\.resblocks\.", "blocks."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.attn\.in_proj_", ".attn.qkv."),
    (r"\.attn\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
_MMPRETRAIN_PARTS = (
    (r"^patch_embed\.projection\.", "patch_embed.proj."),
    (r"^ln1\.", "norm."),
    (r"^layers\.", "blocks."),
    (r"\.ln([12])\.", r".norm\1."),
    (r"\.ffn\.layers\.0\.0\.", ".mlp.fc1."),
    (r"\.ffn\.layers\.1\.", ".mlp.fc2."),
)


def _from_clip(
    inside: Mapping[str, Held], names: Mapping[str, str], expected: Mapping[str, Tensor]
) -> dict[str, Held]:
    """Name the tensors of the image tower of CLIP (Radford et al. 2021) as timm does its transformer.

    The class token and the positions have no axis for the batch there, and one here.
    """
    renamed = _by_patterns(inside, names, _CLIP_PARTS)
    for name in ("cls_token", "pos_embed"):
        held = renamed.get(name)
        if held is not None and name in names:
            wanted = expected[names[name]]
            if held.tensor.ndim < wanted.ndim and held.tensor.numel() == wanted.numel():
                renamed[name] = Held(held.key, held.tensor.reshape(wanted.shape))
    return renamed


def _from_mmpretrain(
    inside: Mapping[str, Held], names: Mapping[str, str], expected: Mapping[str, Tensor]
) -> dict[str, Held]:
    """Name the tensors of MMPretrain's vision transformer as timm does."""
    return _by_patterns(inside, names, _MMPRETRAIN_PARTS)


def _by_patterns(
    inside: Mapping[str, Held], names: Mapping[str, str], patterns: Iterable[tuple[str, str]]
) -> dict[str, Held]:
    renamed = {}
    for name, held in inside.items():
        other = name
        if name not in names:
            for pattern, replacement in patterns:
                other = re.sub(pattern, replacement, other)
        renamed[other] = held
    return renamed


Renaming = Callable[[Mapping[str, Held], Mapping[str, str], Mapping[str, Tensor]], dict[str, Held]]
RENAMINGS: dict[str, Renaming] = {
    "DINOv2": _from_dinov2,
    "CLIP": _from_clip,
    "MMPretrain": _from_mmpretrain,
}
"""By project: from what lies at a place, the encoder's names by those without wrappers, and the encoder's
tensors, to what lies there by the encoder's names as far as they are known."""
