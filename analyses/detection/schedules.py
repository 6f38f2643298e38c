"""How long and how fast detectors are trained: the papers' schedules."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mitools.core.recipes import Recipe

Count = Annotated[int, Field(ge=1)]


class ScheduleRecipe(Recipe):
    """Stochastic gradient descent with momentum; the rate rises linearly, then falls in steps.

    Attributes
    ----------
    iterations, batch_size
        Steps, and images a step.
    learning_rate
        At its highest.
    drops
        Iterations at which the rate falls to a tenth.
    warmup
        Iterations over which it rises, from a thousandth.
    momentum, weight_decay
        Of the descent.
    clip
        Norm to which gradients are cut; None for none.
    """

    iterations: Count
    batch_size: Count = 16
    learning_rate: Annotated[float, Field(gt=0)] = 0.02
    drops: tuple[Count, ...] = ()
    warmup: Annotated[int, Field(ge=0)] = 1000
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    clip: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _drops_in_order(self) -> "ScheduleRecipe":
        if list(self.drops) != sorted(set(self.drops)) or (self.drops and self.drops[-1] >= self.iterations):
            raise ValueError(f"drops {self.drops} must rise and lie below iterations {self.iterations}")
        return self

    def rate(self, iteration: int) -> float:
        """Give the learning rate of an iteration, counted from 0.

        Examples
        --------
        >>> schedule = SCHEDULES["1x"]
        >>> [round(schedule.rate(at), 5) for at in (0, 500, 1000, 60_000, 80_000)]
        [2e-05, 0.01001, 0.02, 0.002, 0.0002]
        """
        rising = 1.0
        if iteration < self.warmup:
            share = iteration / self.warmup
            rising = 1e-3 * (1 - share) + share
        return self.learning_rate * rising * 0.1 ** sum(iteration >= drop for drop in self.drops)


SCHEDULES = {
    "1x": ScheduleRecipe(iterations=90_000, drops=(60_000, 80_000)),
    "2x": ScheduleRecipe(iterations=180_000, drops=(120_000, 160_000)),
    "6x": ScheduleRecipe(iterations=540_000, drops=(480_000, 520_000)),
    "1x_ctc": ScheduleRecipe(iterations=180_000, drops=(120_000, 160_000)),
    "1x_imsvd": ScheduleRecipe(iterations=90_000, drops=(60_000, 80_000), learning_rate=0.1),
    "voc_24k": ScheduleRecipe(iterations=24_000, drops=(18_000, 22_000), warmup=100),
}
"""Schedules of the papers' tables, 16 images a step.

``1x``, ``2x`` and ``6x``: detectron2's, of InfoMin's Tables 2 and 7 to 13 (6x: He et al. 2019, whose rate
falls 60,000 and 20,000 iterations before the end). ``1x_ctc``: Cui et al. 2022, appendix to Section 5.3, who
call 180,000 iterations 1x. ``1x_imsvd``: Niu et al. 2024, Section IV. ``voc_24k``: InfoMin's Table 3, drops
and warm-up as in MoCo (He et al. 2020), whose setting it takes.
"""

ScheduleName = Literal["1x", "2x", "6x", "1x_ctc", "1x_imsvd", "voc_24k"]
