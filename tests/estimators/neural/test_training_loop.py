"""The fitting loop: together or alone, when it stops and what it keeps."""

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import CRITICS, BlindCritic, start_at_zero
from mitools.estimators.neural import training_loop as fitting
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.training_loop import FittedCritic, Member, Schedule, fit_critics

CPU = torch.device("cpu")
SCHEDULE = Schedule(learning_rate=0.005, max_steps=120, check_every=20, patience=2, average=0.9)
PAIRS, BATCH = 300, 32

Look = Callable[[nn.Module], Reading]


def pairs(seed: int) -> tuple[Tensor, Tensor]:
    """Pairs in two dimensions that a Gaussian copula tells half of."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((PAIRS, 2))
    y = np.tanh(x + np.square(x) + 0.5 * rng.standard_normal((PAIRS, 2)))
    # In double precision: rounding in single, which Adam blows up, differs from processor to processor.
    return torch.from_numpy(x), torch.from_numpy(y)


def member(
    seed: int,
    critic: str = "separable",
    method: str = "infonce",
    base: bool = False,
    look: Look | None = None,
) -> Member:
    """A critic to fit on the pairs of a seed; `look` reads 100 further pairs where it is None."""
    x, y = pairs(seed)
    others = [side[:100] for side in pairs(seed + 1000)]
    with seeded(seed):
        start = CRITICS[critic](2, 2, hidden=(8,))
        if base:
            start = CorrectedCritic(GaussianCopulaBase.fit(x, y), start_at_zero(start))
        start = VARIATIONAL_METHODS[method].wrap(start, 2, 2, (8,)).double()
    rng = np.random.default_rng(seed)

    def draw() -> tuple[Tensor, Tensor]:
        chosen = torch.from_numpy(rng.choice(PAIRS, BATCH, replace=False))
        return x[chosen], y[chosen]

    def read(critic: nn.Module) -> Reading:
        return VARIATIONAL_METHODS[method].read(critic, *others, False)

    return Member(start, BATCH, draw, look or read)


def fit(
    members: Sequence[Member], method: str = "infonce", schedule: Schedule = SCHEDULE
) -> list[FittedCritic]:
    return fit_critics(members, VARIATIONAL_METHODS[method].objective, schedule, CPU)


def assert_same(together: FittedCritic, alone: FittedCritic) -> None:
    # Not the weights: InfoNCE does not see what a critic adds for an x alone, so that the gradient of such
    # a weight is rounding, which Adam blows up.
    assert (together.steps, together.still_rising) == (alone.steps, alone.still_rising)
    assert together.best.nats == pytest.approx(alone.best.nats, abs=1e-6)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread: for matrices as small as these a second one costs more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=[1, 2], ids=["one stream", "two streams"])
def streams(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(fitting, "stream_count", lambda device: request.param)
    return int(request.param)


@pytest.mark.parametrize(
    ("critic", "method", "base"),
    [
        ("separable", "infonce", False),
        ("separable", "infonce", True),
        ("separable", "mine", False),
        ("separable", "tuba", True),
        ("separable", "flo", False),
        ("projection", "nt_xent", False),
        ("bilinear", "dv", False),
        ("joint", "infonce", False),
    ],
)
def test_together_or_alone_gives_the_same_critic(critic: str, method: str, base: bool) -> None:
    brief = SCHEDULE._replace(max_steps=40)
    together = fit([member(k, critic, method, base) for k in range(3)], method, brief)
    for k in range(3):
        (alone,) = fit([member(k, critic, method, base)], method, brief)
        assert alone.best.nats > alone.start.nats + 0.01
        assert_same(together[k], alone)
        np.testing.assert_allclose(together[k].best.influence, alone.best.influence, atol=1e-6)


def test_critics_of_several_shapes_come_back_in_order(streams: int) -> None:
    critics = ["separable", "bilinear", "separable", "joint", "bilinear"]
    together = fit([member(k, critic) for k, critic in enumerate(critics)])
    for k, critic in enumerate(critics):
        (alone,) = fit([member(k, critic)])
        assert_same(together[k], alone)


@pytest.mark.parametrize("critic", ["separable", "joint"])
def test_small_critics_are_stacked_and_joint_ones_are_not(critic: str, streams: int) -> None:
    stacks = fitting._stacks([member(k, critic) for k in range(6)], CPU, streams)
    assert len(stacks) == (6 if critic == "joint" else streams)
    assert sorted(k for stack in stacks for k in stack) == list(range(6))


def test_an_accelerator_stacks_all_of_one_shape() -> None:
    members = [member(k, critic) for k, critic in enumerate(["joint", "bilinear", "joint"])]
    assert fitting._stacks(members, torch.device("cuda"), 1) == [[0, 2], [1]]


def scripted(values: Sequence[float]) -> tuple[Look, list[dict[str, Tensor]]]:
    """A look that reads given values one after another, and the weights it was shown."""
    shown: list[dict[str, Tensor]] = []
    remaining: Iterator[float] = iter(values)

    def look(critic: nn.Module) -> Reading:
        shown.append(copy.deepcopy(critic.state_dict()))
        return Reading(next(remaining), np.array([0.5, -0.5]))

    return look, shown


def test_a_settled_member_is_not_moved_by_those_that_go_on() -> None:
    settles, shown = scripted([0, 1, 3, 2, 2])
    rises, _ = scripted(range(9))
    settled, rising = fit([member(0, look=settles), member(1, look=rises)])
    assert (settled.steps, settled.still_rising) == (80, False)
    assert (rising.steps, rising.still_rising) == (120, True)
    for name, weight in settled.critic.state_dict().items():
        torch.testing.assert_close(weight, shown[2][name], rtol=0, atol=0)


@pytest.mark.parametrize("method", ["infonce", "mine"])
def test_a_member_that_goes_on_is_not_moved_by_those_that_settle(method: str) -> None:
    # Adam's moments and MINE's moving average must stay with their member as the stack shrinks.
    falling = [scripted(range(0, -9, -1))[0] for _ in range(2)]
    _, together, _ = fit(
        [member(0, look=falling[0]), member(1, method=method), member(2, look=falling[1])], method
    )
    (alone,) = fit([member(1, method=method)], method)
    assert alone.steps > 40
    assert_same(together, alone)


def test_the_start_is_kept_where_nothing_improves_on_it() -> None:
    falls, _ = scripted(range(0, -9, -1))
    falling = member(0, look=falls)
    (fitted,) = fit([falling])
    assert fitted.best is fitted.start
    assert fitted.steps == 40
    for name, weight in falling.start.state_dict().items():
        torch.testing.assert_close(fitted.critic.state_dict()[name], weight, rtol=0, atol=0)


def test_a_negligible_rise_is_kept_but_does_not_prolong_the_fit() -> None:
    # The scripted readings' standard error is 0.35.
    creeps, shown = scripted([0, 1, 1.001, 1.002, 1.003, 1.004, 1.005])
    (fitted,) = fit([member(0, look=creeps)])
    assert (fitted.steps, fitted.best.nats) == (60, 1.002)
    assert len(shown) == 4


def test_there_is_a_look_at_the_last_step() -> None:
    rises, shown = scripted(range(9))
    (fitted,) = fit([member(0, look=rises)], schedule=SCHEDULE._replace(max_steps=50))
    assert (fitted.steps, fitted.best.nats, fitted.still_rising) == (50, 3, True)
    assert len(shown) == 4


def test_a_critic_without_weights_is_read_and_not_fitted() -> None:
    (fitted,) = fit([member(0)._replace(start=BlindCritic())])
    assert (fitted.steps, fitted.still_rising) == (0, False)
    assert fitted.best.nats == pytest.approx(0, abs=1e-6)


def test_members_start_is_left_as_it_is() -> None:
    started = member(0)
    before = copy.deepcopy(started.start.state_dict())
    fit([started])
    for name, weight in started.start.state_dict().items():
        torch.testing.assert_close(weight, before[name], rtol=0, atol=0)


def test_scores_that_are_not_finite_are_an_error(streams: int) -> None:
    with pytest.raises(InputError, match="scores are not finite"):
        fit([member(k) for k in range(2)], schedule=SCHEDULE._replace(learning_rate=1e300))
