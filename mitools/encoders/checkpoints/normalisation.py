"""Which normalisation of images a checkpoint was trained with, where it says so."""

import argparse
import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Where training scripts keep their options, and the modules that hold a network's own normalisation.
_SETTINGS = ("args", "opt", "config", "cfg", "hparams", "hyper_parameters")
_LAYERS = ("normalize", "normalizer", "normalization", "normalise", "input_norm")
_BUFFERS = (("mean", "std"), ("new_mean", "new_std"))


@dataclass(frozen=True)
class Normalisation:
    """``(x - mean) / std`` of pixels in [0, 1].

    Attributes
    ----------
    mean, std
        One number a channel.
    where
        The keys of the file that said so.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    where: str


def find_normalisation(content: Mapping[Any, Any], tensors: Mapping[str, Tensor]) -> Normalisation | None:
    """Look for a normalisation in a checkpoint's options, and among its tensors.

    Parameters
    ----------
    content
        What the file holds; options are looked for under its usual keys.
    tensors
        The file's tensors by their names without training wrappers.

    Returns
    -------
    Normalisation or None
        None where the file has none, or none of three channels in [0, 1].
    """
    for where, mean, std in (*_from_options(content), *_from_layers(tensors)):
        means, stds = _channels(mean), _channels(std)
        if means and stds and max(means + stds) <= 1 and min(means) >= 0 and min(stds) > 0:
            return Normalisation(means, stds, where)
    return None


def is_normalisation(name: str) -> bool:
    """Whether a tensor of that name holds a normalisation of the input."""
    layer, _, buffer = name.rpartition(".")
    return layer.rpartition(".")[2] in _LAYERS and any(buffer in pair for pair in _BUFFERS)


def _from_options(content: Mapping[Any, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key in _SETTINGS:
        options = content.get(key)
        if isinstance(options, argparse.Namespace):
            options = vars(options)
        if isinstance(options, Mapping):
            yield f"{key}.mean, {key}.std", options.get("mean"), options.get("std")


def _from_layers(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Any, Any]]:
    for name, mean in tensors.items():
        layer, dot, buffer = name.rpartition(".")
        std = next((std for mean_of, std in _BUFFERS if mean_of == buffer), None)
        if std is not None and is_normalisation(name):
            yield f"{name}, {layer}{dot}{std}", mean, tensors.get(f"{layer}{dot}{std}")


def _channels(value: Any) -> tuple[float, float, float] | None:
    if isinstance(value, str):  # as a command line took it
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return None
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64).flatten().tolist()
    except (ValueError, TypeError, RuntimeError):
        return None
    if len(numbers) != 3:
        return None
    first, second, third = (round(number, 6) for number in numbers)  # undo the rounding to float32
    return first, second, third
