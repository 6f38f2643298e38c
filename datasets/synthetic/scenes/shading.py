"""How bright and of what colour every pixel of a scene is."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.datasets.synthetic.scenes.layout import MATERIALS, Layout
from mitools.datasets.synthetic.scenes.ray_casting import Surfaces, scalars

_AMBIENT = 0.3  # the share of the light that comes from everywhere
_GLOSS = 0.6  # brightness in the middle of a highlight
_SQUARINGS = 5  # a highlight falls off with the 32nd power of the cosine
_DARK = 0.3  # brightness of the dark stripes and squares
_STRIPE, _SQUARE, _TILE = 0.16, 0.22, 0.5  # metres
_TILE_CONTRAST = 0.12


def shade(surfaces: Surfaces, layout: Layout) -> Tensor:
    """Colour the surfaces: Lambert's law, a shadow, and Blinn's highlight on what is glossy.

    Light is added up in linear units and shown by its square root, a gamma of 2.

    Returns
    -------
    Tensor
        Shape (n, 3, H, W), uint8.
    """
    device = surfaces.depth.device
    facing = torch.where(
        surfaces.on_object,
        _dot(surfaces.normal, surfaces.to_light),
        torch.where(
            surfaces.on_wall, scalars(-layout.to_light[:, 2], device), scalars(-layout.to_light[:, 1], device)
        ),
    )
    direct = facing.clamp(min=0) * ~surfaces.in_shadow
    light = scalars(layout.brightness, device) * (_AMBIENT + (1 - _AMBIENT) * direct)
    light = light * _pattern(surfaces, layout)
    highlight = _highlight(surfaces, layout)
    channels = []
    for channel in range(3):
        seen, floor, wall = (
            scalars(colours[:, channel] * colours[:, channel], device)
            for colours in (layout.object_colour, layout.floor_colour, layout.wall_colour)
        )
        colour = torch.where(surfaces.on_object, seen, torch.where(surfaces.on_wall, wall, floor))
        channels.append(light * colour + highlight)
    shown = torch.stack(channels, dim=1).clamp(max=1).sqrt()
    return (shown * 255 + 0.5).to(torch.uint8)


def _pattern(surfaces: Surfaces, layout: Layout) -> Tensor:
    """Brightness of tiles on the floor, and of stripes and squares on objects."""
    x, _, z = surfaces.world
    tiles = 1 - _TILE_CONTRAST * _odd((x / _TILE).floor() + (z / _TILE).floor())
    pattern = torch.where(surfaces.on_wall, 1.0, tiles)
    x, y, z = surfaces.point
    plain = torch.ones_like(pattern)
    for rows in _rows(layout, "striped"):
        plain[rows] = 1 - (1 - _DARK) * _odd((y[rows] / _STRIPE).floor())
    for rows in _rows(layout, "checked"):
        across, down, along = ((part[rows] / _SQUARE).floor() for part in (x, y, z))
        plain[rows] = 1 - (1 - _DARK) * _odd(across + down + along)
    return torch.where(surfaces.on_object, plain, pattern)


def _highlight(surfaces: Surfaces, layout: Layout) -> Tensor:
    """Light that glossy objects mirror."""
    highlight = torch.zeros_like(surfaces.depth)
    for rows in _rows(layout, "glossy"):
        ray, to_light, normal = (
            tuple(part[rows] for part in triple)
            for triple in (surfaces.ray, surfaces.to_light, surfaces.normal)
        )
        length = _dot(ray, ray).sqrt()
        halfway = tuple(light - part / length for light, part in zip(to_light, ray, strict=True))
        shine = (_dot(normal, halfway) / _dot(halfway, halfway).sqrt()).clamp(min=0)
        for _ in range(_SQUARINGS):
            shine = shine * shine
        highlight[rows] = _GLOSS * shine * surfaces.on_object[rows]
    return highlight


def _rows(layout: Layout, material: str) -> list[NDArray[np.int64]]:
    """Find the scenes whose object is of a material: one array of them, or no array where none is."""
    rows = np.flatnonzero(layout.codes[:, 2] == MATERIALS.index(material))
    return [rows] if rows.size else []


def _odd(numbers: Tensor) -> Tensor:
    return numbers - 2 * (numbers / 2).floor()


def _dot(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> Tensor:
    x, y, z = (a * b for a, b in zip(first, second, strict=True))
    return x + y + z
