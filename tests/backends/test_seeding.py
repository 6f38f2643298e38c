from concurrent.futures import ThreadPoolExecutor

import torch

from mitools.backends import derive_seed, seeded


def test_a_block_draws_from_its_seed_and_disturbs_nobody():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with seeded(11):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(11)
    assert torch.equal(torch.rand(3), inside)


def test_threads_draw_what_each_would_alone():
    def draw(seed):
        with seeded(seed):
            return torch.cat([torch.rand(100) for _ in range(50)])

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, range(40)))
    assert all(torch.equal(found, draw(seed)) for seed, found in enumerate(together))


def test_derived_seeds_are_distinct_in_every_counter():
    seeds = {derive_seed(seed, item, view) for seed in range(5) for item in range(200) for view in range(5)}
    assert len(seeds) == 5000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, 23) != derive_seed(12, 3)


def test_derived_seeds_spread_over_their_whole_range():
    high = [derive_seed(0, item) >> 62 for item in range(4000)]
    assert abs(sum(high) / 4000 - 0.5) < 4 * 0.5 / 4000**0.5
