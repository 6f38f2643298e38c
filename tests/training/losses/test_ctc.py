"""Contrastive temporal coding against its equations written out, on a bank of five samples."""

import math

import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.training.losses.ctc import TemporalContrast, against_kept
from mitools.training.memory.ctc_bank import InformationBank
from mitools.training.methods.base import Embedded, Kept
from mitools.training.recipes import CTCRecipe

N, K, WIDTH = 5, 3, 4
ITEMS = torch.tensor([4, 0, 2])
LABELS = torch.tensor([0, 1, 1])
LOGITS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.5]], dtype=torch.float64)
CROSS_ENTROPY = sum(
    math.log(sum(math.exp(value) for value in row)) - row[label]
    for row, label in zip(LOGITS.tolist(), LABELS.tolist(), strict=True)
) / K  # fmt: skip


def rows(seed: int, count: int) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosine(a: Tensor, b: Tensor) -> float:
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)) / (
        math.hypot(*a.tolist()) * math.hypot(*b.tolist())
    )


def written_out(queries: Tensor, kept: Tensor, temperature: float) -> float:
    """Eqs. 3 and 4: the mean over the batch of -log(exp(t_i v_i) / sum over all N of exp(t_i v_j))."""
    losses = []
    for query, item in zip(queries, ITEMS.tolist(), strict=True):
        shares = [math.exp(cosine(query, other) / temperature) for other in kept]
        losses.append(-math.log(shares[item] / sum(shares)))
    return sum(losses) / len(losses)


def bank_of(kept: Tensor, recipe: CTCRecipe | None = None) -> InformationBank:
    bank = InformationBank(recipe or CTCRecipe(), N, WIDTH, seed=0)
    bank.memory.rows = torch.zeros(N, WIDTH, dtype=torch.float64)
    bank.memory.update(torch.arange(N), kept, momentum=0.0)
    return bank


def told(queries: Tensor, bank: InformationBank, keys: Tensor | None = None, step: int = 0) -> Embedded:
    """Lay beside a batch what a network, and in stage two the frozen one, make of its images."""
    views = torch.cat([LOGITS, queries, *([] if keys is None else [keys])], dim=1)
    return bank.beside(Embedded(views[None], LABELS), ITEMS, step)


def kept_of(queries: Tensor, bank: InformationBank, keys: Tensor | None = None, step: int = 0) -> Kept:
    kept = told(queries, bank, keys, step).kept
    assert kept is not None
    return kept


def test_stage_one_is_equations_3_and_5() -> None:
    queries, kept = rows(1, K), rows(2, N)
    loss = TemporalContrast(math.log(2), weight=0.3, temperature=0.5)(told(queries, bank_of(kept)))
    infonce = written_out(queries, kept, 0.5)
    assert loss.value.item() == pytest.approx(CROSS_ENTROPY + 0.3 * infonce, rel=1e-12)
    assert loss.terms["infonce"].item() == pytest.approx(infonce, rel=1e-12)
    assert loss.terms["cross_entropy"].item() == pytest.approx(CROSS_ENTROPY, rel=1e-12)
    assert loss.nats is not None
    assert loss.nats.item() == pytest.approx(math.log(2) - CROSS_ENTROPY, rel=1e-9)


def test_stage_two_is_equations_4_and_6() -> None:
    """The positive key is what the frozen network makes of this view, and stands in the sum in its place."""
    queries, earlier, keys = rows(1, K), rows(2, N), rows(3, K)
    bank = bank_of(earlier)
    bank.freeze(torch.nn.Identity())
    loss = TemporalContrast(1.0, weight=2.0, temperature=0.4)(told(queries, bank, keys))
    now = earlier.clone()
    now[ITEMS] = keys
    assert loss.value.item() == pytest.approx(CROSS_ENTROPY + 2.0 * written_out(queries, now, 0.4), rel=1e-12)


def test_sampled_negatives_are_those_drawn_without_ones_own() -> None:
    queries, kept = rows(1, K), rows(2, N)
    bank = bank_of(kept, CTCRecipe(negatives=3))
    found = kept_of(queries, bank, step=7)
    drawn = bank.memory.draw(3, (0, 6, 7)).tolist()
    assert len(set(drawn)) == 3
    assert set(drawn) & set(ITEMS.tolist()), "or leaving out one's own is not tried"
    for value, query, item in zip(against_kept(found, 0.5), queries, ITEMS.tolist(), strict=True):
        positive = math.exp(cosine(query, kept[item]) / 0.5)
        others = sum(math.exp(cosine(query, kept[j]) / 0.5) for j in drawn if j != item)
        assert value.item() == pytest.approx(-math.log(positive / (positive + others)), rel=1e-12)


def test_all_samples_drawn_are_all_samples() -> None:
    queries, kept = rows(1, K), rows(2, N)
    every = kept_of(queries, bank_of(kept))
    drawn = bank_of(kept)
    order = torch.tensor([3, 1, 4, 0, 2])
    same = Kept(queries, every.keys, drawn.memory.rows[order], ITEMS[:, None] == order)
    torch.testing.assert_close(against_kept(every, 0.5), against_kept(same, 0.5))


def test_only_the_network_gets_a_gradient() -> None:
    queries, kept = rows(1, K).requires_grad_(), rows(2, N)
    bank = bank_of(kept)
    network = torch.nn.Linear(6, WIDTH, dtype=torch.float64)
    bank.freeze(network)
    assert bank.frozen is not None
    before = {name: value.clone() for name, value in bank.frozen.state_dict().items()}
    found = kept_of(queries, bank, bank.keys(torch.ones(K, 6, dtype=torch.float64)))
    against_kept(found, 0.4).mean().backward()
    assert queries.grad is not None
    assert queries.grad.abs().sum() > 0
    assert not found.keys.requires_grad
    assert not found.others.requires_grad
    assert all(weight.grad is None and not weight.requires_grad for weight in bank.frozen.parameters())
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in bank.frozen.state_dict().items())


def test_a_step_down_the_gradient_lowers_the_loss() -> None:
    queries, kept = rows(1, K).requires_grad_(), rows(2, N)
    found = kept_of(queries, bank_of(kept))
    before = against_kept(found, 0.5).mean()
    before.backward()
    assert queries.grad is not None
    moved = found._replace(queries=(queries - 0.1 * queries.grad).detach())
    assert against_kept(moved, 0.5).mean().item() < before.item()


def test_without_a_bank_the_objective_says_so() -> None:
    with pytest.raises(InputError, match="representations kept"):
        TemporalContrast(1.0, 0.1, 0.5)(Embedded(LOGITS[None], LABELS))
