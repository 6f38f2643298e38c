"""The protocol's critic: its factored first layer, its step and its reading."""

import pytest
import torch

from mitools.estimators.bounds.donsker_varadhan import mine_surrogate
from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic, mine_objective, read_rotations


def test_factored_scores_are_those_of_the_concatenated_network():
    critic = ProtocolCritic(7, 3, hidden=16).double()
    x, y = torch.randn(9, 7).double(), torch.randn(9, 3).double()
    joint, apart = critic.joint_and_permuted(x, y)
    torch.testing.assert_close(critic(x, y), joint)
    first = torch.cat([critic.from_x.weight, critic.from_y.weight], dim=1)

    def written_out(x, y):
        return critic.rest(torch.relu(torch.cat([x, y], dim=1) @ first.T + critic.from_x.bias)).squeeze(-1)

    torch.testing.assert_close(joint, written_out(x, y))
    torch.testing.assert_close(apart, written_out(x, y.roll(1, 0)))


def test_weights_start_as_one_layer_of_all_inputs_does():
    critic = ProtocolCritic(90, 10, hidden=400)
    for weight in (critic.from_x.weight, critic.from_y.weight):
        assert 0.095 < weight.abs().max() <= 100**-0.5


def test_a_step_maximises_what_mine_does():
    """The value and the gradient are those of the surrogate on a score matrix with the same entries."""
    critic = ProtocolCritic(4, 2, hidden=8)
    x, y = torch.randn(2, 4), torch.randn(2, 2)
    memory = torch.tensor(0.3)
    value, moved = mine_objective(critic, x, y, memory)
    value.backward()
    own = critic.from_x.weight.grad.clone()
    critic.zero_grad()
    joint, apart = critic.joint_and_permuted(x, y)
    scores = torch.stack([torch.stack([joint[0], apart[0]]), torch.stack([apart[1], joint[1]])])
    expected, expected_memory = mine_surrogate(scores, memory, 0.01)
    expected.backward()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(moved, expected_memory)
    torch.testing.assert_close(own, critic.from_x.weight.grad)


def test_reading_is_donsker_varadhan_over_the_rotations():
    critic = ProtocolCritic(4, 2, hidden=8)
    x, y = torch.randn(7, 4), torch.randn(7, 2)
    reading = read_rotations(critic, x, y, 3)
    with torch.no_grad():
        joint = critic(x, y).double()
        apart = torch.cat([critic(x, y.roll(-shift, 0)) for shift in (1, 2, 3)]).double()
    assert reading.nats == pytest.approx(float(joint.mean() - apart.exp().mean().log()), abs=1e-6)
    assert reading.influence.mean() == pytest.approx(0, abs=1e-9)
    everything = read_rotations(critic, x, y, 100)
    with torch.no_grad():
        matrix = torch.stack([critic(x[i].expand(7, -1), y) for i in range(7)]).double()
    others = matrix[~torch.eye(7, dtype=torch.bool)]
    assert everything.nats == pytest.approx(float(joint.mean() - others.exp().mean().log()), abs=1e-6)
