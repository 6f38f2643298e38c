"""The stages of a convolutional network: where its maps of every resolution come out."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError, reason_of

PROBE_SIZE = 128
"""Height and width of the image by which stages are found."""

_CLOSE = 1e-4


class Stage(NamedTuple):
    """One resolution of a network.

    Attributes
    ----------
    name
        The module whose output is the stage's last map, as ``named_modules`` calls it.
    stride
        Pixels of the image between two of the map.
    channels
        Of the map.
    """

    name: str
    stride: int
    channels: int


class Stages(NamedTuple):
    """A copy of a network that may be trained, and its stages from fine to coarse."""

    network: nn.Module
    found: tuple[Stage, ...]


class _Event(NamedTuple):
    """A module that began or ended."""

    name: str
    ended: bool
    output: Tensor | None = None


def find_stages(network: nn.Module, name: str) -> Stages:
    """Find the stages of a network by sending one image through a copy of it.

    A stage ends with the last module of its resolution. Modules inside a block that ends at another
    resolution, and whatever comes after the last convolution (pooling, layers of rows), do not count.

    Parameters
    ----------
    network
        Maps images (B, 3, H, W) of any size to rows; left as it is.
    name
        What to call it in errors.

    Raises
    ------
    InputError
        When it fails on an image of 128x128 pixels or does not end in maps, as a transformer.
    """
    network = copy.deepcopy(network).cpu().requires_grad_(True)
    events = _events(network, name, torch.rand(1, 3, PROBE_SIZE, PROBE_SIZE))
    modules = dict(network.named_modules())
    last = _last_convolution(events, modules)
    if last < 0 or any(_is_other_layer(one, modules) for one in events[last + 1 :]):
        raise InputError(f"encoder {name} does not end in maps; a detector needs a convolutional network")
    widths = {one.name: _width(one.output) for one in events if one.ended and _is_map(one.output)}
    stages: dict[int, Stage] = {}
    for one in events[: last + 1]:
        if not one.ended or not _is_map(one.output):
            continue
        width = _width(one.output)
        if all(widths.get(block, width) == width for block in _blocks_around(one.name, modules)):
            stages[width] = Stage(one.name, round(PROBE_SIZE / width), _channels(one.output))
    return Stages(network, tuple(stages[width] for width in sorted(stages, reverse=True)))


def maps_of(stages: Stages, wanted: Sequence[Stage], name: str) -> nn.Module:
    """Give a network that maps images to the maps of some stages, named 0, 1, ...; it shares the weights.

    Raises
    ------
    InputError
        When torch.fx cannot trace the network.
    """
    from torchvision.models.feature_extraction import create_feature_extractor

    nodes = {stage.name: str(number) for number, stage in enumerate(wanted)}
    try:
        return create_feature_extractor(stages.network, nodes)
    except Exception as error:  # tracing runs the network's own code
        raise InputError(
            f"encoder {name} cannot be cut into stages: torch.fx does not trace it ({reason_of(error, 150)})"
        ) from None


def after(stages: Stages, name: str) -> nn.Module:
    """Give the last stage as a network of its own: from the map of the one before it to its own.

    Raises
    ------
    InputError
        When there is one stage alone, or the last is no chain of modules, one after the other.
    """
    if len(stages.found) < 2:
        raise InputError(f"encoder {name} has maps of one resolution alone; c4 needs two, so take fpn")
    *_, before, last = stages.found
    network = stages.network
    events = _events(network, name, torch.rand(1, 3, PROBE_SIZE, PROBE_SIZE))
    outputs = {one.name: one.output for one in events if one.ended}
    start = max(at for at, one in enumerate(events) if one.ended and one.name == before.name)
    end = max(at for at, one in enumerate(events) if one.ended and one.name == last.name)
    chain: list[str] = []
    for one in events[start + 1 : end]:
        if not one.ended and not any(one.name.startswith(f"{taken}.") for taken in chain):
            chain.append(one.name)
    modules = nn.Sequential(*(network.get_submodule(taken) for taken in chain))
    with torch.no_grad():
        given, expected = outputs[before.name], outputs[last.name]
        assert given is not None
        assert expected is not None
        try:
            agrees = torch.allclose(modules.eval()(given), expected, atol=_CLOSE, rtol=_CLOSE)
        except (RuntimeError, TypeError):
            agrees = False
    if not agrees:
        raise InputError(
            f"encoder {name}: its last stage ({last.name}) is no chain of modules after {before.name}; take"
            " fpn"
        )
    return modules


def _events(network: nn.Module, name: str, image: Tensor) -> list[_Event]:
    """Note which modules begin and end in one pass, with copies of what they give."""
    events: list[_Event] = []
    handles = []
    for title, module in network.named_modules():
        if title:
            handles.append(module.register_forward_pre_hook(_beginning(events, title)))
            handles.append(module.register_forward_hook(_ending(events, title)))
    try:
        with torch.no_grad():
            network.eval()(image)
    except Exception as error:  # the network's own code may raise anything
        raise InputError(
            f"encoder {name} fails on an image of {PROBE_SIZE}x{PROBE_SIZE} pixels ({reason_of(error, 150)});"
            " a detector needs a network that reads images of any size"
        ) from None
    finally:
        for handle in handles:
            handle.remove()
    return events


def _beginning(events: list[_Event], name: str) -> Any:
    def note(module: nn.Module, given: Any) -> None:
        events.append(_Event(name, False))

    return note


def _ending(events: list[_Event], name: str) -> Any:
    def note(module: nn.Module, given: Any, output: Any) -> None:
        events.append(_Event(name, True, output.clone() if isinstance(output, Tensor) else None))

    return note


def _is_map(output: Tensor | None) -> bool:
    return output is not None and output.ndim == 4 and output.shape[-1] == output.shape[-2]


def _width(output: Tensor | None) -> int:
    return 0 if output is None else output.shape[-1]


def _channels(output: Tensor | None) -> int:
    return 0 if output is None else output.shape[1]


def _last_convolution(events: list[_Event], modules: dict[str, nn.Module]) -> int:
    """Find the last event at which a module with a convolution gives a map; -1 where there is none."""
    convolving = {
        name for name, module in modules.items() if any(weight.ndim == 4 for weight in module.parameters())
    }
    found = [at for at, one in enumerate(events) if one.name in convolving and _is_map(one.output)]
    return max(found, default=-1)


def _is_other_layer(one: _Event, modules: dict[str, nn.Module]) -> bool:
    """Whether a module with weights gives tokens, or maps whose channels come last."""
    has_weights = any(weight.ndim > 1 for weight in modules[one.name].parameters())
    return has_weights and one.output is not None and one.output.ndim > 2 and not _is_map(one.output)


def _blocks_around(name: str, modules: dict[str, nn.Module]) -> list[str]:
    """Name the modules around one that are no plain sequences."""
    parts = name.split(".")
    around = [".".join(parts[:count]) for count in range(1, len(parts))]
    return [one for one in around if type(modules[one]) not in (nn.Sequential, nn.ModuleList)]
