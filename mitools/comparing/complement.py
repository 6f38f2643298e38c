"""What one encoder knows of the label that another does not: I(C; A | B) = I(C; A, B) - I(C; B)."""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from mitools.comparing.encoder_set import EncoderSet
from mitools.comparing.label_reading import kept_reading, together
from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore, Values
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.warnings import two_sided
from mitools.statistics.holm import holm

COMPLEMENT_COLUMNS = (
    "encoder", "given", "complement_bits", "low_bits", "high_bits", "p_holm", "verdict", "at_most_bits",
    "together_bits", "encoder_bits", "given_bits",
)  # fmt: skip
REDUNDANCY_COLUMNS = (
    "encoder_a", "encoder_b", "redundancy_bits", "low_bits", "high_bits", "together_bits",
    "gain_over_better_bits", "gain_low_bits", "gain_high_bits",
)  # fmt: skip

ADDS, NOT_TOLD, FALLS = "adds", "not told from 0", "together reads less: overfitted"
"""Verdicts on a complement, at 95% for all ordered pairs together (Holm)."""


class Complements(NamedTuple):
    """What every encoder adds to every other.

    Attributes
    ----------
    complement
        One row an ordered pair: :data:`COMPLEMENT_COLUMNS`.
    redundancy
        One row a pair: :data:`REDUNDANCY_COLUMNS`.
    h_c_bits
        H(C): what a complement can be at most.
    """

    complement: pd.DataFrame
    redundancy: pd.DataFrame
    h_c_bits: float


def complement(
    encoders: EncoderSet,
    prior: Prior = "empirical",
    seed: int = 0,
    advance: Advance = silent,
    store: ResultStore | None = None,
) -> Complements:
    """Read for every ordered pair how many bits a linear reader gains on the label when it has both.

    Three readings on the same folds: of A, of B, and of both side by side. Each is a lower bound of an
    information (Barber-Agakov), and the interval of a difference is that of paired influence values: what is
    hard about an item for both readers cancels.

    **What the difference of two lower bounds shows.** It is how much better a linear classifier with both
    encoders codes the label of new items than one with B alone: V-information given B (Hewitt et al. 2021),
    which is what somebody gains who combines them. It is no bound of I(C; A | B): where B's own reading
    misses something that both readers together find, it lies above, and where the two together hold what no
    linear reader finds (an exclusive or), below. What is certain is ``I(C; A | B) <= H(C) - I(C; B) <= H(C) -
    reading of B``: ``at_most_bits``, at the lower end of B's interval.

    Redundancy is the same sum of readings, ``reading of A + reading of B - reading of both``: what a linear
    reader of one finds that a linear reader of the other finds too, less what it finds in both together
    alone. It may be negative. Two readings that are lower bounds are added and a third is taken away, so that
    it bounds ``I(C; A) + I(C; B) - I(C; A, B)`` neither from below nor from above.

    Parameters
    ----------
    encoders
        Two or more on the same items. Columns that both have count once.
    prior
        The class distribution that is meant.
    seed
        Of the folds, as for the certificate.
    advance
        Called with what is being done.
    store
        Keeps every reading, so that a stopped comparison goes on; None keeps nothing.

    Raises
    ------
    InputError
        When there are fewer than two encoders, their items differ, or a class is too small.

    References
    ----------
    Hewitt, Ethayarajh, Liang and Manning, "Conditional probing: measuring usable information beyond a
    baseline", EMNLP 2021, section 3; McGill, "Multivariate information transmission", 1954, for the
    redundancy.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> colour, digit = rng.integers(0, 2, (2, 800))
    >>> eye = np.eye(2)
    >>> pair = EncoderSet.of_arrays({"colour": eye[colour], "digit": eye[digit]}, 2 * colour + digit)
    >>> complement(pair).complement["complement_bits"].round(1).tolist()  # one bit each, and nothing shared
    [1.0, 1.0]
    """
    encoders.checked()
    labels = encoders.labels
    splits = certificate_splits(labels, seed, encoders.parts.groups)
    pi = class_prior(labels, prior)
    names = list(encoders.rows)
    pairs = list(combinations(names, 2))
    own: dict[str, Reading] = {}
    for done, name in enumerate(names):
        advance(f"{name} alone", done, len(names) + len(pairs))
        own[name] = kept_reading(store, together([encoders.rows[name]]), labels, splits, pi, seed)
    both: dict[tuple[str, str], Reading] = {}
    for done, (a, b) in enumerate(pairs):
        advance(f"{a} with {b}", len(names) + done, len(names) + len(pairs))
        joint = together([encoders.rows[a], encoders.rows[b]])
        both[a, b] = kept_reading(store, joint, labels, splits, pi, seed)
    h_c = nats_to_bits(entropy(pi))
    return Complements(_complements(own, both, h_c), _redundancies(own, both), h_c)


def _complements(
    own: dict[str, Reading], both: dict[tuple[str, str], Reading], h_c_bits: float
) -> pd.DataFrame:
    rows: list[Values] = []
    for first, second in both:
        for a, b in ((first, second), (second, first)):
            joint = both[first, second]
            found = combined([(1, joint), (-1, own[b])])
            given = two_sided(own[b].nats, own[b].stderr)
            rows.append(
                {
                    "encoder": a,
                    "given": b,
                    "complement_bits": nats_to_bits(found.nats),
                    "low_bits": nats_to_bits(found.low),
                    "high_bits": nats_to_bits(found.high),
                    "p_value": found.p_value,
                    "at_most_bits": h_c_bits - nats_to_bits(given.low),
                    "together_bits": nats_to_bits(joint.nats),
                    "encoder_bits": nats_to_bits(own[a].nats),
                    "given_bits": nats_to_bits(own[b].nats),
                }
            )
    order = list(own)
    rows.sort(key=lambda row: (order.index(row["encoder"]), order.index(row["given"])))
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p_value"])
    signed = np.where(table["complement_bits"] > 0, ADDS, FALLS)
    table["verdict"] = np.where(table["p_holm"] < 0.05, signed, NOT_TOLD)
    return table[list(COMPLEMENT_COLUMNS)]


def _redundancies(own: dict[str, Reading], both: dict[tuple[str, str], Reading]) -> pd.DataFrame:
    rows = []
    for (a, b), joint in both.items():
        shared = combined([(1, own[a]), (1, own[b]), (-1, joint)])
        gain = combined([(1, joint), (-1, max(own[a], own[b], key=lambda one: one.nats))])
        numbers = (*shared[:3], joint.nats, *gain[:3])
        rows.append((a, b, *(nats_to_bits(number) for number in numbers)))
    return pd.DataFrame(rows, columns=list(REDUNDANCY_COLUMNS))


class Combined(NamedTuple):
    """A sum of readings of the same items, with its paired interval (95%) and two-sided p-value, in nats."""

    nats: float
    low: float
    high: float
    p_value: float


def combined(readings: list[tuple[int, Reading]]) -> Combined:
    """Add readings of the same items up, each with its sign.

    Parameters
    ----------
    readings
        Signs and readings, their influence values in one order. One reading twice with both signs cancels
        whole.
    """
    nats = sum(sign * one.nats for sign, one in readings)
    influence: NDArray[np.float64] = np.sum([sign * one.influence for sign, one in readings], axis=0)
    sampled = float(np.linalg.norm(influence)) / len(influence)
    stderr = math.hypot(sampled, *(one.unseen for _, one in readings))
    low, high, _ = two_sided(nats, stderr)
    z = 0.0 if nats == 0 else abs(nats) / stderr if stderr > 0 else math.inf
    return Combined(nats, low, high, float(2 * ndtr(-z)))
