"""What critics see beside the columns: sizes that stay within bounds, and a network that starts at zero."""

import torch

from mitools.estimators.critics.row_norm import (
    ColumnsWithSize,
    MappedCritic,
    RowSize,
    SmoothCritic,
    VariatesWithSize,
)

ROWS = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))


def test_sizes_are_standardised_increasing_and_bounded():
    size = RowSize(ROWS)
    found = size(ROWS)
    assert found.shape == (500, 1)
    assert abs(found.mean()) < 0.05
    assert 0.9 < found.std() < 1.05
    scaled = torch.cat([size(factor * ROWS[:1]) for factor in (0.0, 0.5, 1.0, 2.0, 1e6)]).squeeze()
    assert (scaled.diff() > 0).all()
    assert scaled.abs().max() <= 3


def test_columns_times_size():
    found = ColumnsWithSize(ROWS)(ROWS)
    assert found.shape == (500, 7)
    torch.testing.assert_close(found[:, 4:], found[:, :3] * found[:, 3:4])
    assert ColumnsWithSize(ROWS[:, :1])(ROWS[:, :1]).shape == (500, 2)


def test_equal_rows_have_size_zero():
    assert (RowSize(torch.ones(10, 2))(torch.ones(10, 2)) == 0).all()


def test_variates_are_combinations_and_the_size():
    directions = torch.eye(3)[:, :2]
    seen = VariatesWithSize(ROWS, directions)
    assert seen(ROWS).shape == (500, seen.width) == (500, 3)
    torch.testing.assert_close(seen(ROWS)[:, :2], ROWS[:, :2])
    assert VariatesWithSize(ROWS, None)(ROWS).shape == (500, 4)


def test_the_network_starts_at_zero_and_learns_from_there():
    critic = SmoothCritic(3, 2, (8, 8))
    scores = critic(ROWS, ROWS[:, :2])
    assert (scores == 0).all()
    (scores * torch.randn(500, 500)).sum().backward()
    assert any(parameter.grad.abs().max() > 0 for parameter in critic.parameters())


def test_it_can_score_what_depends_on_one_side_alone():
    critic = SmoothCritic(1, 1, (4,), embedding=2)
    with torch.no_grad():
        critic.embed_x[-1].bias[2] = 3.0
        critic.embed_y[-1].bias[2] = -1.0
    torch.testing.assert_close(critic(ROWS[:4, :1], ROWS[:5, :1]), torch.full((4, 5), 2.0))


def test_a_critic_through_maps():
    inner = SmoothCritic(4, 4, (4,))
    with torch.no_grad():
        inner.embed_y[-1].bias.fill_(1.0)
    maps = VariatesWithSize(ROWS, None), VariatesWithSize(ROWS[:50], None)
    found = MappedCritic(inner, *maps)(ROWS, ROWS[:50])
    torch.testing.assert_close(found, inner(maps[0](ROWS), maps[1](ROWS[:50])))
    assert found.shape == (500, 50)
