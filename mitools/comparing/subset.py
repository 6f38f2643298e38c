"""The best pair of encoders, and the best few: chosen on *select*, reported on *report*."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from mitools.comparing.complement import combined
from mitools.comparing.encoder_set import EncoderSet
from mitools.comparing.label_reading import read_label, together
from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.progress import Advance, silent
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.inputs.splits import Parts, split

SUBSET_COLUMNS = (
    "chosen_as", "encoders", "added", "select_bits", "report_bits", "low_bits", "high_bits", "gain_bits",
    "gain_low_bits", "gain_high_bits",
)  # fmt: skip


def best_subsets(
    encoders: EncoderSet, k: int = 3, prior: Prior = "empirical", seed: int = 0, advance: Advance = silent
) -> pd.DataFrame:
    """Choose encoders that say most of the label together, one after another, and the best pair of all.

    What is best is decided by held-out bits on *select*, by classifiers fitted and calibrated within *train*.
    The chosen are then fitted to *train*, calibrated on *select* and read on *report*, once: a choice among
    many does not make its number too good.

    Parameters
    ----------
    encoders
        Two or more on the same items.
    k
        Encoders in the largest subset; at most as many as there are.
    prior, seed
        As for :func:`mitools.comparing.complement.complement`.
    advance
        Called with what is being done.

    Returns
    -------
    pandas.DataFrame
        One row a subset: :data:`SUBSET_COLUMNS`. ``chosen_as`` is ``greedy 1``, ``greedy 2``, ..., and ``best
        pair``; ``gain_bits`` is what the last one added to the greedy subset before it, and for the best pair
        what it has beyond ``greedy 1``, with paired intervals.

    Raises
    ------
    InputError
        When `k` is out of range, or a class is too small to be split again.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> colour, digit = rng.integers(0, 2, (2, 1000))
    >>> rows = {"colour": np.eye(2)[colour], "again": 3 * np.eye(2)[colour], "digit": np.eye(2)[digit]}
    >>> found = best_subsets(EncoderSet.of_arrays(rows, 2 * colour + digit), k=2)
    >>> found["encoders"].tolist()[1].count("digit"), found["report_bits"].round(1).tolist()
    (1, [1.0, 2.0, 2.0])
    """
    encoders.checked()
    names = list(encoders.rows)
    if not 1 <= k <= len(names):
        raise InputError(f"k={k}: a subset has 1 to {len(names)} of the {len(names)} encoders")
    chooser = _Chooser.of(encoders, prior, seed)
    chosen: list[str] = []
    subsets: list[tuple[str, tuple[str, ...], str]] = []
    for size in range(1, k + 1):
        advance(f"best {size}", size - 1, k + 1)
        left = [name for name in names if name not in chosen]
        best = max(left, key=lambda name: chooser.on_select((*chosen, name)))
        chosen.append(best)
        subsets.append((f"greedy {size}", tuple(chosen), best))
    advance("best pair", k, k + 1)
    pair = max(combinations(names, 2), key=chooser.on_select)
    subsets.append(("best pair", pair, ""))
    reported = {members: chooser.on_report(members) for _, members, _ in subsets}
    rows = []
    for place, (how, members, added) in enumerate(subsets):
        own, select = combined([(1, reported[members])]), nats_to_bits(chooser.on_select(members))
        before = subsets[0][1] if how == "best pair" else subsets[place - 1][1]
        gain: tuple[float | None, ...] = (None, None, None)
        if place > 0 and members != before:
            gain = combined([(1, reported[members]), (-1, reported[before])])[:3]
        numbers = [None if one is None else nats_to_bits(one) for one in (*own[:3], *gain)]
        rows.append((how, " + ".join(members), added, select, *numbers))
    return pd.DataFrame(rows, columns=list(SUBSET_COLUMNS))


class _Chooser(NamedTuple):
    """Reads subsets, each once, on *select* by what is fitted within *train*, or on *report*."""

    encoders: EncoderSet
    prior: np.ndarray
    seed: int
    within: Parts
    kept: dict[tuple[str, ...], float]

    @classmethod
    def of(cls, encoders: EncoderSet, prior: Prior, seed: int) -> "_Chooser":
        """Split *train* of some encoders once more, so that *report* has no part in a choice.

        Parameters
        ----------
        encoders
            Encoders on the same items, with their parts.
        prior
            The class distribution meant.
        seed
            Of the split and of the classifiers.

        Returns
        -------
        _Chooser
            It fits to the larger share of *train*, calibrates on the rest and reads on *select*; no group
            lies on two sides.

        Raises
        ------
        InputError
            When a class or the groups are too few to be split again.
        """
        parts, labels = encoders.parts, encoders.labels
        groups = parts.groups_of(parts.train)
        if groups is not None:
            groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
        inner = split(len(parts.train), labels[parts.train], seed, groups)
        fitted = np.sort(np.concatenate([inner.train, inner.report]))
        within = Parts(parts.train[fitted], parts.train[inner.select], parts.select, parts.groups)
        return cls(encoders, class_prior(labels, prior), seed, within, {})

    def on_select(self, members: Sequence[str]) -> float:
        """Bits, in nats, on *select*; those of one subset in any order are one number."""
        key = self._in_order(members)
        if key not in self.kept:
            self.kept[key] = self._read(key, self.within).nats
        return self.kept[key]

    def on_report(self, members: Sequence[str]) -> Reading:
        """Read the chosen, in whatever order they were chosen, on *report*."""
        return self._read(self._in_order(members), self.encoders.parts)

    def _in_order(self, members: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in self.encoders.rows if name in members)

    def _read(self, members: Sequence[str], parts: Parts) -> Reading:
        rows = together([self.encoders.rows[name] for name in members])
        return read_label(rows, self.encoders.labels, [parts], self.prior, self.seed)
