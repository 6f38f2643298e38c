"""Critics against their formulas."""

import math

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.estimators.bounds.donsker_varadhan import donsker_varadhan
from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.nt_xent import nt_xent
from mitools.estimators.critics import networks as critics
from mitools.estimators.critics.networks import (
    CRITICS,
    BilinearCritic,
    BlindCritic,
    InnerProductCritic,
    JointCritic,
    ProjectionCritic,
    SeparableCritic,
    mlp,
    start_at_zero,
)


@pytest.fixture(autouse=True)
def generator() -> torch.Generator:
    torch.manual_seed(0)
    return torch.default_generator


def test_an_mlp_has_relu_between_its_layers_and_none_at_its_end() -> None:
    kinds = [type(layer) for layer in mlp([3, 8, 8, 1])]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_the_joint_critic_is_one_network_over_concatenated_pairs() -> None:
    critic = JointCritic(3, 2, hidden=(16, 8)).double()
    first = nn.Linear(5, 16).double()
    with torch.no_grad():
        first.weight.copy_(torch.cat([critic.from_x.weight, critic.from_y.weight], dim=1))
        first.bias.copy_(critic.from_x.bias)
    network = nn.Sequential(first, nn.ReLU(), *critic.rest)
    x, y = torch.randn(6, 3).double(), torch.randn(4, 2).double()
    pairs = torch.cat([x[:, None].expand(6, 4, 3), y[None].expand(6, 4, 2)], dim=2)
    factored, plain = critic(x, y), network(pairs).squeeze(-1)
    torch.testing.assert_close(factored, plain, rtol=1e-12, atol=1e-14)
    for scores in (factored, plain):
        scores.square().sum().backward()
    gradient = torch.cat([critic.from_x.weight.grad, critic.from_y.weight.grad], dim=1)
    torch.testing.assert_close(gradient, first.weight.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("at_once", [1, 100, 1 << 24])
def test_the_joint_critic_scores_a_few_rows_at_a_time(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    critic = JointCritic(3, 2, hidden=(16, 8)).double()
    x, y = torch.randn(7, 3).double(), torch.randn(5, 2).double()
    expected = critic(x, y)
    sizes = []
    critic.rest.register_forward_pre_hook(lambda _, args: sizes.append(args[0].numel()))
    monkeypatch.setattr(critics, "HIDDEN_VALUES_AT_ONCE", at_once)
    torch.testing.assert_close(critic(x, y), expected, rtol=1e-12, atol=1e-14)
    with torch.no_grad():
        torch.testing.assert_close(critic(x, y), expected, rtol=1e-12, atol=1e-14)
    assert max(sizes) <= max(at_once, 5 * 16)
    assert sum(sizes) == 2 * 7 * 5 * 16


def test_the_separable_critic_is_an_inner_product() -> None:
    critic = SeparableCritic(3, 2, hidden=(16,), embedding=4).double()
    x, y = torch.randn(6, 3).double(), torch.randn(5, 2).double()
    scores = critic(x, y)
    assert scores.shape == (6, 5)
    for i in range(6):
        for j in range(5):
            inner = (critic.embed_x(x[i : i + 1]) * critic.embed_y(y[j : j + 1])).sum()
            assert scores[i, j].item() == pytest.approx(inner.item(), rel=1e-10)


def test_the_projection_critic_is_a_cosine_over_a_temperature() -> None:
    critic = ProjectionCritic(3, 3, hidden=(16,), embedding=4, temperature=0.2).double()
    x, y = torch.randn(6, 3).double(), torch.randn(5, 3).double()
    u, v = critic.head(x), critic.head(y)
    cosines = (u @ v.T) / (u.norm(dim=1)[:, None] * v.norm(dim=1))
    torch.testing.assert_close(critic(x, y), cosines / 0.2, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(critic(x, y), critic(y, x).T)
    assert critic(x, x).diagonal().min().item() == pytest.approx(5, rel=1e-6)


def test_the_bilinear_critic_is_a_matrix_between_x_and_y() -> None:
    critic = BilinearCritic(3, 2).double()
    x, y = torch.randn(6, 3).double(), torch.randn(5, 2).double()
    expected = torch.einsum("ia,ab,jb->ij", x, critic.last_layer.weight, y)
    torch.testing.assert_close(critic(x, y), expected, rtol=1e-12, atol=1e-14)


def test_the_inner_product_critic_takes_x_and_y_as_they_are() -> None:
    x, y = torch.randn(6, 4).double(), torch.randn(5, 4).double()
    plain, cosine = InnerProductCritic(4, 4).double(), InnerProductCritic(4, 4, cosine=True).double()
    torch.testing.assert_close(plain(x, y), x @ y.T / 4, rtol=1e-6, atol=1e-7)
    expected = 10 * nn.functional.cosine_similarity(x[:, None], y[None], dim=2)
    torch.testing.assert_close(cosine(x, y), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["inner_product", "cosine"])
def test_an_inner_product_needs_one_dimension(name: str) -> None:
    with pytest.raises(InputError, match="not of 3 and 2; take the bilinear"):
        CRITICS[name](3, 2, hidden=(8,))


@pytest.mark.parametrize("name", ["separable", "joint", "bilinear"])
def test_a_critic_that_starts_at_zero_scores_exactly_0_and_learns(name: str) -> None:
    critic = CRITICS[name](3, 2, hidden=(8, 8))
    assert start_at_zero(critic) is critic
    x, y = torch.randn(50, 3), torch.randn(50, 2)
    x[:, 0] = y[:, 0]
    assert not critic(x, y).any()
    optimiser = torch.optim.Adam(critic.parameters(), lr=0.02)
    for _ in range(50):
        optimiser.zero_grad()
        (-infonce(critic(x, y))).backward()
        optimiser.step()
    assert infonce(critic(x, y)).item() > 0.3


@pytest.mark.parametrize("name", ["inner_product", "cosine", "projection"])
def test_a_critic_of_fixed_length_cannot_start_at_zero(name: str) -> None:
    with pytest.raises(InputError, match="cannot start at 0"):
        start_at_zero(CRITICS[name](3, 3, hidden=(8,)))


@pytest.mark.parametrize("name", list(CRITICS))
def test_stacked_critics_score_as_each_alone(name: str) -> None:
    members = [CRITICS[name](3, 3, hidden=(8, 8)).double() for _ in range(3)]
    x, y = torch.randn(3, 6, 3).double(), torch.randn(3, 5, 3).double()
    parameters, buffers = torch.func.stack_module_state(members)
    together = torch.func.vmap(
        lambda state, x, y: torch.func.functional_call(members[0], state, (x, y)), in_dims=(0, 0, 0)
    )((parameters, buffers), x, y)
    alone = torch.stack([member(a, b) for member, a, b in zip(members, x, y, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-12)


def test_a_shared_head_refuses_views_of_different_dimension() -> None:
    with pytest.raises(InputError, match="3 and 2 dimensions"):
        ProjectionCritic(3, 2)


def test_every_bound_reads_nothing_by_the_blind_critic() -> None:
    x, y = torch.randn(6, 3), torch.randn(6, 2)
    scores = BlindCritic()(x, y)
    assert scores.shape == (6, 6)
    assert float(infonce(scores)) == pytest.approx(0, abs=1e-6)
    assert float(donsker_varadhan(scores)) == pytest.approx(0, abs=1e-6)
    assert float(nt_xent(scores, scores, scores)) == pytest.approx(0, abs=1e-6)
    assert torch.equal(BlindCritic().baseline(y), torch.zeros(6))
    assert torch.equal(BlindCritic().u(x, y), torch.zeros(6))


@pytest.mark.parametrize("name", list(CRITICS))
def test_every_critic_scores_every_x_against_every_y_and_learns(name: str) -> None:
    critic = CRITICS[name](3, 3, hidden=(8,))
    scores = critic(torch.randn(5, 3), torch.randn(4, 3))
    assert scores.shape == (5, 4)
    (-infonce(critic(torch.randn(5, 3), torch.randn(5, 3)))).backward()
    gradients = [parameter.grad for parameter in critic.parameters()]
    assert all(gradient is not None and math.isfinite(float(gradient.sum())) for gradient in gradients)
    assert any(float(gradient.abs().sum()) > 0 for gradient in gradients if gradient is not None)
