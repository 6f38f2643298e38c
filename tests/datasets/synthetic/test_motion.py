import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mitools.datasets.synthetic.motion import (
    POINTS_PER_PIXEL,
    Motion,
    cell_points,
    cells,
    draw_motions,
    positions,
    quarter_circle,
    reflect,
)
from mitools.datasets.synthetic.random_draws import Draws

OFFSETS, SPEED = 37, 6.4
LENGTH = OFFSETS * POINTS_PER_PIXEL


def motions(n: int, seed: int = 0) -> Motion:
    return draw_motions(Draws(seed, "train").words(np.arange(n), 0, 4), OFFSETS, SPEED)


def step_by_step(start: int, velocity: int, frames: int) -> list[int]:
    """Move frame by frame, turning back at the borders: the definition, without a closed form."""
    place, path = start, [start]
    for _ in range(frames - 1):
        place += velocity
        while not 0 <= place < LENGTH:
            place = -1 - place if place < 0 else 2 * LENGTH - 1 - place
            velocity = -velocity
        path.append(place)
    return path


@given(st.integers(0, LENGTH - 1), st.integers(-3 * LENGTH, 3 * LENGTH), st.integers(1, 60))
def test_the_closed_form_is_the_motion_step_by_step(start, velocity, frames):
    motion = Motion(np.array([[start, 0]]), np.array([[velocity, 0]]))
    closed = positions(motion, np.arange(1, frames + 1), OFFSETS)[0, :, 0]
    assert closed.tolist() == step_by_step(start, velocity, frames)


@given(st.integers(0, 2**64 - 1), st.integers(1, 10**9))
def test_position_stays_inside_and_speed_is_kept_for_any_number_of_frames(seed, frame):
    motion = motions(20, seed)
    places = positions(motion, np.array([frame, frame + 1]), OFFSETS)
    assert ((places >= 0) & (places < LENGTH)).all()
    speed = np.hypot(*motion.velocity.T) / POINTS_PER_PIXEL
    assert np.allclose(speed, SPEED, atol=1 / POINTS_PER_PIXEL)
    moved = np.abs(places[:, 1] - places[:, 0])
    assert (moved <= np.abs(motion.velocity)).all()
    border = np.minimum(places[:, 0], LENGTH - 1 - places[:, 0])
    free = border >= np.abs(motion.velocity)
    assert (moved == np.abs(motion.velocity))[free].all()


@given(st.integers(1, 10 * POINTS_PER_PIXEL), st.integers(1, 40))
def test_a_corner_sends_the_digit_back_the_way_it_came(step, frames):
    into_corner = Motion(np.array([[0, 0]]), np.array([[-step, -step]]))
    out_of_corner = Motion(np.array([[-1, -1]]), np.array([[step, step]]))
    seen = positions(into_corner, np.arange(2, frames + 2), OFFSETS)
    assert (seen[..., 0] == seen[..., 1]).all(), "the two axes turn back in the same frame"
    assert np.array_equal(seen, positions(out_of_corner, np.arange(2, frames + 2), OFFSETS))


def test_reflection_by_hand():
    points = np.array([0, 3, 4, 5, 7, 8, 9, -1, -2, -5, 11])
    assert reflect(points, 4).tolist() == [0, 3, 3, 2, 0, 0, 1, 0, 1, 3, 3]


def test_starts_and_directions_are_uniform():
    motion = motions(40_000)
    assert all(stats.kstest(motion.start[:, axis] / LENGTH, "uniform").pvalue > 1e-3 for axis in (0, 1))
    angle = np.arctan2(motion.velocity[:, 0], motion.velocity[:, 1]) / (2 * np.pi) % 1.0
    assert stats.kstest(angle, "uniform").pvalue > 1e-3


def test_positions_stay_uniform_in_every_frame():
    places = positions(motions(40_000), np.array([1, 2, 7, 20, 1000]), OFFSETS)
    for frame in range(places.shape[1]):
        row, column = (places[:, frame] // POINTS_PER_PIXEL).T
        counts = np.histogram2d(row, column, bins=OFFSETS, range=[[0, OFFSETS]] * 2)[0]
        assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_sine_and_cosine_agree_with_numpy():
    angle = np.linspace(0, np.pi / 2, 10_001)
    sine, cosine = quarter_circle(angle)
    assert np.abs(sine - np.sin(angle)).max() < 1e-15
    assert np.abs(cosine - np.cos(angle)).max() < 1e-15


@given(st.integers(1, OFFSETS))
def test_cells_tile_the_square_and_points_drawn_in_a_cell_lie_in_it(grid):
    cell = np.arange(grid * grid)
    for word in (0, 2**31, 2**32 - 1):
        words = np.full((len(cell), 2), word, dtype=np.uint64)
        points = cell_points(cell, words, OFFSETS, grid)
        assert np.array_equal(cells(points, OFFSETS, grid), cell)
    edges = cell_points(cell, np.zeros((len(cell), 2), dtype=np.uint64), OFFSETS, grid)
    sizes = np.diff(np.append(np.unique(edges[:, 0]), LENGTH))
    assert sizes.max() - sizes.min() <= 1
