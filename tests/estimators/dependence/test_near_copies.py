"""Near copies are found where rows come from few images, subjects or clips, and nowhere else."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from mitools.estimators.dependence.near_copies import find_near_copies, near_copies_warning, partner_agreement
from mitools.estimators.inputs.row_table import RowTable

Rows = np.ndarray
Make = Callable[[np.random.Generator], Rows]


def repeated(groups: int, times: int, columns: int, rng: np.random.Generator) -> Rows:
    return np.repeat(rng.standard_normal((groups, columns)), times, axis=0)


def jittered(jitter: float) -> Make:
    def make(rng: np.random.Generator) -> Rows:
        rows = repeated(300, 10, 64, rng)
        return rows + jitter * rng.standard_normal(rows.shape)

    return make


def recordings(rng: np.random.Generator) -> Rows:
    rows = repeated(200, 10, 512, rng)
    return rows + 1e-2 * rng.standard_normal(rows.shape)


def clips(rng: np.random.Generator) -> Rows:
    steps = np.cumsum(0.05 * rng.standard_normal((100, 20, 128)), axis=1)
    return (rng.standard_normal((100, 1, 128)) + steps).reshape(2000, 128)


def crops(rng: np.random.Generator) -> Rows:
    rows = repeated(500, 4, 64, rng)
    return rows + 0.3 * rng.standard_normal(rows.shape) * (rng.random(rows.shape) < 0.5)


def augmented_activations(rng: np.random.Generator) -> Rows:
    inputs = repeated(500, 3, 32, rng) + 0.05 * rng.standard_normal((1500, 32))
    return np.maximum(inputs @ rng.standard_normal((32, 256)) - 3, 0)


GROUPED: dict[str, Make] = {
    "jitter 1e-6": jittered(1e-6),
    "jitter 1e-3": jittered(1e-3),
    "jitter 1e-2": jittered(1e-2),
    "jitter 1e-1": jittered(1e-1),
    "recordings": recordings,
    "clips": clips,
    "crops": crops,
    "augmented activations": augmented_activations,
}


def normal(columns: int) -> Make:
    return lambda rng: rng.standard_normal((2000, columns))


def clusters(rng: np.random.Generator) -> Rows:
    return rng.standard_normal((10, 64))[rng.integers(0, 10, 2000)] + 0.01 * rng.standard_normal((2000, 64))


def curve(rng: np.random.Generator) -> Rows:
    return np.cos(5 * rng.random((2000, 1)) @ rng.standard_normal((1, 512)) + 6 * rng.random(512))


def surface(rng: np.random.Generator) -> Rows:
    return np.tanh(rng.standard_normal((2000, 5)) @ rng.standard_normal((5, 512)))


def sparse_activations(rng: np.random.Generator) -> Rows:
    return np.maximum(rng.standard_normal((2000, 32)) @ rng.standard_normal((32, 256)) - 6, 0)


SMOOTH: dict[str, Make] = {
    "normal 1": normal(1),
    "normal 2": normal(2),
    "normal 20": normal(20),
    "normal 512": normal(512),
    "clusters": clusters,
    "heavy tails": lambda rng: rng.standard_t(1, (2000, 64)),
    "log-normal": lambda rng: np.exp(2 * rng.standard_normal((2000, 16))),
    "curve": curve,
    "surface": surface,
    "sparse activations": sparse_activations,
    "hardly active": lambda rng: np.maximum(rng.standard_normal((2000, 64)) - 2, 0),
    "lattice": lambda rng: rng.integers(0, 10, (2000, 8)).astype(float),
    "bits": lambda rng: rng.integers(0, 2, (2000, 20)).astype(float),
    "one-hot": lambda rng: np.eye(50)[rng.integers(0, 50, 2000)],
    "rounded": lambda rng: np.round(rng.standard_normal((2000, 3)), 1),
    "category and number": lambda rng: np.c_[np.eye(10)[rng.integers(0, 10, 2000)], rng.random(2000)],
}


@pytest.mark.parametrize("name", GROUPED)
def test_groups_of_rows_are_found(name: str) -> None:
    rows = GROUPED[name](np.random.default_rng(0)).astype(np.float32)
    found = find_near_copies(rows)
    assert found.share > 0.5
    times = {"clips": 20, "crops": 4, "augmented activations": 3}.get(name, 10)
    assert (found.pairs[:, 0] // times == found.pairs[:, 1] // times).all()


@pytest.mark.parametrize("name", SMOOTH)
def test_rows_of_a_density_or_a_lattice_are_none(name: str) -> None:
    for seed in range(3):
        rows = SMOOTH[name](np.random.default_rng(seed)).astype(np.float32)
        assert find_near_copies(rows, seed=seed).share < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOOTH)
def test_twenty_seeds_of_a_density_or_a_lattice_raise_nothing(name: str) -> None:
    shares = [
        find_near_copies(SMOOTH[name](np.random.default_rng(seed)).astype(np.float32), seed=seed).share
        for seed in range(20)
    ]
    assert max(shares) < 0.02


def test_memory_does_not_grow_with_the_rows() -> None:
    peaks = []
    for n in (20_000, 100_000):
        rows = np.random.default_rng(0).standard_normal((n, 8), dtype=np.float32)
        tracemalloc.start()
        find_near_copies(RowTable(rows))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_few_pairs_among_many_rows() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((4000, 64))
    rows[:200] = rows[200:400] + 0.01 * rng.standard_normal((200, 64))
    assert abs(find_near_copies(rows).share - 0.1) < 0.03


def test_small_tight_classes_are_classes_where_labels_are_known() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 20)
    rows = rng.standard_normal((100, 64))[labels] + 0.001 * rng.standard_normal((2000, 64))
    assert find_near_copies(rows).share > 0.5
    assert find_near_copies(rows, labels).share == 0.0


def test_equal_rows_are_left_to_the_search_for_copies() -> None:
    rng = np.random.default_rng(0)
    assert find_near_copies(repeated(300, 10, 64, rng)).share == 0.0
    equal_and_near = np.concatenate([rows := repeated(300, 4, 64, rng), rows[::4] + 1e-3])
    assert find_near_copies(equal_and_near).share > 0.9


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_neither_order_nor_place_nor_chunks_count(offset: float) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([crops(rng), rng.standard_normal((20_000, 64))])
    rows = rng.permutation(rows).astype(np.float32) * np.float32(10) + np.float32(offset)
    found = find_near_copies(RowTable(rows))
    assert abs(found.share - 2000 / 22_000) < 0.03
    distances = np.linalg.norm(rows[found.pairs[:, 0]] - rows[found.pairs[:, 1]], axis=1)
    assert distances.max() < 50  # 10 times 0.3 sqrt(2 * 32) is 24; of unrelated rows it is 113


@pytest.mark.parametrize("labels", [True, False], ids=["labels", "numbers"])
def test_copies_with_a_y_of_their_own_are_measurements(labels: bool) -> None:
    rng = np.random.default_rng(0)
    rows = jittered(1e-2)(rng)
    if labels:
        one, fresh = np.repeat(rng.integers(0, 5, 300), 10), rng.integers(0, 5, 3000)
    else:
        one, fresh = np.repeat(rng.standard_normal((300, 2)), 10, axis=0), rng.standard_normal((3000, 2))
    warning = near_copies_warning(rows, one)
    assert warning is not None
    assert warning.word == "near_copies"
    assert "groups=" in warning.remedy
    assert near_copies_warning(rows, fresh) is None


def test_agreement_beyond_chance() -> None:
    labels = np.array([0, 0, 1, 1] * 50)
    first = np.arange(0, 200, 4)
    same, other = np.c_[first, first + 1], np.c_[first, first + 2]
    assert partner_agreement(same, labels) == 1.0
    assert partner_agreement(other, labels) == 0.0
    assert abs(partner_agreement(np.concatenate([same, same, same, other]), labels) - 0.5) < 1e-12


def test_few_rows_say_nothing() -> None:
    rows = repeated(50, 3, 64, np.random.default_rng(0))
    assert find_near_copies(rows + 1e-3 * np.random.default_rng(1).standard_normal(rows.shape)).share == 0.0
