"""Contrastive temporal coding against its equations written out, on a bank of five samples."""

import math

import pytest
import torch
from torch import Tensor

from mitools.training.losses import cross_entropy, ctc_infonce
from mitools.training.memory.ctc_bank import CTCBank, KeptRows

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


def bank_of(kept: Tensor, negatives: int | None = None) -> CTCBank:
    bank = CTCBank(N, WIDTH, negatives, seed=0).double()
    bank.update(torch.arange(N), kept, momentum=0.0)
    return bank


def test_stage_one_is_equations_3_and_5() -> None:
    queries, kept = rows(1, K), rows(2, N)
    infonce = ctc_infonce(queries, *bank_of(kept)(ITEMS, 0), temperature=0.5)
    classified = cross_entropy(LOGITS, LABELS)
    expected = written_out(queries, kept, 0.5)
    assert (classified + 0.3 * infonce).item() == pytest.approx(CROSS_ENTROPY + 0.3 * expected, rel=1e-12)
    assert infonce.item() == pytest.approx(expected, rel=1e-12)
    assert classified.item() == pytest.approx(CROSS_ENTROPY, rel=1e-12)


def test_stage_two_is_equations_4_and_6() -> None:
    """The positive key is what the frozen network makes of this view, and stands in the sum in its place."""
    queries, earlier, keys = rows(1, K), rows(2, N), rows(3, K)
    bank = bank_of(earlier)
    bank.update(ITEMS, keys, momentum=0.0)
    loss = cross_entropy(LOGITS, LABELS) + 2.0 * ctc_infonce(queries, *bank(ITEMS, 0), temperature=0.4)
    now = earlier.clone()
    now[ITEMS] = keys
    assert loss.item() == pytest.approx(CROSS_ENTROPY + 2.0 * written_out(queries, now, 0.4), rel=1e-12)


def test_sampled_negatives_are_those_drawn_without_ones_own() -> None:
    queries, kept = rows(1, K), rows(2, N)
    bank = bank_of(kept, negatives=3)
    found: KeptRows = bank(ITEMS, 7)
    drawn = bank.draw(3, (0, 6, 7)).tolist()
    assert len(set(drawn)) == 3
    assert set(drawn) & set(ITEMS.tolist()), "or leaving out one's own is not tried"
    for k, (query, item) in enumerate(zip(queries, ITEMS.tolist(), strict=True)):
        one = slice(k, k + 1)
        value = ctc_infonce(queries[one], found.keys[one], found.others, found.is_own[one], 0.5)
        positive = math.exp(cosine(query, kept[item]) / 0.5)
        others = sum(math.exp(cosine(query, kept[j]) / 0.5) for j in drawn if j != item)
        assert value.item() == pytest.approx(-math.log(positive / (positive + others)), rel=1e-12)


def test_all_samples_drawn_are_all_samples() -> None:
    queries, kept = rows(1, K), rows(2, N)
    every: KeptRows = bank_of(kept)(ITEMS, 0)
    order = torch.tensor([3, 1, 4, 0, 2])
    same = KeptRows(every.keys, bank_of(kept).rows[order], ITEMS[:, None] == order)
    torch.testing.assert_close(
        ctc_infonce(queries, *every, temperature=0.5), ctc_infonce(queries, *same, temperature=0.5)
    )


def test_a_step_down_the_gradient_lowers_the_loss() -> None:
    queries, kept = rows(1, K).requires_grad_(), rows(2, N)
    found: KeptRows = bank_of(kept)(ITEMS, 0)
    before = ctc_infonce(queries, *found, temperature=0.5)
    before.backward()
    assert queries.grad is not None
    moved = (queries - 0.1 * queries.grad).detach()
    assert ctc_infonce(moved, *found, temperature=0.5).item() < before.item()
