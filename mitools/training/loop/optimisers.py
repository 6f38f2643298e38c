"""Optimisers and the learning rate of every step."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from mitools.training.recipes import OptimiserRecipe


class LARS(torch.optim.Optimizer):
    """Layer-wise adaptive rates for large batches (You et al. 2017): SGD in steps that each layer allows.

    A matrix or kernel moves by ``rate * trust * |w| / |g + decay w|`` times its momentum; biases and norms
    (without weight decay) move as under plain SGD.

    Parameters
    ----------
    params
        Groups with their ``weight_decay``.
    lr, momentum
        As for SGD.
    trust
        The coefficient in front of the ratio of norms.
    """

    def __init__(self, params: Any, lr: float, momentum: float = 0.9, trust: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                if weight.ndim > 1:
                    own, theirs = weight.norm(), gradient.norm()
                    ratio = group["trust"] * own / theirs
                    gradient = gradient * torch.where((own > 0) & (theirs > 0), ratio, 1.0)
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                state["momentum_buffer"].mul_(group["momentum"]).add_(gradient)
                weight.sub_(state["momentum_buffer"], alpha=group["lr"])


RATE_FACTOR = "rate_factor"
"""The key of a group of weights that move at another rate than the recipe's."""


def make_optimiser(
    network: nn.Module, recipe: OptimiserRecipe, rate_factors: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Make the optimiser of a recipe; biases and norms are not decayed.

    On a CPU all weights of a group move in one operation instead of several a weight: of small networks a
    step is made of little else.

    Parameters
    ----------
    network
        What is trained.
    recipe
        Its name and settings.
    rate_factors
        By the name of a part of the network, by what the recipe's rate is multiplied for its weights.
    """
    weights = [p for p in network.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = []
    for factor, some in _by_rate(network, rate_factors or {}).items():
        own = {} if factor == 1 else {RATE_FACTOR: factor}
        decayed, others = [p for p in some if p.ndim > 1], [p for p in some if p.ndim <= 1]
        groups += [
            {"params": decayed, "weight_decay": recipe.weight_decay, **own},
            {"params": others, "weight_decay": 0.0, **own},
        ]
    groups = [group for group in groups if group["params"]]
    rate, fused = recipe.learning_rate, all(p.device.type == "cpu" for p in weights) or None
    match recipe.name:
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=fused)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, fused=fused)
        case "lars":
            return LARS(groups, lr=rate, momentum=recipe.momentum)


def _by_rate(network: nn.Module, factors: Mapping[str, float]) -> dict[float, list[nn.Parameter]]:
    """Sort the weights that are trained by the factor of their rate, that of 1 first."""
    found: dict[float, list[nn.Parameter]] = {1.0: []}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            found.setdefault(factors.get(name.partition(".")[0], 1.0), []).append(weight)
    return found


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of a step; groups with a factor move at that many times the rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get(RATE_FACTOR, 1.0)


def learning_rate(recipe: OptimiserRecipe, step: int, steps: int, steps_per_epoch: int) -> float:
    """Give the learning rate of a step: a linear warm-up, then the schedule.

    Parameters
    ----------
    recipe
        The highest rate, the warm-up and the schedule.
    step
        From 0, where the schedule starts.
    steps, steps_per_epoch
        Of the whole schedule, and of an epoch.
    """
    warmup = round(recipe.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    if recipe.schedule == "constant":
        return recipe.learning_rate
    share = (step - warmup) / max(1, steps - warmup)
    return max(recipe.least_rate, recipe.learning_rate * (1 + math.cos(math.pi * share)) / 2)
