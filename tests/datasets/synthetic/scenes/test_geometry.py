"""Depth, normals and segmentation against implicit equations of the surfaces, in double precision."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from mitools.datasets.pinhole import normals_from_depth
from mitools.datasets.synthetic.scenes.layout import WORDS, draw_layout, some_of
from mitools.datasets.synthetic.scenes.ray_casting import SEGMENTS, cast_rays
from mitools.datasets.synthetic.scenes.scenes import Scenes

N = 120
CLOSE = 5e-4
"""Half a millimetre: what single precision leaves where a ray grazes a surface."""


@pytest.fixture(scope="module")
def world():
    data = Scenes(N, seed=5)
    layout = draw_layout(data._draws.words(np.arange(N), 0, WORDS))
    return data, layout, data.render(np.arange(N))


def points_in_space(data, layout, item, depth):
    """The points of space that pixels see at some depths: in the world's frame and in the object's."""
    size, camera = data.size, data.camera
    rows, columns = np.indices((size, size))
    ray = np.stack(
        (
            (columns - camera.centre_x) / camera.focal_x,
            (rows - camera.centre_y) / camera.focal_y,
            1.0 + 0 * rows,
        )
    )
    world = layout.camera[item][:, None, None] + np.tensordot(layout.axes[item], ray * depth, 1)
    own = np.tensordot(layout.turn[item], world - layout.foot[item][:, None, None], 1)
    return world, own


def outside(shape, point, size):
    """How far outside a solid points lie, in metres; 0 on its surface and negative inside."""
    (x, y, z), (width, length, height) = point, size
    if shape == "box":
        return np.maximum.reduce([abs(x) - width, abs(y + height / 2) - height / 2, abs(z) - length])
    if shape == "sphere":
        return np.sqrt(x**2 + (y + width) ** 2 + z**2) - width
    radius = np.hypot(x, z)
    if shape == "cylinder":
        return np.maximum(radius - width, abs(y + height / 2) - height / 2)
    side = (radius - width / height * (y + height)) * height / np.hypot(width, height)
    return np.maximum(side, y)


def test_every_ray_meets_the_surface_that_is_named_at_the_depth_given(world):
    data, layout, found = world
    distances = []
    for item in range(N):
        depth, segment = found.depth[item, 0].double().numpy(), found.segmentation[item, 0].numpy()
        place, own = points_in_space(data, layout, item, depth)
        shape = SEGMENTS[2 + layout.codes[item, 0]]
        assert abs(place[1][segment == 0]).max() < CLOSE, "floor"
        assert abs(place[2] - layout.wall[item])[segment == 1].max() < CLOSE, "wall"
        on_object = segment == SEGMENTS.index(shape)
        distances.append(abs(outside(shape, own, layout.size[item])[on_object]))
        assert distances[-1].max() < CLOSE, shape
        assert ((segment < 2) | on_object).all()
        assert on_object.sum() > 60
    assert np.quantile(np.concatenate(distances), 0.99) < 1e-5


def test_nothing_lies_before_the_surface_that_is_met(world):
    data, layout, found = world
    for item in range(N):
        depth, shape = found.depth[item, 0].double().numpy(), SEGMENTS[2 + layout.codes[item, 0]]
        for share in np.linspace(0.05, 1.0, 40):
            place, own = points_in_space(data, layout, item, share * depth)
            assert place[1].max() < CLOSE
            assert place[2].max() < layout.wall[item] + CLOSE
            assert outside(shape, own, layout.size[item]).min() > -CLOSE


def test_normals_are_unit_vectors_that_face_the_camera(world):
    data, _, found = world
    normals = found.normals.double().numpy()
    assert abs(np.sqrt((normals**2).sum(axis=1)) - 1).max() < 5e-5
    rows, columns = np.indices((data.size, data.size))
    ray = np.stack(
        (columns - data.camera.centre_x, rows - data.camera.centre_y, data.camera.focal_x + 0 * rows)
    )
    assert (normals * ray).sum(axis=1).max() < 1e-3


@pytest.mark.parametrize(("size", "items", "bend"), [(64, N, 0.3), (256, 24, 0.2)])
def test_normals_are_those_of_the_depth_away_from_edges(size, items, bend):
    """Within 2 degrees, wherever the 3 x 3 pixels around see one segment that bends by little."""
    data, compared = Scenes(N, seed=5, size=size), np.zeros(len(SEGMENTS))
    found = data.render(np.arange(items))
    for depth, normals, segment in zip(found.depth, found.normals.numpy(), found.segmentation, strict=True):
        implied = normals_from_depth(depth[0].numpy(), data.camera)
        degrees = np.degrees(np.arccos((normals * implied).sum(axis=0).clip(-1, 1)))
        segment = segment[0].numpy()
        spread = sum((maximum_filter(part, 3) - minimum_filter(part, 3)) ** 2 for part in normals)
        smooth = (maximum_filter(segment, 3) == minimum_filter(segment, 3)) & (spread < bend**2)
        assert degrees[smooth].max() < 2
        compared += np.bincount(segment[smooth], minlength=len(SEGMENTS))
    assert (compared > 15 * items).all()


def test_shadows_lie_where_the_object_hides_the_light(world):
    """Walk from points of the floor to the light: a shadow where the walk enters the object."""
    data, layout, _ = world
    shaded = 0
    for item in range(16):
        one = some_of(layout, np.array([item]))
        shape = SEGMENTS[2 + one.codes[0, 0]]
        surfaces = cast_rays(one, shape, data.camera, data.size, data._device)
        point = np.stack([part[0].double().numpy() for part in surfaces.point])
        to_light = np.array([part.item() for part in surfaces.to_light])[:, None, None]
        nearest = np.min(
            [outside(shape, point + step * to_light, one.size[0]) for step in np.arange(0, 3, 0.01)], axis=0
        )
        background, shadow = ~surfaces.on_object[0].numpy(), surfaces.in_shadow[0].numpy()
        assert (nearest[shadow] < 0.01).all()
        assert not shadow[background & (nearest > 0.01)].any()
        assert shadow[background & (nearest < -0.01)].all()
        shaded += shadow.sum()
    assert shaded > 500
