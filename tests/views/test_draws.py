"""Counter-based random numbers: the published test vectors, uniformity, and that place alone decides."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from mitools.views.draws import _philox, uniform_draws

ITEMS = np.arange(20_000)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([2**32 - 1] * 4, 2**64 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0A4093822,
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_words_are_those_of_the_known_answers_of_random123(
    counter: list[int], key: int, words: list[int]
) -> None:
    assert _philox(np.array(counter, dtype=np.uint64), key).tolist() == words


def test_an_items_numbers_do_not_depend_on_the_batch() -> None:
    together = uniform_draws(5, ITEMS, 1, 7)
    order = np.random.default_rng(0).permutation(len(ITEMS))
    assert torch.equal(uniform_draws(5, ITEMS[order], 1, 7), together[torch.from_numpy(order)])
    assert torch.equal(uniform_draws(5, ITEMS[11:12], 1, 7), together[11:12])
    assert torch.equal(uniform_draws(5, ITEMS, 1, 3), together[:, :3])


def test_seed_item_and_view_each_change_every_number() -> None:
    base, n = uniform_draws(0, ITEMS, 0, 4), 4 * len(ITEMS)
    for other in (
        uniform_draws(1, ITEMS, 0, 4),
        uniform_draws(0, ITEMS + len(ITEMS), 0, 4),
        uniform_draws(0, ITEMS + 2**32, 0, 4),
        uniform_draws(0, ITEMS, 1, 4),
    ):
        assert int((other == base).sum()) < 10  # of 80,000 pairs about 0.005 agree in 24 bits by chance
        assert abs(float(torch.corrcoef(torch.stack([base.ravel(), other.ravel()]))[0, 1])) < 4 / np.sqrt(n)


@pytest.mark.parametrize("count", [1, 4, 13])
def test_numbers_are_uniform_and_independent(count: int) -> None:
    draws = uniform_draws(3, ITEMS, 0, count)
    assert draws.dtype == torch.float32
    assert float(draws.min()) >= 0
    assert float(draws.max()) < 1
    for column in draws.T:
        assert kstest(column.numpy(), "uniform").pvalue > 1e-4
    # Neighbouring numbers of an item, and neighbouring items, fill the square evenly.
    pairs = [draws[:-1, 0], draws[1:, 0]] if count == 1 else [draws[:, 0], draws[:, -1]]
    cells = (8 * pairs[0]).long() * 8 + (8 * pairs[1]).long()
    assert chisquare(torch.bincount(cells, minlength=64).numpy()).pvalue > 1e-4


def test_no_numbers_are_no_numbers() -> None:
    assert uniform_draws(0, ITEMS[:3], 0, 0).shape == (3, 0)
    assert uniform_draws(0, ITEMS[:0], 0, 5).shape == (0, 5)
