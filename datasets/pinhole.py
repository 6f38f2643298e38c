"""A pinhole camera, and the surface normals that a depth map implies."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d


class Pinhole(NamedTuple):
    """Where a camera sees the points of space; x points right, y down, z away from the camera.

    The centre of the pixel in row v and column u sees along ``((u - centre_x) / focal_x,
    (v - centre_y) / focal_y, 1)``; the point it sees is its depth (metres along z) times that.

    Attributes
    ----------
    focal_x, focal_y
        Focal lengths in pixels.
    centre_x, centre_y
        Column and row of the optical axis; the first pixel's centre is 0.
    """

    focal_x: float
    focal_y: float
    centre_x: float
    centre_y: float


def normals_from_depth(depth: NDArray[np.float32], camera: Pinhole, radius: int = 1) -> NDArray[np.float32]:
    """Compute surface normals from a depth map.

    On a plane the inverse depth is an affine function of column and row, and its slopes give the plane's
    normal. They are fitted by least squares in a window around every pixel: exact on planes; a window
    that reaches across an edge mixes its two sides, and a wider one averages more noise away.

    Parameters
    ----------
    depth
        Shape (H, W), metres along the optical axis; not positive, or not finite, where it is missing.
    camera
        What took it.
    radius
        The window has 2 radius + 1 pixels a side.

    Returns
    -------
    NDArray[np.float32]
        Shape (3, H, W): unit vectors (x right, y down, z away) that point to the camera's side of the
        surface; zeros where a depth in the window is missing.

    Examples
    --------
    A wall that is seen head-on faces the camera:

    >>> wall = np.full((5, 5), 2.0, dtype=np.float32)
    >>> normals_from_depth(wall, Pinhole(5.0, 5.0, 2.0, 2.0))[:, 2, 2].tolist()
    [0.0, 0.0, -1.0]
    """
    known = np.isfinite(depth) & (depth > 0)
    inverse = np.divide(1.0, depth, out=np.full(depth.shape, np.nan), where=known)
    # Odd reflection continues an affine function beyond the border.
    inverse = np.pad(inverse, radius, mode="reflect", reflect_type="odd")
    steps = np.arange(-radius, radius + 1, dtype=np.float64)
    mean, slope = np.full(len(steps), 1.0 / len(steps)), steps / (steps**2).sum()
    inside = (slice(radius, -radius), slice(radius, -radius))
    by_column = correlate1d(correlate1d(inverse, slope, axis=1), mean, axis=0)[inside]
    by_row = correlate1d(correlate1d(inverse, slope, axis=0), mean, axis=1)[inside]
    level = correlate1d(correlate1d(inverse, mean, axis=0), mean, axis=1)[inside]
    rows, columns = np.indices(depth.shape)
    normals = -np.stack(
        (
            camera.focal_x * by_column,
            camera.focal_y * by_row,
            level - (columns - camera.centre_x) * by_column - (rows - camera.centre_y) * by_row,
        )
    )
    normals /= np.sqrt((normals**2).sum(axis=0))
    return np.nan_to_num(normals + 0.0, nan=0.0).astype(np.float32)
