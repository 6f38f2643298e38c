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


def last_convolution(module: nn.Module) -> nn.Module | None:
    """Find the last convolution of a network, in the order in which it names its layers; None without one."""
    found = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    return found[-1] if found else None


def heat_of_unit(
    encoder: Encoder,
    data: LabelledData,
    items: NDArray[np.int64],
    discretiser: Discretiser,
    variable: int,
    unit: int,
) -> NDArray[np.float64] | None:
    """Weigh the maps of the last convolution by how much each raises a unit, on the images themselves.

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
    layer = last_convolution(encoder.module)
    if layer is None:
        return None
    images: Any = finish_inputs(read_inputs(data, items, encoder.preprocess), encoder.preprocess)
    maps: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        maps.append(output)
        return output.clone()  # what follows may change it in place

    hook = layer.register_forward_hook(keep)
    device = next(encoder.module.parameters()).device
    try:
        with torch.enable_grad():
            rows = encoder.module(images.to(device).requires_grad_())
            score = _score(rows, discretiser, variable, unit).sum()
            (slope,) = torch.autograd.grad(score, maps[0])
    finally:
        hook.remove()
    if maps[0].ndim != 4 or maps[0].shape[-1] * maps[0].shape[-2] < 2:
        return None
    weights = slope.mean(dim=(2, 3), keepdim=True)
    heat = functional.relu((weights * maps[0].detach()).sum(dim=1, keepdim=True))
    heat = functional.interpolate(heat, images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    most = heat.amax(dim=(1, 2), keepdim=True)
    found: NDArray[np.float64] = (heat / most.clamp(min=1e-12)).double().cpu().numpy()
    return found


def over(picture: NDArray[np.uint8], heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay the colours of a heat map over a picture of its size, shape (h, w, 3), from 0 to 1."""
    colours = colormaps["jet"](heat)[..., :3]
    found: NDArray[np.float64] = 0.55 * picture / 255 + 0.45 * colours
    return found


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
