"""Every critic scores on the meta device: a tensor that is left on the CPU raises without a GPU at hand."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mitools.estimators import critics
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.critics import mine_protocol_critic, networks
from mitools.estimators.critics.class_posterior import ClassPosteriorBase
from mitools.estimators.critics.conditional_densities import BlindConditional, GaussianConditional
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic
from mitools.estimators.critics.networks import (
    BilinearCritic,
    BlindCritic,
    InnerProductCritic,
    JointCritic,
    ProjectionCritic,
    SeparableCritic,
)
from mitools.estimators.critics.row_norm import (
    ColumnsWithSize,
    MappedCritic,
    RowSize,
    SmoothCritic,
    VariatesWithSize,
)
from mitools.estimators.critics.student_copula import StudentCopulaBase
from mitools.estimators.critics.with_baseline import WithBaseline, WithU

N, M, D = 6, 4, 3
HIDDEN = (5,)


def on_meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


X, Y, PAIRED = on_meta(N, D), on_meta(M, D), on_meta(N, D)


def rows(n: int = 200) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(0))


def copula() -> GaussianCopulaBase:
    return GaussianCopulaBase.fit(rows(), rows().flip(1))


def posterior() -> CalibratedPosterior:
    features, labels = rows().numpy(), np.arange(200) % 2
    return CalibratedPosterior().fit(features, labels, features[:50], labels[:50], np.full(2, 0.5))


def separable() -> SeparableCritic:
    return SeparableCritic(D, D, HIDDEN)


CRITICS: dict[str, Callable[[], nn.Module]] = {
    "class_posterior.ClassPosteriorBase": lambda: ClassPosteriorBase(posterior()),
    "conditional_densities.BlindConditional": BlindConditional,
    "conditional_densities.GaussianConditional": lambda: GaussianConditional(D, D, HIDDEN),
    "corrected.CorrectedCritic": lambda: CorrectedCritic(copula(), separable()),
    "gaussian_copula.GaussianCopulaBase": copula,
    "networks.BilinearCritic": lambda: BilinearCritic(D, D),
    "networks.BlindCritic": BlindCritic,
    "networks.InnerProductCritic": lambda: InnerProductCritic(D, D, cosine=True),
    "networks.JointCritic": lambda: JointCritic(D, D, HIDDEN),
    "networks.ProjectionCritic": lambda: ProjectionCritic(D, D, HIDDEN),
    "networks.SeparableCritic": separable,
    "row_norm.MappedCritic": lambda: MappedCritic(
        SmoothCritic(D + 1, D + 1, HIDDEN), VariatesWithSize(rows(), None), VariatesWithSize(rows(), None)
    ),
    "row_norm.SmoothCritic": lambda: SmoothCritic(D, D, HIDDEN),
    "student_copula.StudentCopulaBase": lambda: StudentCopulaBase.fit(rows(), rows().flip(1), copula()),
    "with_baseline.WithBaseline": lambda: WithBaseline(separable(), D, D, HIDDEN),
    "with_baseline.WithU": lambda: WithU(separable(), D, D, HIDDEN),
}
"""Made on the CPU, where some are fitted, and moved: all that a critic scores by must move with it."""

MAPS: dict[str, Callable[[], nn.Module]] = {
    "row_norm.ColumnsWithSize": lambda: ColumnsWithSize(rows()),
    "row_norm.RowSize": lambda: RowSize(rows()),
    "row_norm.VariatesWithSize": lambda: VariatesWithSize(rows(), rows(D)[:, :2]),
}
"""What a critic sees rows through."""

OF_PAIRS = ("of_pairs", "u")
"""What some critics answer of n pairs: shape (n,)."""


FUNCTIONS: dict[str, tuple[Callable[[], nn.Module], Callable[[Any], Any]]] = {
    "mine_protocol_critic.ProtocolCritic": (
        lambda: ProtocolCritic(D, D, 5),
        lambda critic: (critic(X, PAIRED), *critic.joint_and_permuted(X, PAIRED)),
    ),
    "mine_protocol_critic.mine_objective": (
        lambda: ProtocolCritic(D, D, 5),
        lambda critic: mine_protocol_critic.mine_objective(critic, X, PAIRED, on_meta()),
    ),
    "mine_protocol_critic.read_rotations": (
        lambda: ProtocolCritic(D, D, 5),
        lambda critic: mine_protocol_critic.read_rotations(critic, X, PAIRED, 2),
    ),
    "networks.embedded": (separable, lambda critic: networks.embedded(critic, [X, X], [Y])[1:]),
    "networks.mlp": (lambda: networks.mlp([D, 5, 2]), lambda network: network(X)),
    "networks.start_at_zero": (separable, lambda critic: networks.start_at_zero(critic)(X, Y)),
}
"""What a function is given, moved to the device, and the call."""

NOT_TENSORS = {
    "conditional_densities.AdditiveGaussianNoise": "a density over NumPy arrays, as a caller states one",
    "conditional_densities.KnownCritic": "asks a caller's density, which takes NumPy arrays",
    "conditional_densities.ridge": "a regression of NumPy arrays, for where a density starts",
}
"""What sees no tensor of a device, and why."""


def test_no_critic_is_forgotten(public_members_of: Callable[[ModuleType], set[str]]) -> None:
    assert {*CRITICS, *MAPS, *FUNCTIONS, *NOT_TENSORS} == public_members_of(critics)


@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_scores_on_the_device_of_its_rows(name: str, one_device: Any) -> None:
    critic = CRITICS[name]().to("meta")
    with one_device():
        scores = critic(X, Y)
    assert (scores.shape, scores.is_meta) == ((N, M), True)
    for answer in OF_PAIRS:
        if hasattr(critic, answer):
            with one_device():
                found = getattr(critic, answer)(X, PAIRED)
            assert (found.shape, found.is_meta) == ((N,), True)
    for answer, of in (("divergence", X), ("baseline", X)):
        if hasattr(critic, answer):
            with one_device():
                found = getattr(critic, answer)(of)
            assert (found.shape, found.is_meta) == ((N,), True)


@pytest.mark.parametrize("name", [name for name in CRITICS if "Blind" not in name])
def test_a_critic_learns_on_the_device_of_its_rows(name: str, one_device: Any) -> None:
    critic = CRITICS[name]().to("meta")
    parameters = list(critic.parameters())
    with one_device():
        total = critic(X, Y).sum()
    if parameters:
        gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        assert all(gradient is None or gradient.is_meta for gradient in gradients)


@pytest.mark.parametrize("name", MAPS)
def test_a_map_of_rows_stays_on_their_device(name: str, one_device: Any) -> None:
    seen = MAPS[name]().to("meta")
    with one_device():
        found = seen(X)
    assert (len(found), found.is_meta) == (N, True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_stays_on_the_device_of_its_rows(
    name: str, one_device: Any, without_values: Callable[[ModuleType], None]
) -> None:
    without_values(critics)
    make, call = FUNCTIONS[name]
    network = make().to("meta")
    with one_device():
        found = call(network)
    for value in found if isinstance(found, tuple) else (found,):
        assert value.is_meta
