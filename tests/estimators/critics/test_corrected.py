"""A closed form that a network corrects."""

import numpy as np
import pytest
import torch

from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import JointCritic, SeparableCritic, start_at_zero


def drawn(joint, n, seed=0):
    x, y = joint.draw(n, np.random.default_rng(seed))
    return x.astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize("network", [SeparableCritic, JointCritic])
def test_a_network_at_zero_leaves_the_base_and_learns(network):
    x, y = (torch.from_numpy(side) for side in drawn(Gaussian.dense(2, 2, 0.7), 200))
    base = GaussianCopulaBase.fit(x, y)
    critic = CorrectedCritic(base, start_at_zero(network(2, 2, (8,))))
    assert torch.equal(critic(x, y), base(x, y))
    infonce(critic(x, y)).backward()
    assert any(parameter.grad.any() for parameter in critic.parameters())
