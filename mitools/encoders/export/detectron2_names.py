"""The names and the pickle of detectron2, written without it.

As ``tools/convert-torchvision-to-d2.py`` of detectron2 and ``detection/convert-pretrain-to-detectron2.py`` of
MoCo lay weights out: NumPy arrays by name, and a note that names may be matched by their endings.
"""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_WORDS = {
    "resnet18": {"DEPTH": 18, "RES2_OUT_CHANNELS": 64},
    "resnet34": {"DEPTH": 34, "RES2_OUT_CHANNELS": 64},
    "resnet50": {"DEPTH": 50},
    "resnet101": {"DEPTH": 101},
    "resnet152": {"DEPTH": 152},
    "resnext50_32x4d": {"DEPTH": 50, "NUM_GROUPS": 32, "WIDTH_PER_GROUP": 4},
    "resnext101_32x8d": {"DEPTH": 101, "NUM_GROUPS": 32, "WIDTH_PER_GROUP": 8},
    "resnext101_64x4d": {"DEPTH": 101, "NUM_GROUPS": 64, "WIDTH_PER_GROUP": 4},
    "wide_resnet50_2": {"DEPTH": 50, "WIDTH_PER_GROUP": 128},
    "wide_resnet101_2": {"DEPTH": 101, "WIDTH_PER_GROUP": 128},
}


def detectron2_name(name: str) -> str:
    """Rename a tensor of torchvision's ResNets.

    Examples
    --------
    >>> detectron2_name("bn1.weight"), detectron2_name("layer2.0.downsample.1.bias")
    ('stem.conv1.norm.weight', 'res3.0.shortcut.norm.bias')
    """
    renamed = re.sub(r"^layer(\d)", lambda found: f"res{int(found[1]) + 1}", name)
    if renamed == name:
        renamed = f"stem.{name}"
    renamed = re.sub(r"\bbn(\d)\b", r"conv\1.norm", renamed)
    return renamed.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")


def write_pickle(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a ResNet's weights, named as torchvision names them, for detectron2's ``MODEL.WEIGHTS``."""
    arrays = {
        detectron2_name(name): tensor.detach().cpu().numpy()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")  # which detectron2's norms need not
    }
    content = {"model": arrays, "__author__": "mitools", "matching_heuristics": True}
    with path.open("wb") as stream:
        pickle.dump(content, stream)


def read_pickle(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read a pickle of :func:`write_pickle` back under torchvision's names.

    Parameters
    ----------
    path
        A file that this process has written: a pickle of anybody else may run code.
    expected
        The state of torchvision's network; what the file has not stays as it is there.
    """
    with path.open("rb") as stream:
        arrays = pickle.load(stream)["model"]
    return {
        name: torch.from_numpy(arrays[key]) if (key := detectron2_name(name)) in arrays else tensor
        for name, tensor in expected.items()
    }


def config_of(network: str, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """Say what detectron2's config must hold for one of torchvision's ResNets.

    Parameters
    ----------
    network
        Its name in torchvision.
    mean, std
        Of pixels in [0, 1].
    """

    def pixels(values: tuple[float, ...]) -> str:
        return "[" + ", ".join(f"{255 * value:.3f}" for value in values) + "]"

    words: dict[str, Any] = {f"RESNETS.{key}": value for key, value in _WORDS[network].items()}
    words |= {"RESNETS.STRIDE_IN_1X1": False, "PIXEL_MEAN": pixels(mean), "PIXEL_STD": pixels(std)}
    return ", ".join(f"MODEL.{key} {value}" for key, value in words.items()) + ", INPUT.FORMAT RGB"
