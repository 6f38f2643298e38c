"""A step of MINE at the sizes of A.5: ``pytest tests/benchmarks/test_mine.py``.

3,072 + 512 inputs, batches of 1,000, four layers of 1,024. Ours shares the first layer of joint and
shuffled pairs; beside it the concatenated network runs over both. Counted in multiplications, the forward
pass can gain 1.47 (11.5 to 7.9 million a pair), and forward and backward 1.37 (27.3 to 19.9), as the
layers behind the first have nothing to share.

Ten checkpoints together and one after another: what fitting together takes of the time.
"""

import pytest
import torch
from torch import nn

from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic, mine_objective, read_rotations
from mitools.estimators.critics.networks import mlp
from mitools.estimators.neural.mine_protocol import fit_together
from mitools.estimators.neural.training_loop import Member, Schedule

D_X, D_T, BATCH, HIDDEN = 3072, 512, 1000, 1024
CHECKPOINTS, STEPS = 10, 5
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


class Concatenated(nn.Module):
    """The same network on [x; y], which is run once for either sort of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.network = mlp([D_X + D_T, HIDDEN, HIDDEN, HIDDEN, 1])

    def joint_and_permuted(self, x, y):
        joint, apart = (self.network(torch.cat([x, other], dim=1)).squeeze(-1) for other in (y, y.roll(1, 0)))
        return joint, apart


def finished(value):
    """Wait for the device, so that the time is that of the work."""
    if value.is_cuda:
        torch.cuda.synchronize()
    return value


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("who", ["factored", "two passes"])
@pytest.mark.parametrize("what", ["forward", "forward and backward"])
def test_step(benchmark, what, who, device):
    benchmark.group = f"MINE, {what}, {D_X} + {D_T} inputs, {BATCH} pairs, {device}"
    torch.manual_seed(0)
    critic = (ProtocolCritic(D_X, D_T) if who == "factored" else Concatenated()).to(device)
    x, y = torch.randn(BATCH, D_X, device=device), torch.randn(BATCH, D_T, device=device)
    memory = torch.tensor(0.0, device=device)

    def step():
        critic.zero_grad()
        value, _ = mine_objective(critic, x, y, memory)
        if what != "forward":
            value.backward()
        return finished(value)

    value = benchmark.pedantic(step, rounds=10, iterations=1, warmup_rounds=2)
    assert abs(float(value)) < 2


def member(seed, d_t, hidden, device):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2 * BATCH, D_X, generator=generator)
    t = (x[:, :d_t] + torch.randn(2 * BATCH, d_t, generator=generator)).to(device)
    x = x.to(device)

    def draw():
        chosen = torch.randperm(len(x), generator=generator)[:BATCH].to(device)
        return x[chosen], t[chosen]

    start = ProtocolCritic(D_X, d_t, hidden).to(device)
    return Member(start, BATCH, draw, lambda critic: read_rotations(critic, x[:BATCH], t[:BATCH], 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("how", ["together", "one after another"])
@pytest.mark.parametrize("hidden", [HIDDEN, 64])
def test_ten_checkpoints(benchmark, hidden, how, device):
    benchmark.group = f"MINE, {CHECKPOINTS} checkpoints, hidden {hidden}, {STEPS} steps, {device}"
    schedule = Schedule(1e-4, max_steps=STEPS, check_every=STEPS, patience=1, average=0.0)
    members = [member(seed, D_T, hidden, device) for seed in range(CHECKPOINTS)]
    batches = [members] if how == "together" else [[one] for one in members]

    def fit():
        return [fitted for some in batches for fitted in fit_together(some, schedule, torch.device(device))]

    fitted = benchmark.pedantic(fit, rounds=3, iterations=1, warmup_rounds=1)
    assert len(fitted) == CHECKPOINTS
