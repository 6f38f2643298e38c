"""Weights in npz files, as JAX and Keras projects save them: named and laid out as PyTorch does."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError

# Flax and Keras name the numbers of a layer in other words than PyTorch.
_LAST_PART = {
    "kernel": "weight", "depthwise_kernel": "weight", "embedding": "weight", "scale": "weight",
    "gamma": "weight", "beta": "bias", "bias": "bias",
    "mean": "running_mean", "moving_mean": "running_mean",
    "var": "running_var", "moving_variance": "running_var",
}  # fmt: skip
_COLLECTIONS = ("params/", "batch_stats/")
_BLOCK = r"Transformer/encoderblock_(\d+)/"
_VIT_PARTS = (
    (r"embedding/kernel$", "patch_embed.proj.weight"),
    (r"embedding/bias$", "patch_embed.proj.bias"),
    (r"cls$", "cls_token"),
    (r"(Transformer/posembed_input/)?pos_embedding$", "pos_embed"),
    (r"Transformer/encoder_norm/scale$", "norm.weight"),
    (r"Transformer/encoder_norm/bias$", "norm.bias"),
    (_BLOCK + r"LayerNorm_0/scale$", r"blocks.\1.norm1.weight"),
    (_BLOCK + r"LayerNorm_0/bias$", r"blocks.\1.norm1.bias"),
    (_BLOCK + r"LayerNorm_[12]/scale$", r"blocks.\1.norm2.weight"),
    (_BLOCK + r"LayerNorm_[12]/bias$", r"blocks.\1.norm2.bias"),
    (_BLOCK + r"MultiHeadDotProductAttention_\d/(query|key|value)/kernel$", r"blocks.\1.attn.\2.weight"),
    (_BLOCK + r"MultiHeadDotProductAttention_\d/(query|key|value)/bias$", r"blocks.\1.attn.\2.bias"),
    (_BLOCK + r"MultiHeadDotProductAttention_\d/out/kernel$", r"blocks.\1.attn.proj.weight"),
    (_BLOCK + r"MultiHeadDotProductAttention_\d/out/bias$", r"blocks.\1.attn.proj.bias"),
    (_BLOCK + r"MlpBlock_\d/Dense_0/kernel$", r"blocks.\1.mlp.fc1.weight"),
    (_BLOCK + r"MlpBlock_\d/Dense_0/bias$", r"blocks.\1.mlp.fc1.bias"),
    (_BLOCK + r"MlpBlock_\d/Dense_1/kernel$", r"blocks.\1.mlp.fc2.weight"),
    (_BLOCK + r"MlpBlock_\d/Dense_1/bias$", r"blocks.\1.mlp.fc2.bias"),
)


def read_npz_weights(path: Path) -> dict[str, Tensor]:
    """Read the weights of an npz file; nothing but arrays of numbers is read.

    Vision transformers of big_vision and of Google's ``vision_transformer`` get timm's names and layout.
    Other names with slashes are taken for Flax's or Keras's: ``a/b/kernel:0`` becomes ``a.b.weight``, with
    its axes in PyTorch's order. Names with dots stay as they are.

    Raises
    ------
    InputError
        When the file is damaged or an array holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name.removesuffix(":0"): file[name] for name in file}
    except Exception as error:  # NumPy raises almost anything on bytes that are no npz file
        reason = " ".join(str(error).split())[:200]
        if "allow_pickle" in reason:
            reason = "an array holds Python objects, which could run code; nothing was run"
        raise InputError(f"{path}: no readable npz file of weights ({reason}); fetch it again") from None
    arrays = {name: array for name, array in arrays.items() if array.dtype.kind in "fiubVc"}
    if any("Transformer/encoderblock" in name for name in arrays):
        return _timm_transformer(_one_by_one(arrays))
    return dict(_torch_layer(name, array) for name, array in arrays.items())


def _tensor(array: NDArray[Any]) -> Tensor:
    if array.dtype.kind == "V" and array.dtype.itemsize == 2:  # how NumPy stores bfloat16
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


def _torch_layer(name: str, array: NDArray[Any]) -> tuple[str, Tensor]:
    tensor = _tensor(array)
    if "/" not in name:
        return name, tensor
    for collection in _COLLECTIONS:
        name = name.removeprefix(collection)
    *outer, last = name.split("/")
    if last == "depthwise_kernel" and tensor.ndim == 4:  # height, width, channels, multiplier
        height, width, channels, multiplier = tensor.shape
        tensor = tensor.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    elif last == "kernel":
        tensor = _output_first(tensor)
    return ".".join([*outer, _LAST_PART.get(last, last)]), tensor


def _output_first(kernel: Tensor) -> Tensor:
    """Turn (*sides, inputs, outputs) into (outputs, inputs, *sides)."""
    axes = range(kernel.ndim)
    return kernel.permute(*axes[:-3:-1], *axes[:-2]).contiguous() if kernel.ndim > 1 else kernel


def _one_by_one(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Take blocks that are stacked along their first axis apart."""
    for name, array in arrays.items():
        if "Transformer/encoderblock/" in name:
            for number, part in enumerate(array):
                yield name.replace("encoderblock/", f"encoderblock_{number}/"), part
        else:
            yield name, array


def _timm_transformer(arrays: Iterator[tuple[str, NDArray[Any]]]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, array in arrays:
        tensor = _tensor(array)
        for pattern, timm_name in _VIT_PARTS:
            if place := re.search(rf"(?:^|/){pattern}", name):
                prefix = name[: place.start()].replace("/", ".")
                renamed = re.sub(rf"^/?{pattern}", timm_name, name[place.start() :])
                found[f"{prefix}.{renamed}" if prefix else renamed] = _LAYOUTS.get(
                    renamed.partition(".attn.")[2] or renamed, _transformer_layout
                )(tensor)
                break
        else:
            renamed, tensor = _torch_layer(name, array)
            found[renamed] = tensor
    return _joined_attention(found)


def _transformer_layout(tensor: Tensor) -> Tensor:
    return _output_first(tensor) if tensor.ndim in (2, 4) else tensor


def _rows(tensor: Tensor) -> Tensor:
    """Turn (inputs, heads, width) into (heads * width, inputs)."""
    return tensor.flatten(1).T.contiguous()


def _same(tensor: Tensor) -> Tensor:
    return tensor


_LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    **{f"{part}.weight": _rows for part in ("query", "key", "value")},
    **{f"{part}.bias": torch.flatten for part in ("query", "key", "value")},
    "proj.weight": lambda tensor: tensor.flatten(0, 1).T.contiguous(),
    "cls_token": _same,
    "pos_embed": _same,
}


def _joined_attention(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put queries, keys and values of a block into one layer, as timm has them."""
    joined: dict[str, Tensor] = {}
    for name, tensor in found.items():
        if ".attn.query." in name:
            parts = [found.get(name.replace(".query.", f".{part}.")) for part in ("query", "key", "value")]
            whole = [part for part in parts if part is not None]
            joined[name.replace(".query.", ".qkv.")] = torch.cat(whole)
        elif ".attn.key." not in name and ".attn.value." not in name:
            joined[name] = tensor
    return joined
