"""Two critics are weighted by what they say of pairs that neither was fitted to."""

import math

import pytest
import torch

from mitools.estimators.bounds.infonce import infonce
from mitools.shared_information.pair_critic import PairCritic, fit_pair_critic

SHARES = torch.tensor([0.25, 0.25, 0.5])
TABLE = torch.tensor([[2.0, 0.5, 0.75], [0.5, 2.0, 0.75], [1.0, 1.0, 1.0]])


def rows(n, seed, embedding=2):
    """Random embeddings that say nothing, and labels that are certain and alike on both sides."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(SHARES, n, replacement=True, generator=generator)
    certain = torch.nn.functional.one_hot(labels, 3).float() * 0.97 + 0.01
    x, y = (torch.randn(n, embedding, generator=generator) for _ in range(2))
    return torch.cat([x, certain], 1), torch.cat([y, certain], 1)


def test_the_scores_are_those_written_out():
    x, y = rows(3, 0)
    unbounded = PairCritic(2, SHARES, TABLE, (0.5, 2.0, 0.25))
    bounded = PairCritic(2, SHARES, TABLE, (0.5, 2.0, 0.25), -1.0, 2.0)
    for i in range(3):
        for j in range(3):
            inner = float(x[i, :2] @ y[j, :2])
            ratio = sum(float(x[i, 2 + c] * y[j, 2 + c] / SHARES[c]) for c in range(3))
            met = sum(float(x[i, 2 + c] * TABLE[c, d] * y[j, 2 + d]) for c in range(3) for d in range(3))
            score = 0.5 * inner + 2 * math.log(ratio) + 0.25 * math.log(met)
            assert float(unbounded(x, y)[i, j]) == pytest.approx(score, abs=1e-5)
            kept = math.log(math.exp(-1) + 1 / (math.exp(-score) + math.exp(-2)))
            assert float(bounded(x, y)[i, j]) == pytest.approx(kept, abs=1e-5)


def test_embeddings_that_say_nothing_get_no_weight_and_labels_give_their_entropy():
    critic = fit_pair_critic(*rows(800, 1), 2, SHARES)
    x, y = rows(2000, 2)
    entropy = -float((SHARES * SHARES.log()).sum())
    assert abs(critic.weights[0]) < 0.1
    assert float(infonce(critic(x, y))) == pytest.approx(entropy, abs=0.03)


def test_embeddings_that_are_too_sure_are_scaled_down():
    generator = torch.Generator().manual_seed(3)
    signal = torch.randn(600, 1, generator=generator)
    noisy = 0.6 * signal + 0.8 * torch.randn(600, 1, generator=generator)
    blind = torch.full((600, 3), 1 / 3)
    x, y = torch.cat([5 * signal, blind], 1), torch.cat([5 * noisy, blind], 1)
    critic = fit_pair_critic(x, y, 1, SHARES)
    assert 0 < critic.weights[0] < 0.2
    assert float(infonce(critic(x, y))) > float(infonce(PairCritic(1, SHARES, TABLE)(x, y))) + 0.1


def test_views_that_share_half_of_the_label_read_its_bit():
    """Of four labels the views agree in which half it is; each view hesitates within the half."""
    generator = torch.Generator().manual_seed(4)
    shares = torch.full((4,), 0.25)

    def hesitant(n, halves):
        own = torch.rand(n, 1, generator=generator)
        wrong = torch.full((n, 2), 0.005)
        right = torch.cat([own, 1 - own], 1) * 0.99
        first = torch.cat([right, wrong], 1)
        return torch.where(halves[:, None] == 0, first, first.flip(1))

    def pairs(n):
        halves = torch.randint(0, 2, (n,), generator=generator)
        blind = torch.zeros(n, 1)
        return tuple(torch.cat([blind, hesitant(n, halves)], 1) for _ in range(2))

    critic = fit_pair_critic(*pairs(400), 1, shares)
    x, y = pairs(2000)
    assert float(infonce(critic(x, y))) == pytest.approx(math.log(2), abs=0.01)
    # By the labels' own critic, as sharp as it may be, agreement in the half is read as less.
    alone = PairCritic(1, shares, critic.table, (0.0, 1.0, 0.0))
    assert float(infonce(alone(x, y))) < math.log(2) - 0.03


def test_strong_dependence_of_embeddings_is_not_cut_off():
    """20 columns of correlation 0.95: the bounds cost little beside the best weight of the inner product."""
    generator = torch.Generator().manual_seed(5)

    def pairs(n):
        x, noise = (torch.randn(n, 20, generator=generator) for _ in range(2))
        blind = torch.full((n, 3), 1 / 3)
        y = 0.95 * x + math.sqrt(1 - 0.95**2) * noise
        return torch.cat([x, blind], 1), torch.cat([y, blind], 1)

    critic = fit_pair_critic(*pairs(600), 20, SHARES)
    x, y = pairs(1000)
    best = max(float(infonce(weight * x[:, :20] @ y[:, :20].T)) for weight in torch.linspace(0.2, 4, 39))
    assert best > 6
    assert float(infonce(critic(x, y))) > best - 0.06


def test_what_is_told_apart_in_every_pair_keeps_finite_weights():
    x, y = rows(60, 6)
    x[:, :2], y[:, :2] = 50 * x[:, :2], 50 * x[:, :2]
    critic = fit_pair_critic(x, y, 2, SHARES)
    assert all(abs(value) < 100 for value in (*critic.weights, critic.low, critic.high))


def test_a_table_of_many_labels_that_have_nothing_in_common_costs_nothing():
    """One bit of the embeddings is shared; of 100 labels each view guesses its own, with certainty."""
    generator = torch.Generator().manual_seed(7)
    shares = torch.full((100,), 0.01)

    def pairs(n):
        sign = torch.randint(0, 2, (n, 1), generator=generator) * 2.0 - 1.0
        sides = []
        for _ in range(2):
            guess = torch.nn.functional.one_hot(torch.randint(0, 100, (n,), generator=generator), 100)
            noisy = sign + 0.3 * torch.randn(n, 1, generator=generator)
            sides.append(torch.cat([noisy, 0.9 * guess + 0.001], 1))
        return tuple(sides)

    critic = fit_pair_critic(*pairs(400), 1, shares)
    x, y = pairs(1000)
    alone = max(float(infonce(weight * x[:, :1] @ y[:, :1].T)) for weight in torch.linspace(0.2, 4, 39))
    assert alone > 0.4
    assert float(infonce(critic(x, y))) > alone - 0.05
