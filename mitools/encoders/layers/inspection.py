"""What a network consists of: its layers and the shape that each gives, by a dry pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.read import Inputs, finish_inputs, read_inputs
from mitools.encoders.inputs.tokens import Tokens
from mitools.encoders.layers.taps import OUTPUT, Taps, layer_names

ASSUMED_SIZE = 32
"""Height and width of the dry pass's images where the encoder keeps images at their own size."""

_ITEMS = 2


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes
    ----------
    name
        What ``layer=`` takes.
    kind
        The class of the module.
    parameters
        How many numbers are learnt in it.
    shape
        Of its output for one item; None where it gave none.
    """

    name: str
    kind: str
    parameters: int
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class DryPass:
    """The layers of an encoder, and the shape of the item that was sent through it."""

    item: str
    layers: tuple[Layer, ...]


def inspect_layers(encoder: Encoder, data: LabelledData | None = None) -> DryPass:
    """Send two items through an encoder and note what its layers give.

    Parameters
    ----------
    encoder
        Left as it is.
    data
        Where the items come from; blank images or two short texts when None.

    Raises
    ------
    InputError
        When the items cannot be read or the encoder fails on them.
    """
    inputs = finish_inputs(_inputs(encoder, data), encoder.preprocess)
    module = encoder.module
    network = module.network if isinstance(module, Taps) else module
    # Hooks do not reach into TorchScript.
    hooked = not any(isinstance(part, torch.jit.ScriptModule) for part in network.modules())
    names = [name for name in layer_names(network) if name != OUTPUT] if hooked else []
    shapes: dict[str, tuple[int, ...]] = {}
    modules = {name: network.get_submodule(name) for name in names}
    handles = [layer.register_forward_hook(partial(_note, shapes, name)) for name, layer in modules.items()]
    try:
        with torch.inference_mode():
            output = network(inputs)
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"encoder {encoder.name} fails on {_described(inputs)} ({reason})") from None
    finally:
        for handle in handles:
            handle.remove()
    _note(shapes, OUTPUT, network, (), output)
    found = [_layer(name, layer, shapes) for name, layer in modules.items()]
    return DryPass(_described(inputs), (*found, _layer(OUTPUT, network, shapes)))


def _inputs(encoder: Encoder, data: LabelledData | None) -> Inputs:
    if data is not None:
        return read_inputs(data, range(_ITEMS), encoder.preprocess)
    if isinstance(encoder.preprocess, Tokens):
        return encoder.preprocess.batch(["a text", "another text"])
    size = encoder.preprocess.size or ASSUMED_SIZE
    if isinstance(encoder.preprocess, Modalities):
        return encoder.preprocess.blank(_ITEMS, size)
    height, width = getattr(encoder.preprocess, "sides", None) or (size, size)
    return torch.zeros(_ITEMS, 3, height, width, dtype=torch.uint8)


def _layer(name: str, module: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> Layer:
    count = sum(parameter.numel() for parameter in module.parameters())
    return Layer(name, type(module).__name__, count, shapes.get(name))


def _note(
    shapes: dict[str, tuple[int, ...]], name: str, module: nn.Module, arguments: Any, output: Any
) -> None:
    if isinstance(output, Mapping):
        output = tuple(output.values())
    while isinstance(output, tuple | list) and output:
        output = output[0]
    if isinstance(output, Tensor):
        shapes[name] = tuple(output.shape[1:])


def _described(inputs: Inputs) -> str:
    if isinstance(inputs, Tensor):
        kind = "an image" if inputs.ndim == 4 else "a row"
        return f"{kind} of {'x'.join(map(str, inputs.shape[1:]))}"
    if "input_ids" not in inputs:
        return ", ".join(f"{name} of {'x'.join(map(str, one.shape[1:]))}" for name, one in inputs.items())
    return f"a text of {next(iter(inputs.values())).shape[1]} tokens"
