"""Eight critics fitted together and one after another: ``pytest tests/benchmarks/test_many_critics.py``.

The ratio of the two medians of a group is what fitting together takes of the time. One after another, a
critic has all cores to itself, as torch deals them out.
"""

import pytest
import torch

from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.critics.networks import SeparableCritic
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.training_loop import Member, Schedule, fit_critics

CRITICS, ROWS, PAIRS = 8, 4000, 256

STEPS, LOOK_EVERY = 400, 50
"""As many as a default fit takes, and its rhythm of looks: few steps would show what setting up costs."""

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def member(seed, d, hidden, device):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, d, generator=generator)
    y = x + torch.randn(ROWS, d, generator=generator)
    x, y = x.to(device), y.to(device)

    def draw():
        chosen = torch.randint(ROWS, (PAIRS,), generator=generator).to(device)
        return x[chosen], y[chosen]

    start = SeparableCritic(d, d, (hidden,)).to(device)
    return Member(start, PAIRS, draw, lambda critic: read_infonce(critic, x[:PAIRS], y[:PAIRS]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("how", ["together", "one after another"])
@pytest.mark.parametrize(("d", "hidden"), [(512, 256), (64, 64)])
def test_eight_critics(benchmark, d, hidden, how, device):
    benchmark.group = f"eight critics, d={d}, hidden {hidden}, K={PAIRS}, {STEPS} steps, {device}"
    schedule = Schedule(1e-3, max_steps=STEPS, check_every=LOOK_EVERY, patience=STEPS, average=0.99)
    members = [member(seed, d, hidden, device) for seed in range(CRITICS)]
    batches = [members] if how == "together" else [[one] for one in members]

    def fit():
        objective = VARIATIONAL_METHODS["infonce"].objective
        return [
            fitted
            for some in batches
            for fitted in fit_critics(some, objective, schedule, torch.device(device))
        ]

    fit()
    fitted = benchmark.pedantic(fit, rounds=3, iterations=1)
    assert all(one.best.nats > one.start.nats for one in fitted)
