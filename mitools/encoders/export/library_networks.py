"""The network of torchvision or timm that an encoder's weights fit, by name and shape of every tensor."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.sources.torchvision import drop_classifier

RESNETS = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
    "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
)  # fmt: skip
"""Residual networks whose tensors have the same names in torchvision and timm, so that a file of one fits."""


class LibraryNetwork(NamedTuple):
    """A network of another library.

    Attributes
    ----------
    name
        The library's.
    module
        Untrained, without its classifier.
    classifier
        The layer that was taken out; None where the library leaves it out itself.
    """

    name: str
    module: nn.Module
    classifier: str | None


def find_network(library: str, module: nn.Module, described: str) -> LibraryNetwork:
    """Find the library's network that holds a module's weights.

    Parameters
    ----------
    library
        ``torchvision`` or ``timm``.
    module
        Without its classifier.
    described
        What names the network, such as the encoder's spec: names in it are tried first, then
        :data:`RESNETS`.

    Raises
    ------
    InputError
        When no network has exactly these tensors.
    """
    wanted = _shapes(module)
    for name in _candidates(library, described):
        if (
            name in RESNETS
        ):  # on the meta device no weights are drawn; not every other network can be made there
            with torch.device("meta"):
                fits = _shapes(_build(library, name).module) == wanted
            if fits:
                return _build(library, name)
        elif _shapes((found := _build(library, name)).module) == wanted:
            return found
    first = next(iter(wanted), None)
    example = f" ({first} {'x'.join(map(str, wanted[first]))}, ...)" if first else ""
    raise InputError(
        f"{library} has no network of these {len(wanted)} tensors{example}; take safetensors, torchscript or"
        " onnx"
    )


def _build(library: str, name: str) -> LibraryNetwork:
    if library == "timm":
        import timm

        return LibraryNetwork(name, timm.create_model(name, num_classes=0), None)
    from torchvision import models

    network = models.get_model(name, weights=None)
    return LibraryNetwork(name, network, drop_classifier(network))


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _candidates(library: str, described: str) -> Iterator[str]:
    import timm
    from torchvision import models

    known = set(timm.list_models()) if library == "timm" else set(models.list_models(module=models))
    words = [word.partition(".")[0] for word in re.split(r"[:?&=/@,\s]+", described)]
    yield from dict.fromkeys(name for name in (*words, *RESNETS) if name in known)
