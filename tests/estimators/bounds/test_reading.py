"""What every reading shares: its error, pooling, chunks of rows, and scores that are checked."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.bounds.reading import SCORES_IN_MEMORY, Reading, checked, chunks, pooled


def test_pooling_weighs_every_pair_the_same() -> None:
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(size) for size in (30, 50)]
    parts = [Reading(float(v.mean()), v - v.mean(), 0.0) for v in values]
    whole = np.concatenate(values)
    together = pooled(parts)
    assert together.nats == pytest.approx(whole.mean())
    expected = math.sqrt(sum(v.var() * len(v) for v in values)) / len(whole)
    assert together.stderr == pytest.approx(expected)


def test_one_reading_pools_to_itself() -> None:
    reading = Reading(0.7, np.array([0.5, -0.5]), 0.1)
    together = pooled([reading])
    assert (together.nats, together.stderr) == (reading.nats, reading.stderr)


def test_an_estimate_is_read_back_with_what_its_influence_does_not_show() -> None:
    reading = Reading(0.5, np.array([0.3, -0.1, -0.2]), unseen=0.04)
    estimate = Estimate("dv", "lower bound", reading.nats, reading.stderr)
    back = Reading.of(estimate, reading.influence)
    assert back.unseen == pytest.approx(0.04)
    assert back.stderr == pytest.approx(reading.stderr)
    assert Reading.of(replace(estimate, stderr_nats=None), reading.influence).unseen == 0


@pytest.mark.parametrize(
    ("n", "device", "rows"),
    [
        (1, "cpu", 1),
        (5, "cpu", 5),
        (1000, "cpu", 1000),
        (8192, "cpu", 2048),
        (16_384, "cpu", 64),
        (16_384, "cuda", 1024),
        (100_000, "cpu", 32),
        (100_000, "cuda", 167),
        (2_000_000, "cpu", 8),
    ],
)
def test_chunks_are_all_rows_in_order_and_hold_no_more_scores_than_fit(
    n: int, device: str, rows: int
) -> None:
    pieces = chunks(n, torch.device(device))
    assert [pieces[0][0], pieces[-1][1]] == [0, n]
    assert all(stop == start for (_, stop), (start, _) in pairwise(pieces))
    size = max(stop - start for start, stop in pieces)
    assert size * n <= max(n, SCORES_IN_MEMORY)
    assert size == rows


def test_checked_scores_are_a_copy_in_double_precision() -> None:
    scores = torch.ones(2, 2, dtype=torch.float64)
    copied = checked(scores)
    copied[0, 0] = 5
    assert scores[0, 0] == 1
    assert checked(torch.ones(2)).dtype == torch.float64
    with pytest.raises(InputError, match="scores are not finite"):
        checked(torch.tensor([1.0, torch.nan]))
