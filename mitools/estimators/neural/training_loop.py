"""The one fitting loop: critics trained on *train*, together where that is faster, stopped by *select*."""

import copy
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.optim.adam import adam

from mitools.backends.streams import in_streams, stream_count
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.networks import JointCritic
from mitools.estimators.neural.methods import CriticObjective

STACKED_UP_TO_PARAMETERS = 500_000
"""Parameters of a critic up to which several are trained as one stack on a CPU. Small ones spend their time
between operations, which a stack shares; large ones in matrix products, which it makes no faster, and
whose values it drives out of the cache. Eight critics, 256 pairs a step, on two cores, took of the time of
one after another (on both cores): of 17,000 parameters 0.50 in stacks and 0.97 alone, of 178,000 0.64 and
0.85, of 296,000 0.73 and 0.77, of 1,100,000 1.14 and 0.96."""

NEGLIGIBLE_RISE_STDERRS = 0.05
"""Standard errors of a reading of *select* by which it must be better for the value to count as rising. In
trials a third of the steps of easy problems brought less, and their end was left to chance."""


class Schedule(NamedTuple):
    """How long and how fast to fit: see :class:`.VariationalEstimator`."""

    learning_rate: float
    max_steps: int
    check_every: int
    patience: int
    average: float


class Member(NamedTuple):
    """One critic to fit.

    Attributes
    ----------
    start
        The critic before its first step; it is left as it is.
    batch_size
        Pairs that `draw` gives.
    draw
        Draws a training batch: x, shape (batch_size, d_x), and y, shape (batch_size, d_y), row i paired
        with row i.
    read_select
        Reads a critic on *select*.
    """

    start: nn.Module
    batch_size: int
    draw: Callable[[], tuple[Tensor, Tensor]]
    read_select: Callable[[nn.Module], Reading]


class FittedCritic(NamedTuple):
    """A critic as it was when it read most on *select*.

    Attributes
    ----------
    critic
        With the running average of the weights.
    best, start
        What *select* read of it, and of the critic before its first step.
    steps
        Steps made, those after the best reading included.
    still_rising
        Whether the steps ended before *select* had settled.
    """

    critic: nn.Module
    best: Reading
    start: Reading
    steps: int
    still_rising: bool


def fit_critics(
    members: Sequence[Member], objective: CriticObjective, schedule: Schedule, device: torch.device
) -> list[FittedCritic]:
    """Fit critics, each as if it were alone: none depends on its company but by rounding.

    Critics of one shape are stacked, so that a step of all of them is one pass (one matrix product of
    three axes in place of many of two). On an accelerator a stack holds them all. On a CPU there is a
    stack for each core, which computes with one thread: cores that share an operation wait for each
    other after each one. Critics of more than `STACKED_UP_TO_PARAMETERS` train one by
    one there, and so do joint ones, which hold values for every pair (a stack of four takes 1.4 of the time).

    Parameters
    ----------
    members
        Of any shapes.
    objective
        What a step maximises; see :class:`mitools.estimators.neural.methods.CriticMethod`.
    schedule
        The same for all.
    device
        Where the members' tensors are.

    Returns
    -------
    list of FittedCritic
        In the members' order.

    Raises
    ------
    InputError
        When a score is not finite.
    """
    streams = stream_count(device)
    stacks = _stacks(members, device, streams)

    def fit(stack: list[int]) -> list[FittedCritic]:
        return _fit_stack([members[k] for k in stack], objective, schedule)

    if device.type == "cpu":
        # In streams even where there is one: they take denormal numbers for zero.
        fitted = list(in_streams(fit, stacks, max(1, min(streams, len(stacks)))))
    else:
        fitted = [fit(stack) for stack in stacks]
    by_member = dict(zip(chain(*stacks), chain(*fitted), strict=True))
    return [by_member[k] for k in range(len(members))]


def _stacks(members: Sequence[Member], device: torch.device, streams: int) -> list[list[int]]:
    shapes: dict[Hashable, list[int]] = {}
    for k, member in enumerate(members):
        shapes.setdefault(_shape(member), []).append(k)
    stacks: list[list[int]] = []
    for alike in shapes.values():
        parts = 1
        if device.type == "cpu":
            parts = min(streams, len(alike)) if _gains_by_stacking(members[alike[0]].start) else len(alike)
        stacks += [alike[k::parts] for k in range(parts)]
    return stacks


def _gains_by_stacking(critic: nn.Module) -> bool:
    parameters = sum(weight.numel() for weight in critic.parameters())
    return parameters <= STACKED_UP_TO_PARAMETERS and not any(
        isinstance(part, JointCritic) for part in critic.modules()
    )


def _shape(member: Member) -> Hashable:
    values = member.start.state_dict().items()
    return member.batch_size, str(member.start), tuple((name, value.shape) for name, value in values)


def _fit_stack(
    members: Sequence[Member], objective: CriticObjective, schedule: Schedule
) -> list[FittedCritic]:
    stack = _Stack([member.start for member in members], objective, schedule)
    courses = [_Course(member) for member in members]
    rising = courses if stack.weights else []
    steps, enough = 0, schedule.patience * schedule.check_every
    while rising and steps < schedule.max_steps:
        until_check = min(schedule.check_every, schedule.max_steps - steps)
        with _fast_products(stack.device):
            for _ in range(until_check):
                stack.step([course.member.draw() for course in rising])
        steps += until_check
        for place, course in enumerate(rising):
            stack.copy_average(place, course.critic)
            course.check(steps)
        unsettled = [place for place, course in enumerate(rising) if steps - course.rose_at < enough]
        if len(unsettled) < len(rising):
            rising = [rising[place] for place in unsettled]
            stack.keep(unsettled)
    return [course.fitted(still_rising=course in rising) for course in courses]


@contextmanager
def _fast_products(device: torch.device) -> Iterator[None]:
    """Let a CUDA device multiply matrices in TF32; sums, softmax and every reading stay in float32."""
    before = torch.get_float32_matmul_precision()
    try:
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class _Course:
    """How the fitting of one member goes."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.critic = copy.deepcopy(member.start)
        self.start = self.best = self.settled_at = member.read_select(self.critic)
        self.kept = copy.deepcopy(self.critic)
        self.steps = self.rose_at = 0

    def check(self, steps: int) -> None:
        self.steps = steps
        reading = self.member.read_select(self.critic)
        if reading.nats > self.best.nats:
            self.kept, self.best = copy.deepcopy(self.critic), reading
        if reading.nats > self.settled_at.nats + NEGLIGIBLE_RISE_STDERRS * reading.stderr:
            self.settled_at, self.rose_at = reading, steps

    def fitted(self, still_rising: bool) -> FittedCritic:
        return FittedCritic(self.kept, self.best, self.start, self.steps, still_rising)


class _ObjectiveModule(nn.Module):
    """An objective as a module, so that its critic's weights can be replaced by those of any member."""

    def __init__(self, critic: nn.Module, objective: CriticObjective) -> None:
        super().__init__()
        self.critic = critic
        self.objective = objective

    def forward(self, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return self.objective(self.critic, x, y, memory)


class _Stack:
    """Critics of one shape in training: every tensor has the members along its first axis.

    Adam treats every number by itself, so that Adam of the stacked weights is an Adam for each member.
    """

    def __init__(self, critics: Sequence[nn.Module], objective: CriticObjective, schedule: Schedule) -> None:
        self.template = _ObjectiveModule(copy.deepcopy(critics[0]), objective)
        self.weights, self.buffers = stack_module_state([_ObjectiveModule(c, objective) for c in critics])
        self.averages = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.means, self.squares = ([torch.zeros_like(w) for w in self.weights.values()] for _ in range(2))
        self.device = next((weight.device for weight in self.weights.values()), torch.device("cpu"))
        self.counts = [torch.zeros((), device=self.device) for _ in self.weights]
        self.learning_rate, self.decay = schedule.learning_rate, schedule.average
        self.memory: Tensor | None = None

    def step(self, batches: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Make a step of every member, each on its own batch."""
        x, y = (torch.stack(side) for side in zip(*batches, strict=True))
        if self.memory is None:
            self.memory = x.new_full((len(x),), torch.nan)
        weights = list(self.weights.values())
        values, self.memory = self._objectives(x, y, self.memory)
        gradients = torch.autograd.grad(values.sum(), weights, allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            # The function and not the class, which imports torch's compiler (two seconds). Fused, it takes
            # a gradient's values in the order of memory, so that they must lie as the weights do.
            adam(
                weights,
                [gradient.contiguous() for gradient in gradients],
                self.means,
                self.squares,
                [],
                self.counts,
                fused=self.device.type in ("cpu", "cuda"),
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.learning_rate,
                weight_decay=0.0,
                eps=1e-8,
                maximize=True,
            )
            torch._foreach_lerp_(list(self.averages.values()), weights, 1 - self.decay)

    def _objectives(self, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        if len(x) > 1:
            return vmap(self._objective)(self.weights, self.buffers, x, y, memory)
        weights = {name: weight.squeeze(0) for name, weight in self.weights.items()}
        buffers = {name: buffer.squeeze(0) for name, buffer in self.buffers.items()}
        value, memory = self._objective(weights, buffers, x.squeeze(0), y.squeeze(0), memory.squeeze(0))
        return value[None], memory[None]

    def _objective(
        self, weights: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor]:
        return functional_call(self.template, (weights, buffers), (x, y, memory))

    @torch.no_grad()
    def copy_average(self, place: int, critic: nn.Module) -> None:
        """Copy a member's running average of the weights into a critic."""
        for name, weight in critic.named_parameters():
            weight.copy_(self.averages[f"critic.{name}"][place])

    @torch.no_grad()
    def keep(self, places: list[int]) -> None:
        """Go on with these members alone."""
        self.weights = {name: weight[places].requires_grad_() for name, weight in self.weights.items()}
        self.averages = {name: average[places] for name, average in self.averages.items()}
        self.buffers = {name: buffer[places] for name, buffer in self.buffers.items()}
        self.means = [mean[places] for mean in self.means]
        self.squares = [square[places] for square in self.squares]
        self.memory = None if self.memory is None else self.memory[places]
