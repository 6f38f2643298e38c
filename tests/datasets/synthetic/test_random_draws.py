import numpy as np
import pytest
from scipy import stats

from mitools.core.errors import InputError
from mitools.datasets.synthetic.random_draws import Draws, below, categorical, philox4x32, uniform

ITEMS = np.arange(20_000)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF,) * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, expected):
    counters = np.tile(np.array(counter, dtype=np.uint64), (3, 1))
    assert philox4x32(counters, key).tolist() == [expected] * 3


def test_words_depend_on_seed_part_stream_and_item_alone():
    draws = Draws(7, "train")
    whole = draws.words(ITEMS, stream=0, count=6)
    scattered = np.array([19_999, 3, 512])
    assert np.array_equal(draws.words(scattered, 0, 6), whole[scattered])
    assert np.array_equal(draws.words(ITEMS, 0, 2), whole[:, :2]), "fewer words are the first ones"
    others = [
        Draws(8, "train").words(ITEMS, 0, 6),
        Draws(7, "test").words(ITEMS, 0, 6),
        draws.words(ITEMS, 1, 6),
    ]
    assert all((other == whole).mean() < 1e-4 for other in others)


def test_large_seeds_and_indices_are_kept_apart():
    words = [
        Draws(seed, "train").words(np.array([item]), 0, 4)
        for seed in (1, 2**32 + 1)
        for item in (1, 2**32 + 1)
    ]
    assert len({w.tobytes() for w in words}) == 4


def test_whole_numbers_and_uniform_numbers_are_uniform():
    words = Draws(0, "train").words(ITEMS, 0, 3)
    counts = np.bincount(below(words[:, 0], 10), minlength=10)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.kstest(uniform(words[:, 1], words[:, 2]), "uniform").pvalue > 1e-3


def test_categorical_follows_its_table_and_never_draws_a_cell_of_probability_zero():
    table = np.array([0.0, 0.5, 0.0, 0.3, 0.2, 0.0])
    words = Draws(0, "train").words(ITEMS, 0, 2)
    u = uniform(words[:, 0], words[:, 1])
    counts = np.bincount(categorical(u, table), minlength=6)
    assert counts[[0, 2, 5]].sum() == 0
    assert stats.chisquare(counts[[1, 3, 4]], 20_000 * table[[1, 3, 4]]).pvalue > 1e-3
    assert np.array_equal(categorical(u, np.tile(table, (len(u), 1))), categorical(u, table))
    extremes = np.array([0.0, 1 - 2.0**-53])
    assert categorical(extremes, table).tolist() == [1, 4]


@pytest.mark.parametrize(("seed", "part"), [(-1, "train"), (2**64, "train"), (0, "validation")])
def test_bad_seed_or_part(seed, part):
    with pytest.raises(InputError, match=r"seed|part"):
        Draws(seed, part)
