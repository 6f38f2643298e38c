"""The methods that train a critic: what a step maximises, and how the number is read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.estimate import Kind
from mitools.estimators.bounds.alpha_tuba import alpha_tuba, read_alpha_tuba
from mitools.estimators.bounds.donsker_varadhan import donsker_varadhan, mine_surrogate, read_donsker_varadhan
from mitools.estimators.bounds.flo import flo, read_flo
from mitools.estimators.bounds.infonce import (
    ceiling_in_blocks,
    infonce,
    pairs_in_block,
    read_infonce_in_blocks,
)
from mitools.estimators.bounds.jensen_shannon import jensen_shannon, read_jensen_shannon
from mitools.estimators.bounds.nt_xent import nt_xent, read_nt_xent
from mitools.estimators.bounds.nwj import nwj, read_nwj
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.bounds.smile import read_smile
from mitools.estimators.critics.with_baseline import WithBaseline, WithU

CriticObjective = Callable[[nn.Module, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
ReadBound = Callable[[Any, Tensor, Tensor, bool, Tensor | None], Reading]
WrapCritic = Callable[[nn.Module, int, int, Sequence[int]], nn.Module]

MINE_RATE = 0.01
"""Weight of a new batch in MINE's moving average."""

ALPHA_TUBA_SHARE = 0.5
"""Share of InfoNCE in alpha-TUBA."""

SMILE_CLIP = 5.0
"""SMILE's tau, in nats."""


def _as_it_is(critic: nn.Module, d_x: int, d_y: int, hidden: Sequence[int]) -> nn.Module:
    return critic


def _uncapped(n: int) -> float | None:
    return None


def _all(n: int) -> int:
    return n


@dataclass(frozen=True)
class CriticMethod:
    """What a step maximises, and how the number is read.

    Attributes
    ----------
    objective
        A pure function: critic, x, y and a memory -> what a training step maximises, and the memory for
        the next step. The memory is a scalar, NaN at the first step, which most objectives hand back as
        it came.
    read
        Reads the bound over a whole part: critic, x, y, the pairing's ``diagonal_is_marginal``, and the group
        of every pair, shape (n,), or None where every pair stands alone. Pairs of one group depend on each
        other, and are not each other's sample of the product.
    kind
        What the read number is.
    ceiling
        The most that n pairs can read, in nats, or None.
    together
        How many of n pairs are read together, as each other's product of the marginals.
    one_space
        Whether x is scored against x too, so that x and y must have the same dimension.
    wrap
        Adds what the method learns beside the critic: critic, d_x, d_y and widths of hidden layers -> a
        module that scores like the critic.
    select
        What is read on *select* instead: a number that is not a bound is no guide,
        since a critic too sure of itself may raise it.
    sampled_normaliser
        Whether the read number is a bound by a mean of ``exp f`` over the product, that n pairs may be too
        few for: see :mod:`mitools.estimators.bounds.guard`.
    record
        The method's own constants, as JSON values.
    """

    objective: CriticObjective
    read: ReadBound
    kind: Kind
    ceiling: Callable[[int], float | None] = _uncapped
    together: Callable[[int], int] = _all
    one_space: bool = False
    wrap: WrapCritic = _as_it_is
    select: ReadBound | None = None
    sampled_normaliser: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)

    def read_select(
        self, critic: Any, x: Tensor, y: Tensor, diagonal_is_marginal: bool, groups: Tensor | None
    ) -> Reading:
        """Read what fitting is stopped by on *select*; arguments as for ``read``."""
        return (self.select or self.read)(critic, x, y, diagonal_is_marginal, groups)

    def by_infonce(self) -> "CriticMethod":
        """Give the method with its critic read by InfoNCE, which n pairs can always carry."""
        return replace(
            self,
            read=read_infonce_in_blocks,
            ceiling=ceiling_in_blocks,
            together=pairs_in_block,
            sampled_normaliser=False,
        )


def _of_scores(bound: Callable[[Tensor], Tensor]) -> CriticObjective:
    """Maximise a bound on the score matrix itself."""
    return lambda critic, x, y, memory: (bound(critic(x, y)), memory)


def _nwj(scores: Tensor) -> Tensor:
    """NWJ with f = 1 + the score, so that every method's score tends to the log density ratio."""
    return nwj(1 + scores)


def _nt_xent(critic: Any, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    if getattr(critic, "sides_alike", False):
        # Each view is embedded once: scored as it is, every one would be embedded three times.
        x, y = critic.embed(x, 0), critic.embed(y, 1)
        return nt_xent(x @ y.T, x @ x.T, y @ y.T), memory
    return nt_xent(critic(x, y), critic(x, x), critic(y, y)), memory


def _flo(critic: Any, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    scores = critic(x, y)
    return flo(scores, critic.u(x, y) - scores.diagonal()), memory


def smile_method(clip: float) -> CriticMethod:
    """Return SMILE with another clip (tau); infinity is Donsker-Varadhan of a Jensen-Shannon critic."""
    if not clip > 0:
        raise InputError(f"SMILE's clip is {clip}, but it must be above 0")
    return CriticMethod(
        _of_scores(jensen_shannon),
        partial(read_smile, clip=clip),
        "point estimate",
        select=read_jensen_shannon,
        record={"clip": clip},
    )


def alpha_tuba_method(alpha: float) -> CriticMethod:
    """Return alpha-TUBA with another share of InfoNCE, in (0, 1): more lowers variance and ceiling."""
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}, but it must lie between 0 (take tuba) and 1 (take infonce)")
    return CriticMethod(
        _of_scores(partial(alpha_tuba, alpha=alpha)),
        partial(read_alpha_tuba, alpha=alpha),
        "lower bound",
        lambda n: 1 + math.log(n / alpha),
        wrap=WithBaseline,
        record={"alpha": alpha},
    )


VARIATIONAL_METHODS: dict[str, CriticMethod] = {
    "infonce": CriticMethod(
        _of_scores(infonce),
        read_infonce_in_blocks,
        "lower bound",
        ceiling_in_blocks,
        pairs_in_block,
    ),
    "nt_xent": CriticMethod(
        _nt_xent,
        read_nt_xent,
        "asymptotic lower bound",
        lambda n: math.log(2 * n - 1),
        one_space=True,
    ),
    "dv": CriticMethod(
        _of_scores(donsker_varadhan), read_donsker_varadhan, "lower bound", sampled_normaliser=True
    ),
    "mine": CriticMethod(
        lambda critic, x, y, memory: mine_surrogate(critic(x, y), memory, MINE_RATE),
        read_donsker_varadhan,
        "lower bound",
        sampled_normaliser=True,
        record={"moving_average_rate": MINE_RATE},
    ),
    "nwj": CriticMethod(_of_scores(_nwj), read_nwj, "lower bound", sampled_normaliser=True),
    "tuba": CriticMethod(
        _of_scores(_nwj), read_nwj, "lower bound", wrap=WithBaseline, sampled_normaliser=True
    ),
    "alpha_tuba": alpha_tuba_method(ALPHA_TUBA_SHARE),
    "js": CriticMethod(_of_scores(jensen_shannon), read_nwj, "lower bound", sampled_normaliser=True),
    "deep_infomax": CriticMethod(
        _of_scores(jensen_shannon),
        read_jensen_shannon,
        "point estimate",
        lambda n: 2 * math.log(2),
    ),
    "smile": smile_method(SMILE_CLIP),
    "flo": CriticMethod(_flo, read_flo, "lower bound", wrap=WithU, sampled_normaliser=True),
}
