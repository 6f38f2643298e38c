"""MINE by protocol: its critic, its step, its readings, and what reading in-sample does to a number."""

import numpy as np
import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic, read_rotations
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.fit_many import Problem
from mitools.estimators.neural.mine_protocol import MineProtocol, fit_protocols
from mitools.estimators.pairs import PairedRows

N = 600
SMALL = {"hidden": 32, "batch_size": 100, "learning_rate": 3e-3}


@pytest.fixture(scope="module")
def pairs():
    joint = Gaussian.sparse(5, 5, 5, 0.7)
    return joint.draw(N, np.random.default_rng(0))


def test_the_protocol_is_that_of_the_paper():
    settings = MineProtocol()
    assert (settings.hidden, settings.layers, settings.steps) == (1024, 4, 10_000)
    assert (settings.batch_size, settings.learning_rate) == (1000, 1e-4)
    linear = [part for part in ProtocolCritic(7, 3).modules() if isinstance(part, nn.Linear)]
    assert [(part.in_features, part.out_features) for part in linear] == [
        (7, 1024), (3, 1024), (1024, 1024), (1024, 1024), (1024, 1)
    ]  # fmt: skip


def test_the_standard_error_covers_the_deviation_over_samples(pairs):
    """Few rotations leave noise of the partners in it: it may be too wide, and not too narrow."""
    x, y = (torch.from_numpy(side).float() for side in pairs)
    critic = MineProtocol(**SMALL, steps=50).fit(x, y).critic_
    joint = Gaussian.sparse(5, 5, 5, 0.7)
    readings = []
    for seed in range(1, 81):
        x, y = (torch.from_numpy(side).float() for side in joint.draw(300, np.random.default_rng(seed)))
        readings.append(read_rotations(critic, x, y, 8))
    ratio = np.mean([one.stderr for one in readings]) / np.std([one.nats for one in readings])
    assert 0.85 < ratio < 1.6


def test_in_sample_reads_above_held_out_and_its_null_shows_how_far(pairs):
    fitted = MineProtocol(**SMALL, steps=1500).fit(*pairs)
    held_out, in_sample = fitted.estimate_, fitted.in_sample_estimate_
    assert (held_out.kind, in_sample.kind) == ("lower bound", "point estimate")
    truth = -2.5 * np.log(1 - 0.49)
    assert held_out.interval_nats.low < truth
    assert in_sample.nats > held_out.nats + 0.3
    assert in_sample.null_nats > 0.5, "the truth is 0, and the same items are read"
    assert held_out.null_nats < 0.1
    assert in_sample.has_warning("overfit")
    assert (in_sample.n_report, held_out.n_report) == (480, 120)


def test_the_order_of_the_rows_does_not_matter():
    """Data sets lie class by class, where a rotation by a few rows stays within the class."""
    labels = np.repeat(np.arange(4), 150)
    x = 3 * np.eye(4)[labels] + np.random.default_rng(0).standard_normal((600, 4))
    fitted = MineProtocol(**SMALL, steps=300).fit(x, np.eye(4)[labels], split(600, labels, 0))
    certain = LabelInformation().estimate(x, labels)
    for estimate in (fitted.estimate_, fitted.in_sample_estimate_):
        assert estimate.nats == pytest.approx(certain.nats, abs=0.25)
        assert estimate.nats > 0.5


def test_the_last_critic_is_read_and_nothing_stops_it(pairs):
    fitted = MineProtocol(**SMALL, steps=25, checks=3).fit(*pairs)
    assert [check.step for check in fitted.checks_] == [0, 9, 18, 25]
    last = fitted.checks_[-1]
    assert fitted.estimate_.nats == last.held_out.nats
    assert fitted.in_sample_estimate_.nats == last.in_sample.nats
    once = MineProtocol(**SMALL, steps=25).fit(*pairs)
    assert once.estimate_.nats == pytest.approx(last.held_out.nats, abs=1e-6)


def test_problems_together_read_what_they_do_alone(pairs):
    x, y = pairs
    parts = split(N, None, 3)
    problems = [Problem(x, y, parts=parts), Problem(x, -y, parts=parts, seed=1), Problem(x[:, :2], y)]
    together = fit_protocols(MineProtocol(**SMALL, steps=20), problems)
    for seed, one, fitted in zip((0, 1, 0), problems, together, strict=True):
        alone = MineProtocol(**SMALL, steps=20, seed=seed).fit(one.x, one.y, one.parts)
        assert fitted.estimate_.nats == pytest.approx(alone.estimate_.nats, abs=1e-5)


def test_the_entropy_of_labels_is_kept(pairs):
    pairing = PairedRows(N)
    pairing.entropy_nats = 0.01
    (fitted,) = fit_protocols(MineProtocol(**SMALL, steps=100), [Problem(*pairs, pairing)])
    assert fitted.estimate_.entropy_nats == 0.01
    assert fitted.in_sample_estimate_.has_warning("exceeds_entropy")


@pytest.mark.parametrize("setting", [{"steps": 0}, {"layers": 1}, {"learning_rate": 0.0}, {"rotations": 0}])
def test_settings_out_of_range_are_named(pairs, setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        MineProtocol(**(SMALL | setting)).fit(*pairs)
