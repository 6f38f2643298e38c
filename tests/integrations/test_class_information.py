import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import mitools
from mitools.core.errors import InputError
from mitools.integrations.class_information import ClassInformation

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 600)
X = (2 * np.eye(3)[Y] + RNG.standard_normal((600, 3))).astype(np.float32)


def filled(metric, start=0, end=600, step=64):
    for first in range(start, end, step):
        some = slice(first, min(first + step, end))
        metric.update(torch.from_numpy(X[some]).requires_grad_(), torch.from_numpy(Y[some]))
    return metric


def test_the_estimate_is_that_of_all_items_at_once():
    metric = filled(ClassInformation())
    assert (len(metric), metric.seen) == (600, 600)
    assert metric.compute().nats == mitools.certify(X, Y).estimate.nats
    assert metric.compute().nats == metric.compute().nats
    metric.reset()
    assert (len(metric), metric.seen) == (0, 0)
    with pytest.raises(InputError, match="no item has passed by"):
        metric.compute()


def test_what_is_kept_is_bounded_and_a_fair_sample():
    metric = ClassInformation(max_items=100)
    for _ in range(20):
        metric.update(X, Y)
        assert len(metric) < 200 + 600
    assert metric.seen == 12_000
    assert metric.compute().n_report == 100

    counts = np.zeros(40)
    for seed in range(200):
        small = ClassInformation(max_items=10, seed=seed)
        for first in range(0, 40, 8):
            small.update(np.arange(first, first + 8)[:, None], np.zeros(8, int))
        kept = np.concatenate([items.sampled(10).rows[:, 0] for items in small._kept[:1]])
        counts[kept.astype(int)] += 1
    # The first block holds the sample of the items that had passed by when it was cut.
    assert counts[:16].std() < 3 * np.sqrt(counts[:16].mean())


def test_memory_that_the_caller_uses_again_is_not_kept():
    metric, batch = ClassInformation(), torch.empty(64, 3)
    for first in range(0, 576, 64):
        batch.copy_(torch.from_numpy(X[first : first + 64]))
        metric.update(batch, Y[first : first + 64])
    assert metric.compute().nats == mitools.certify(X[:576], Y[:576]).estimate.nats


@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (X[:5], Y[:4], r"features have shape \(5, 3\) and labels \(4,\)"),
        (X[:5, :, None], Y[:5], "give .B, d. and .B,."),
        (X[:5, :2], Y[:5], r"features have 2 columns, and had 3; reset\(\) first"),
        ({"a": 1}, Y[:5], "features is a dict"),
        (X[:5] * 1j, Y[:5], "features hold complex"),
        (X[:5], Y[:5] * 1j, "labels hold complex"),
        (X[:5], Y[:5].astype(str), r"labels are names, and were numbers; give one kind, or reset\(\) first"),
        (X[:5], Y[:5] > 0, "labels are truth values, and were numbers"),
    ],
)
def test_wrong_batches(features, labels, words):
    metric = ClassInformation()
    metric.update(X[:5], Y[:5])
    with pytest.raises(InputError, match=words):
        metric.update(features, labels)
    assert len(metric) == 5


def test_too_little_to_certify():
    metric = ClassInformation()
    metric.update(X[:8], Y[:8])
    with pytest.raises(InputError, match="five are needed"):
        metric.compute()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_items": 0}, "max_items=0"),
        ({"max_items": "all"}, "max_items='all' must be a whole number"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 0.5}, "seed=0.5"),
        ({"prior": "unifrom"}, "unknown class prior 'unifrom'; accepted"),
        ({"prior": [0.5, 0.6]}, "sum to one"),
        ({"prior": {"a": 1}}, "the class prior is a dict"),
    ],
)
def test_options_are_checked_at_once(options, words):
    with pytest.raises(InputError, match=words):
        ClassInformation(**options)


def test_it_shows_what_it_holds():
    metric = ClassInformation(max_items=4)
    metric.update(X[:5], Y[:5])
    metric.update(X[:0], Y[:0].astype(str))
    assert repr(metric) == (
        "ClassInformation(max_items=4, prior='empirical', seed=0): 5 items kept of 5 seen"
    )


TWO_PROCESSES = """
import json, sys
import numpy as np
from torch import distributed
from mitools import ClassInformation

def filled(metric, items):
    for x, y in zip(np.array_split(X[items], 5), np.array_split(Y[items], 5)):
        metric.update(x, y)
    return metric

given, found, rank, address = sys.argv[1:]
rank = int(rank)
X, Y = (np.load(given)[name] for name in "XY")
distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
own = slice(300 * rank, 300 * rank + 300)
whole = filled(ClassInformation(), own).compute()
some = filled(ClassInformation(max_items=200), own).compute()
empty = (ClassInformation() if rank else filled(ClassInformation(), slice(None))).compute()
with open(f"{found}{rank}.json", "w") as file:
    json.dump([whole.nats, some.n_report, some.nats, empty.nats], file)
distributed.barrier()  # or the process that ends first cuts the other's connection
distributed.destroy_process_group()
"""


def test_several_processes_have_one_estimate_of_all_their_items(tmp_path):
    np.savez(tmp_path / "given.npz", X=X, Y=Y)
    program = tmp_path / "program.py"
    program.write_text(TWO_PROCESSES)
    files = [str(program), str(tmp_path / "given.npz"), str(tmp_path / "found")]
    address = f"file://{tmp_path / 'store'}"
    processes = [
        subprocess.Popen([sys.executable, "-P", *files, str(rank), address], env=ONE_THREAD)
        for rank in range(2)
    ]
    for process in processes:
        process.wait(timeout=120)
    found = [json.loads((tmp_path / f"found{rank}.json").read_text()) for rank in range(2)]
    assert found[0] == found[1]
    expected = mitools.certify(X, Y).estimate.nats
    assert found[0][0] == expected
    assert found[0][1] == 200
    assert found[0][3] == expected
