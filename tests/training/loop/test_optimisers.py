"""Optimisers and schedules against their formulas."""

import math

import pytest
import torch

from mitools.training.loop.optimisers import LARS, learning_rate, make_optimiser
from mitools.training.recipes import OptimiserRecipe


def test_lars_moves_as_its_formula_says() -> None:
    weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    optimiser = LARS([{"params": [weight], "weight_decay": 0.1}], lr=0.5, momentum=0.9, trust=0.01)
    expected, velocity = weight.detach().clone(), torch.zeros(1, 2, dtype=torch.float64)
    for gradient in ([[1.0, 0.0]], [[0.0, 2.0]]):
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        pull = weight.grad + 0.1 * expected
        velocity = 0.9 * velocity + 0.01 * expected.norm() / pull.norm() * pull
        expected = expected - 0.5 * velocity
    torch.testing.assert_close(weight.detach(), expected)


def test_lars_moves_biases_plainly() -> None:
    bias = torch.nn.Parameter(torch.tensor([1.0]))
    bias.grad = torch.tensor([2.0])
    LARS([bias], lr=0.1).step()
    assert float(bias.detach()) == pytest.approx(0.8)


@pytest.mark.parametrize(("name", "kind"), [("sgd", "SGD"), ("adamw", "AdamW"), ("lars", "LARS")])
def test_biases_and_norms_are_not_decayed(name: str, kind: str) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    optimiser = make_optimiser(network, OptimiserRecipe(name=name, weight_decay=0.1))
    assert type(optimiser).__name__ == kind
    decay = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in network.parameters()] == [0.1, 0, 0, 0]


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_on_a_cpu_a_step_is_one_operation_and_moves_as_torchs_own(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    network = torch.nn.Linear(7, 5)
    twin = torch.nn.Linear(7, 5)
    twin.load_state_dict(network.state_dict())
    ours = make_optimiser(network, OptimiserRecipe(name=name, learning_rate=0.01, weight_decay=0.1))
    assert all(group["fused"] for group in ours.param_groups)
    settings = {"lr": 0.01, "weight_decay": 0.1} | ({"momentum": 0.9} if name == "sgd" else {})
    kind = torch.optim.SGD if name == "sgd" else torch.optim.AdamW
    plain = [kind([twin.weight], **settings), kind([twin.bias], **settings | {"weight_decay": 0.0})]
    for _ in range(20):
        images = torch.randn(3, 7, generator=generator)
        for module, optimisers in ((network, [ours]), (twin, plain)):
            module.zero_grad()
            module(images).square().sum().backward()
            for optimiser in optimisers:
                optimiser.step()
    torch.testing.assert_close(network.weight, twin.weight)
    torch.testing.assert_close(network.bias, twin.bias)


def test_the_rate_warms_up_and_falls_as_a_cosine() -> None:
    recipe = OptimiserRecipe(learning_rate=2.0, warmup_epochs=2)
    rates = [learning_rate(recipe, step, 100, 5) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (k + 1) for k in range(10)])
    assert rates[10] == pytest.approx(2.0)
    assert rates[55] == pytest.approx(1 + math.cos(math.pi / 2))
    assert rates[99] < 0.01
    constant = recipe.model_copy(update={"schedule": "constant"})
    assert learning_rate(constant, 99, 100, 5) == 2.0


def test_a_cosine_does_not_fall_below_the_least_rate() -> None:
    recipe = OptimiserRecipe(learning_rate=0.05, least_rate=0.01)
    rates = [learning_rate(recipe, step, 200, 1) for step in range(200)]
    free = [0.05 * (1 + math.cos(math.pi * step / 200)) / 2 for step in range(200)]
    assert rates == pytest.approx([max(rate, 0.01) for rate in free])
    assert min(free) < 0.01 == min(rates)
