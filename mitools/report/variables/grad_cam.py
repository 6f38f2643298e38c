"""Grad-CAM of a unit: which places of an image speak for a variable's value (Selvaraju et al. 2017)."""

from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.read import finish_inputs, read_inputs
from mitools.variables.discretise import Bins, Clusters, Discretiser, OwnVariables


def heat_of_unit(
    encoder: Encoder,
    data: LabelledData,
    items: NDArray[np.int64],
    discretiser: Discretiser,
    variable: int,
    unit: int,
) -> NDArray[np.float64] | None:
    """Weigh the last maps of a network by how much each raises a unit, on the images themselves.

    The last maps are what the norms and activations behind the last convolution make of it: behind a norm
    over places, the slopes of the convolution's own output have no mean.

    A soft variable's score is the logarithm of the unit's probability. That of a bin is its column, negative
    in the lower half of the bins; that of a cluster the negative squared distance from its centre.

    Parameters
    ----------
    encoder
        Reads images.
    data, items
        Which images, shape (k,).
    discretiser
        Of the encoder's rows.
    variable, unit
        Which unit.

    Returns
    -------
    ndarray or None
        Shape (k, h, w), from 0 to 1, of the size of the network's input; None where the network has no
        convolution with maps of more than one place.
    """
    images: Any = finish_inputs(read_inputs(data, items, encoder.preprocess), encoder.preprocess)
    device = next(encoder.module.parameters(), torch.empty(0)).device
    with torch.enable_grad():
        rows, maps = _with_maps(encoder.module, images.to(device).requires_grad_())
        if maps is None:
            return None
        (slope,) = torch.autograd.grad(_score(rows, discretiser, variable, unit).sum(), maps)
    weights = slope.mean(dim=(2, 3), keepdim=True)
    heat = functional.relu((weights * maps.detach()).sum(dim=1, keepdim=True))
    heat = functional.interpolate(heat, images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    most = heat.amax(dim=(1, 2), keepdim=True)
    found: NDArray[np.float64] = (heat / most.clamp(min=1e-12)).double().cpu().numpy()
    return found


def over(picture: NDArray[np.uint8], heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay the colours of a heat map over a picture of its size, shape (h, w, 3), from 0 to 1."""
    colours = colormaps["jet"](heat)[..., :3]
    found: NDArray[np.float64] = 0.55 * picture / 255 + 0.45 * colours
    return found


def _with_maps(module: nn.Module, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Run a network; give its output and the last tensor of the places of its last convolution."""
    maps: list[Tensor] = []
    places: list[tuple[int, ...]] = []

    def keep(layer: nn.Module, _: Any, output: Any) -> Any:
        if not isinstance(output, Tensor) or output.ndim != 4:
            return output
        if isinstance(layer, nn.Conv2d):
            places.append(tuple(output.shape[2:]))
        maps.append(output)
        return output.clone()  # what follows may change it in place

    leaves = [layer for layer in module.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(keep) for layer in leaves]
    try:
        rows = module(images)
    finally:
        for hook in hooks:
            hook.remove()
    if not places or np.prod(places[-1]) < 2:
        return rows, None
    return rows, [one for one in maps if tuple(one.shape[2:]) == places[-1]][-1]


def _score(rows: Tensor, discretiser: Discretiser, variable: int, unit: int) -> Tensor:
    if isinstance(discretiser, OwnVariables):
        logits = discretiser.head.to(rows.device).eval()(rows)
        groups = logits.reshape(len(rows), discretiser.variables, discretiser.units)
        return groups.log_softmax(dim=2)[:, variable, unit]
    if isinstance(discretiser, Bins):
        column = rows[:, int(discretiser.columns[variable])]
        return column if unit >= discretiser.units / 2 else -column
    assert isinstance(discretiser, Clusters)
    columns = torch.from_numpy(discretiser.groups[variable]).to(rows.device)
    centre = torch.from_numpy(discretiser.centres[variable, unit]).to(rows)
    return -(rows[:, columns] - centre).square().sum(dim=1)
