"""What the ray through every pixel of a scene meets: how far, which surface, facing where, in which light.

All is found in closed form, one ray a pixel centre, for many scenes at a time.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.datasets.pinhole import Pinhole
from mitools.datasets.synthetic.scenes.layout import Layout
from mitools.datasets.synthetic.scenes.shapes import MEET, NORMALS, SHAPES, Size, Triple

SEGMENTS = ("floor", "wall", *SHAPES)
"""The classes of the segmentation."""


class Surfaces(NamedTuple):
    """What the rays of n scenes with one shape of object meet; float32, shape (n, H, W) unless said.

    Attributes
    ----------
    depth
        Metres along the optical axis.
    on_object, on_wall
        Bool: what is met; the floor where neither.
    normal
        Of the object, in its own frame; anything elsewhere.
    point
        What is met, in the object's frame.
    world
        What is met, in the world's frame.
    ray
        Directions of the rays in the object's frame, of length 1 along the optical axis.
    to_light
        Shape (n, 1, 1): unit vector in the object's frame.
    in_shadow
        Bool: floor or wall in the object's shadow.
    """

    depth: Tensor
    on_object: Tensor
    on_wall: Tensor
    normal: Triple
    point: Triple
    world: Triple
    ray: Triple
    to_light: Triple
    in_shadow: Tensor


def cast_rays(layout: Layout, shape: str, camera: Pinhole, size: int, device: torch.device) -> Surfaces:
    """Cast a ray through the centre of every pixel.

    Parameters
    ----------
    layout
        n scenes, whose objects are all of the shape named.
    camera, size
        Of images of `size` x `size` pixels.
    device
        Where the tensors are made.
    """

    def triple(vectors: NDArray[np.float64]) -> Triple:
        first, second, third = (scalars(vectors[:, axis], device) for axis in range(3))
        return first, second, third

    x = torch.from_numpy((np.arange(size) - camera.centre_x) / camera.focal_x).float().to(device)
    y = torch.from_numpy((np.arange(size) - camera.centre_y) / camera.focal_y).float().to(device)
    ray, origin = _rays(layout.axes, x, y, device), triple(layout.camera)
    to_floor = torch.where(ray[1] > 0, -origin[1] / ray[1], torch.inf)
    to_wall = (scalars(layout.wall, device) - origin[2]) / ray[2]
    behind = torch.minimum(to_floor, to_wall)

    extents = Size(*triple(layout.size))
    own_ray = _rays(object_axes(layout), x, y, device)
    own_origin = triple(_rotated(layout.turn, layout.camera - layout.foot))
    to_object = MEET[shape](own_origin, own_ray, extents)
    on_object = to_object < behind
    depth = torch.where(on_object, to_object, behind)
    point = _along(own_origin, own_ray, depth)
    to_light = triple(_rotated(layout.turn, layout.to_light))
    return Surfaces(
        depth=depth,
        on_object=on_object,
        on_wall=~on_object & (to_wall < to_floor),
        normal=NORMALS[shape](point, extents),
        point=point,
        world=_along(origin, ray, depth),
        ray=own_ray,
        to_light=to_light,
        in_shadow=~on_object & torch.isfinite(MEET[shape](point, to_light, extents)),
    )


def camera_normals(surfaces: Surfaces, layout: Layout) -> Tensor:
    """Turn the normals of all surfaces into the camera's frame: shape (n, 3, H, W)."""
    device, own = surfaces.depth.device, object_axes(layout)
    channels = []
    for axis in range(3):
        first, second, third = (scalars(own[:, row, axis], device) for row in range(3))
        x, y, z = surfaces.normal
        behind = torch.where(
            surfaces.on_wall,
            scalars(-layout.axes[:, 2, axis], device),
            scalars(-layout.axes[:, 1, axis], device),
        )
        channels.append(torch.where(surfaces.on_object, x * first + y * second + z * third, behind))
    return torch.stack(channels, dim=1)


def segmentation(surfaces: Surfaces, shape: str) -> Tensor:
    """Give the class of every pixel, a position in SEGMENTS: shape (n, 1, H, W), uint8."""
    behind = surfaces.on_wall.to(torch.uint8)
    return torch.where(surfaces.on_object, SEGMENTS.index(shape), behind)[:, None].to(torch.uint8)


def object_axes(layout: Layout) -> NDArray[np.float64]:
    """Give the camera's axes in the frame of the object, as columns: shape (n, 3, 3)."""
    return np.stack([_rotated(layout.turn, layout.axes[:, :, axis]) for axis in range(3)], axis=2)


def scalars(values: NDArray[np.float64], device: torch.device) -> Tensor:
    """One number an item, shape (n, 1, 1), float32."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)[:, None, None]


def _rotated(matrices: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn vectors, shape (n, 3), by matrices, shape (n, 3, 3)."""
    # Written out: the sums of a matrix library may be rounded otherwise on another machine.
    first, second, third = (matrices[:, :, axis] * vectors[:, axis, None] for axis in range(3))
    return first + second + third


def _rays(axes: NDArray[np.float64], x: Tensor, y: Tensor, device: torch.device) -> Triple:
    """Directions through every pixel, seen in a frame in which the camera's axes are the columns given."""
    first, second, third = (
        scalars(axes[:, row, 0], device) * x
        + (scalars(axes[:, row, 1], device) * y[:, None] + scalars(axes[:, row, 2], device))
        for row in range(3)
    )
    return first, second, third


def _along(origin: Triple, direction: Triple, distance: Tensor) -> Triple:
    first, second, third = (start + distance * step for start, step in zip(origin, direction, strict=True))
    return first, second, third
