"""Features of inner layers: every layer asked for, out of one forward pass."""

import re
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.utils.hooks import RemovableHandle

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.read import Inputs, inputs_count

OUTPUT = "output"
"""The encoder's own output, as a layer among the others."""

GRID = "grid"
"""What begins the name of a pooling over a grid of cells, as ``grid4``."""

POOLS = ("auto", "mean", "cls", "flatten", f"{GRID}N")
FLATTENED_AT_MOST = 1 << 16
"""Numbers a row that ``flatten`` may give: 10,000 such rows are 2.6 GB."""

_LISTS = (nn.Sequential, nn.ModuleList)

_GRID_NAME = re.compile(GRID + "([1-9][0-9]?)")


def tap(encoder: Encoder, layers: Sequence[str] | Literal["all"], pool: str = "auto") -> Encoder:
    """Give an encoder that returns its inner layers, all from one forward pass.

    The network is shared with the encoder given, which works on as before; the hooks on it are silent
    outside a pass of the taps, and are gone when the taps are.

    Parameters
    ----------
    encoder
        Its module may be called from several threads at once, and so may the result's.
    layers
        Names of modules as ``named_modules`` gives them, and ``output`` for the encoder's own output; or
        ``all``: those of :func:`layer_names`. A module that runs several times in one pass gives its last
        output.
    pool
        How a layer becomes one row an item. ``auto`` and ``mean`` are the mean over space (B, C, H, W) or
        over tokens (B, T, d), padding left out; rows (B, d) stay as they are. ``cls`` takes the first
        token. ``flatten`` keeps everything, up to 65,536 numbers a row. ``grid4`` is the mean over each of
        4 x 4 cells of a map, one after the other, as linear classifiers of a layer read it (Zhang et al.
        2016; Tian et al. 2020, Table 8): a map that is smaller stays as it is.

    Returns
    -------
    Encoder
        Its ``layers`` are the names, in the order given (``name:cls`` where the pooling is another than the
        mean); its module maps a batch to a dictionary of these names to rows (B, d).

    Raises
    ------
    InputError
        When a layer or `pool` is unknown, no layer or one twice is named, or the network has no layers, as
        one of TorchScript.
    """
    if pool not in POOLS[:-1] and not _GRID_NAME.fullmatch(pool):
        raise InputError(f"pool={pool}; accepted: {nearest(pool, POOLS, len(POOLS))}")
    if isinstance(encoder.module, torch.jit.ScriptModule):
        raise InputError(
            f"encoder {encoder.name} is TorchScript, whose layers cannot be read; leave the layers out, or"
            " give the network that it was made from"
        )
    names = layer_names(encoder.module) if layers == "all" else tuple(layers)
    known = {name: module for name, module in encoder.module.named_modules(remove_duplicate=False) if name}
    for name in names:
        if name != OUTPUT and name not in known:
            near = nearest(name, [*layer_names(encoder.module), *known])
            raise InputError(f"encoder {encoder.name} has no layer {name!r}; nearest: {near}")
    for name in names:
        if isinstance(known.get(name), torch.jit.ScriptModule):
            raise InputError(
                f"encoder {encoder.name}: layer {name!r} is TorchScript, whose output cannot be read; take"
                " other layers, or give the module that it was made from"
            )
    if not names or len(set(names)) < len(names):
        raise InputError(f"encoder {encoder.name}: name at least one layer, and each once")
    titles = {name: _title(name, pool) for name in names}
    return replace(encoder, module=Taps(encoder.module, titles, pool), layers=tuple(titles.values()))


def layer_names(network: nn.Module) -> tuple[str, ...]:
    """List the layers that ``all`` stands for: the network's stages or blocks in order, then ``output``.

    A plain ``Sequential`` or ``ModuleList`` stands for its elements, and so does a module whose weights all
    lie in one (``encoder`` of a BERT). What remains are the blocks and stages as their authors cut them:
    ``layer3.8`` of a ResNet, ``blocks.11`` of a ViT, ``stages.2`` of a ConvNeXt. Modules without a weight
    matrix (activations, pooling, normalisation) add no layer.
    """
    name, inner = "", _weighty(network)
    while len(inner) == 1:  # a wrapper around the network proper
        ((key, child),) = inner.items()
        if not _weighty(child):
            break
        name, network, inner = f"{name}{key}.", child, _weighty(child)
    return (*_stages(name, network), OUTPUT)


def _stages(prefix: str, module: nn.Module) -> Iterator[str]:
    listed = type(module) in _LISTS
    for key, child in _weighty(module).items():
        # A stage in a list stays whole, even one that only holds a list of blocks: its siblings hold more.
        parts = [] if listed else list(_weighty(child).items())
        if type(child) in _LISTS:
            yield from _stages(f"{prefix}{key}.", child)
        elif len(parts) == 1 and type(parts[0][1]) in _LISTS:
            yield from _stages(f"{prefix}{key}.{parts[0][0]}.", parts[0][1])
        else:
            yield f"{prefix}{key}"


def _weighty(module: nn.Module) -> dict[str, nn.Module]:
    """Children that hold a weight matrix, by name."""
    return {
        key: child
        for key, child in module.named_children()
        if any(parameter.ndim > 1 for parameter in child.parameters())
    }


def _title(name: str, pool: str) -> str:
    return name if pool in ("auto", "mean") or name == OUTPUT else f"{name}:{pool}"


class Taps(nn.Module):
    """A network that returns the outputs of some of its modules, each pooled to one row an item.

    Parameters
    ----------
    network
        Hooks are laid on it, and taken off again when this object goes.
    titles
        The modules' names in the network, and the names that their rows are returned under.
    pool
        As for :func:`tap`.
    """

    def __init__(self, network: nn.Module, titles: Mapping[str, str], pool: str) -> None:
        super().__init__()
        self.network = network
        self.titles = dict(titles)
        self._pass = _Pass()
        handles = [
            network.get_submodule(name).register_forward_hook(partial(_keep, self._pass, title, pool))
            for name, title in titles.items()
            if name != OUTPUT
        ]
        self._let_go = weakref.finalize(self, _remove, handles)

    def close(self) -> None:
        """Take the hooks off now, not only when this object goes; it cannot be called any more."""
        self._let_go()

    def forward(self, inputs: Inputs) -> dict[str, Tensor]:
        """Run the network once; one (B, d) a layer, in the order asked for.

        Raises
        ------
        InputError
            When a layer did not run or gives nothing that can be pooled.
        """
        with self._pass.of(inputs) as rows:
            output = self.network(inputs)
        if OUTPUT in self.titles:
            rows[OUTPUT] = output
        for name, title in self.titles.items():
            if title not in rows:
                raise InputError(f"layer {name!r} does not run when the encoder does; take another layer")
        return {title: rows[title] for title in self.titles.values()}


class _Pass(threading.local):
    """What the forward pass of one thread has given so far; None outside a pass.

    Each thread sees its own, so passes side by side do not meet; a copy of the network gets a new one.
    """

    inputs: Inputs | None = None
    rows: dict[str, Tensor] | None = None

    @contextmanager
    def of(self, inputs: Inputs) -> Iterator[dict[str, Tensor]]:
        rows: dict[str, Tensor] = {}
        self.inputs, self.rows = inputs, rows
        try:
            yield rows
        finally:
            self.inputs, self.rows = None, None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Pass, ()


def _keep(state: _Pass, title: str, pool: str, module: nn.Module, arguments: Any, output: Any) -> None:
    """Pool a module's output at once: what comes after may change it in place."""
    if state.rows is None or state.inputs is None:
        return
    tensor = _first_tensor(output)
    if tensor is None:
        raise InputError(f"layer {title!r} gives {type(output).__name__}, which holds no tensor")
    state.rows[title] = _rows(tensor, title, pool, module, state.inputs)


def _rows(output: Tensor, title: str, pool: str, module: nn.Module, inputs: Inputs) -> Tensor:
    """Turn a layer's output into one row an item, in memory of its own."""
    shape = "x".join(map(str, output.shape))
    if output.ndim < 2 or len(output) != inputs_count(inputs):
        raise InputError(f"layer {title!r} gives {shape} for {inputs_count(inputs)} items: no row an item")
    if pool == "flatten":
        if output[0].numel() > FLATTENED_AT_MOST:
            raise InputError(
                f"layer {title!r} flattened has {output[0].numel():,} numbers an item, more than"
                f" {FLATTENED_AT_MOST:,}; take pool=mean"
            )
        return output.flatten(1).clone()
    if pool == "cls":
        if output.ndim != 3:
            raise InputError(f"layer {title!r} gives {shape}, which has no tokens; take pool=mean")
        return output[:, 0].clone()
    if grid := _GRID_NAME.fullmatch(pool):
        return _mean_over_cells(output, int(grid[1]), module, f"layer {title!r} gives {shape}")
    if output.ndim == 2:
        return output.clone()
    if output.ndim == 3:
        return _mean_over_tokens(output, inputs)
    if output.ndim == 4:
        space = (1, 2) if _channels_last(output, module) else (2, 3)
        return output.mean(dim=space, dtype=torch.float32)
    raise InputError(f"layer {title!r} gives {shape}, which has no mean that is meant; take pool=flatten")


def _mean_over_cells(output: Tensor, cells: int, module: nn.Module, what: str) -> Tensor:
    """Average a map over cells x cells; rows are one cell."""
    if output.ndim == 2:
        return output.clone()
    if output.ndim != 4:
        raise InputError(f"{what}, which is no map; take pool=mean")
    maps = output.movedim(3, 1) if _channels_last(output, module) else output
    size = (min(cells, maps.shape[2]), min(cells, maps.shape[3]))
    return adaptive_avg_pool2d(maps.float(), size).flatten(1)


def _mean_over_tokens(output: Tensor, inputs: Inputs) -> Tensor:
    mask = None if isinstance(inputs, Tensor) else inputs.get("attention_mask")
    if mask is None or mask.shape != output.shape[:2]:
        return output.mean(dim=1, dtype=torch.float32)
    weights = mask.to(torch.float32) / mask.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.einsum("btd,bt->bd", output.float(), weights)


def _channels_last(output: Tensor, module: nn.Module) -> bool:
    """Whether a map is (B, H, W, C), as the width of the module's last weights tells; (B, C, H, W) if not.

    Swin transformers keep channels last, convolutional networks first, and neither says so.
    """
    first, last = output.shape[1], output.shape[3]
    for parameter in reversed(list(module.parameters())):
        if parameter.shape[:1] in ((first,), (last,)):
            return bool(parameter.shape[0] == last != first)
    return False


def _first_tensor(output: Any) -> Tensor | None:
    """Find the tensor of a module's output: itself, or the first in a tuple, list or mapping."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, list | tuple):
        return next((found for item in output if (found := _first_tensor(item)) is not None), None)
    return None


def _remove(handles: Iterable[RemovableHandle]) -> None:
    for handle in handles:
        handle.remove()
