import numpy as np
import pytest

from mitools.datasets.pinhole import Pinhole, normals_from_depth

CAMERA = Pinhole(50.0, 60.0, 19.5, 14.0)


def plane_depth(normal, distance):
    """Depth of the plane of points p with normal . p = -distance, seen in 30 x 40 pixels."""
    rows, columns = np.indices((30, 40))
    x, y = (columns - CAMERA.centre_x) / CAMERA.focal_x, (rows - CAMERA.centre_y) / CAMERA.focal_y
    return -distance / (normal[0] * x + normal[1] * y + normal[2])


@pytest.mark.parametrize("radius", [1, 4])
@pytest.mark.parametrize("normal", [(0, 0, -1), (0.6, 0, -0.8), (0.2, -0.5, -0.8)])
def test_planes_are_exact_up_to_the_border(normal, radius):
    normal = np.array(normal) / np.linalg.norm(normal)
    found = normals_from_depth(plane_depth(normal, 1.7), CAMERA, radius)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.broadcast_to(normal[:, None, None], found.shape), atol=1e-6)


def test_a_wider_window_averages_noise_away():
    normal = np.array([0.2, -0.5, -0.8]) / np.linalg.norm([0.2, -0.5, -0.8])
    depth = plane_depth(normal, 1.7) * (1 + 1e-3 * np.random.default_rng(0).standard_normal((30, 40)))
    error = [
        np.degrees(np.arccos(np.tensordot(normal, normals_from_depth(depth, CAMERA, radius), 1).clip(-1, 1)))
        for radius in (1, 4)
    ]
    assert np.median(error[1]) < np.median(error[0]) / 5


@pytest.mark.parametrize("missing", [0.0, np.nan, np.inf, -1.0])
def test_where_depth_is_missing_there_is_no_normal(missing):
    depth = np.full((9, 9), 2.0, dtype=np.float32)
    depth[4, 4] = missing
    lost = (normals_from_depth(depth, CAMERA) == 0).all(axis=0)
    expected = np.zeros((9, 9), dtype=bool)
    expected[3:6, 3:6] = True
    np.testing.assert_array_equal(lost, expected)
