"""Where straight lines meet boxes, spheres, cylinders and cones that stand on the floor, and their normals.

An object's own frame has its origin on the floor under the object's middle, x right, y down, z away: the
object lies at y in [-height, 0]. Points and directions are three tensors that broadcast against each other,
such as (n, 1, 1) for what is one an item and (n, H, W) for what is one a pixel.

The lines start outside the object and do not come from below the floor, as those from a camera to the scene
and from floor or wall to a light do. Only sums, products, quotients and square roots are taken, which every
machine and device rounds alike.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

Triple: TypeAlias = tuple[Tensor, Tensor, Tensor]

SHAPES = ("box", "sphere", "cylinder", "cone")


class Size(NamedTuple):
    """Extents in metres, shape (n, 1, 1) each.

    Attributes
    ----------
    width
        Half the width of a box, the radius of all else.
    length
        Half the length of a box, the radius of all else.
    height
        Of the whole object; twice its radius for a sphere.
    """

    width: Tensor
    length: Tensor
    height: Tensor


def meet_box(origin: Triple, direction: Triple, size: Size) -> Tensor:
    """Give the distance to a box: how many times `direction` lies between `origin` and the first meeting.

    Returns
    -------
    Tensor
        As the arguments broadcast; infinite where a line does not meet it.
    """
    (x, y, z), (dx, dy, dz) = origin, direction
    enter, leave = _between(x, dx, -size.width, size.width)
    for start, step, low, high in ((y, dy, -size.height, 0.0), (z, dz, -size.length, size.length)):
        first, last = _between(start, step, low, high)
        enter, leave = torch.maximum(enter, first), torch.minimum(leave, last)
    return _where_met((enter <= leave) & (enter > 0), enter)


def meet_sphere(origin: Triple, direction: Triple, size: Size) -> Tensor:
    """Give the distance to a sphere, as :func:`meet_box` does."""
    (x, y, z), (dx, dy, dz) = origin, direction
    y = y + size.width
    square = dx * dx + dy * dy + dz * dz
    distance, real = _first_root(
        square, x * dx + y * dy + z * dz, x * x + y * y + z * z - size.width * size.width
    )
    return _where_met(real & (distance > 0), distance)


def meet_cylinder(origin: Triple, direction: Triple, size: Size) -> Tensor:
    """Give the distance to a cylinder, as :func:`meet_box` does."""
    (x, y, z), (dx, dy, dz) = origin, direction
    radius = size.width * size.width
    side, real = _first_root(dx * dx + dz * dz, x * dx + z * dz, x * x + z * z - radius)
    height = y + side * dy
    side = _where_met(real & (side > 0) & (height <= 0) & (height >= -size.height), side)
    lid = (-size.height - y) / dy
    at_x, at_z = x + lid * dx, z + lid * dz
    lid = _where_met((lid > 0) & (at_x * at_x + at_z * at_z <= radius), lid)
    return torch.minimum(side, lid)


def meet_cone(origin: Triple, direction: Triple, size: Size) -> Tensor:
    """Give the distance to a cone with its tip up, as :func:`meet_box` does."""
    (x, y, z), (dx, dy, dz) = origin, direction
    slope = size.width / size.height
    below, sink = slope * (y + size.height), slope * dy  # the radius at a height, and its change
    distance, real = _first_root(
        dx * dx + dz * dz - sink * sink, x * dx + z * dz - below * sink, x * x + z * z - below * below
    )
    radius = below + distance * sink
    return _where_met(real & (distance > 0) & (radius >= 0) & (radius <= size.width), distance)


def box_normals(point: Triple, size: Size) -> Triple:
    """Give the outward unit normals of a box at points of its surface."""
    x, y, z = point
    middle = 0.5 * size.height
    across, up, along = x / size.width, (y + middle) / middle, z / size.length
    # A point lies on the face in whose direction it is farthest out, relative to the extents.
    on_x = (across.abs() >= up.abs()) & (across.abs() >= along.abs())
    on_y = ~on_x & (up.abs() >= along.abs())
    return across.sign() * on_x, up.sign() * on_y, along.sign() * ~(on_x | on_y)


def sphere_normals(point: Triple, size: Size) -> Triple:
    """Give the outward unit normals of a sphere at points of its surface."""
    x, y, z = point
    return x / size.width, (y + size.width) / size.width, z / size.width


def cylinder_normals(point: Triple, size: Size) -> Triple:
    """Give the outward unit normals of a cylinder at points of its surface."""
    x, y, z = point
    radius = _radius(x, z)
    on_lid = (y + 0.5 * size.height).abs() * size.width > radius * 0.5 * size.height
    side = (~on_lid).to(x.dtype)
    return x / radius * side, -on_lid.to(x.dtype), z / radius * side


def cone_normals(point: Triple, size: Size) -> Triple:
    """Give the outward unit normals of a cone at points of its surface."""
    x, _, z = point
    slant = (size.width * size.width + size.height * size.height).sqrt()
    across, up = size.height / slant, size.width / slant
    radius = _radius(x, z)
    return x / radius * across, -up.expand_as(radius), z / radius * across


MEET: dict[str, Callable[[Triple, Triple, Size], Tensor]] = {
    "box": meet_box,
    "sphere": meet_sphere,
    "cylinder": meet_cylinder,
    "cone": meet_cone,
}
"""Where lines meet each shape."""

NORMALS: dict[str, Callable[[Triple, Size], Triple]] = {
    "box": box_normals,
    "sphere": sphere_normals,
    "cylinder": cylinder_normals,
    "cone": cone_normals,
}
"""The normals of each shape."""


def _between(start: Tensor, step: Tensor, low: Tensor, high: Tensor | float) -> tuple[Tensor, Tensor]:
    """Distances at which lines enter and leave the layer between two parallel planes."""
    first, second = (low - start) / step, (high - start) / step
    return torch.minimum(first, second), torch.maximum(first, second)


def _first_root(square: Tensor, half: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
    """Find where square t^2 + 2 half t + constant first falls to 0, for a positive constant.

    Written so that nothing cancels, and that a square coefficient of 0 or below needs no case of its own.

    Returns
    -------
    tuple
        The root, and whether there is one.
    """
    discriminant = half * half - square * constant
    return constant / (discriminant.clamp(min=0).sqrt() - half), discriminant >= 0


def _radius(x: Tensor, z: Tensor) -> Tensor:
    """Distance from the vertical axis, never 0: a tip has no normal."""
    return (x * x + z * z).sqrt().clamp(min=1e-9)


def _where_met(met: Tensor, distance: Tensor) -> Tensor:
    return torch.where(met, distance, torch.inf)
