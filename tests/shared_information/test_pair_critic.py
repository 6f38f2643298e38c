"""Two critics are weighted by what they say of pairs that neither was fitted to."""

import math

import pytest
import torch

from mitools.estimators.bounds.infonce import infonce
from mitools.shared_information.pair_critic import PairCritic, fit_pair_critic

SHARES = torch.tensor([0.25, 0.25, 0.5])


def rows(n, seed, embedding=2):
    """Random embeddings that say nothing, and labels that are certain and alike on both sides."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(SHARES, n, replacement=True, generator=generator)
    certain = torch.nn.functional.one_hot(labels, 3).float() * 0.97 + 0.01
    x, y = (torch.randn(n, embedding, generator=generator) for _ in range(2))
    return torch.cat([x, certain], 1), torch.cat([y, certain], 1)


def test_the_scores_are_those_written_out():
    x, y = rows(3, 0)
    critic = PairCritic(2, SHARES, (0.5, 2.0))
    for i in range(3):
        for j in range(3):
            inner = float(x[i, :2] @ y[j, :2])
            ratio = sum(float(x[i, 2 + c] * y[j, 2 + c] / SHARES[c]) for c in range(3))
            assert float(critic(x, y)[i, j]) == pytest.approx(0.5 * inner + 2 * math.log(ratio), abs=1e-5)


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
    assert float(infonce(critic(x, y))) > float(infonce(PairCritic(1, SHARES)(x, y))) + 0.1
