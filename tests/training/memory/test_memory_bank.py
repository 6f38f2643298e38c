"""The memory bank: every sample once, moved as stated, and filled before either stage."""

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.training.memory.ctc_bank import CTCBank
from mitools.training.memory.memory_bank import MemoryBank


def filled(samples: int = 6) -> MemoryBank:
    bank = MemoryBank(samples, 3)
    rows = torch.randn(samples, 3, generator=torch.Generator().manual_seed(0))
    bank.update(torch.arange(samples), rows, momentum=0.0)
    return bank


def test_a_seen_sample_moves_its_own_row_alone_by_the_momentum() -> None:
    bank = filled()
    before = bank.rows.clone()
    items, seen = torch.tensor([4, 1]), torch.tensor([[0.0, 0.0, 2.0], [3.0, 4.0, 0.0]])
    bank.update(items, seen, momentum=0.5)
    for item, unit in ((4, [0.0, 0.0, 1.0]), (1, [0.6, 0.8, 0.0])):
        halfway = 0.5 * before[item] + 0.5 * torch.tensor(unit)
        torch.testing.assert_close(bank.rows[item], halfway / halfway.norm())
    untouched = [0, 2, 3, 5]
    assert torch.equal(bank.rows[untouched], before[untouched])
    torch.testing.assert_close(bank.rows.norm(dim=1), torch.ones(6))
    assert len(bank) == 6


def test_momentum_0_replaces_and_a_gradient_does_not_enter() -> None:
    bank = filled()
    seen = torch.tensor([[0.0, 5.0, 0.0]], requires_grad=True)
    bank.update(torch.tensor([2]), seen, momentum=0.0)
    torch.testing.assert_close(bank.rows[2], torch.tensor([0.0, 1.0, 0.0]))
    assert not bank.rows.requires_grad


def test_draws_are_different_samples_each_as_likely() -> None:
    bank = filled(20)
    draws = torch.stack([bank.draw(5, (0, 6, step)) for step in range(2000)])
    assert all(len(set(draw.tolist())) == 5 for draw in draws[:50])
    counts = torch.bincount(draws.flatten(), minlength=20).double()
    # 2000 * 5 / 20 = 500 each, binomial with deviation sqrt(2000 * 0.25 * 0.75) = 19.
    assert (counts - 500).abs().max() < 5 * 19
    assert torch.equal(draws[3], bank.draw(5, (0, 6, 3)))
    assert not torch.equal(draws[3], draws[4])


def test_filling_gives_every_sample_the_row_of_its_own_image() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12)).train()
    nn.init.constant_(encoder[1].weight, 2.0)
    images = torch.randn(7, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    bank = MemoryBank(7, 12)
    order = torch.tensor([6, 2, 0, 5, 1, 4, 3])
    bank.fill(encoder, ((items, images[items]) for items in order.split(3)))
    expected = nn.functional.normalize(images.flatten(1), dim=1)
    torch.testing.assert_close(bank.rows, expected)


def test_the_rows_travel_with_the_module_that_holds_them() -> None:
    holder = nn.ModuleDict({"bank": filled()})
    other = nn.ModuleDict({"bank": MemoryBank(6, 3)})
    other.load_state_dict(holder.state_dict())
    assert torch.equal(other["bank"].rows, holder["bank"].rows)
    assert not list(holder.parameters()), "a row is no weight that an optimiser moves"


def test_more_negatives_than_other_samples_are_refused() -> None:
    CTCBank(4, 2, negatives=3)
    with pytest.raises(InputError, match="negatives 4 must be fewer than the data's 4 samples"):
        CTCBank(4, 2, negatives=4)
