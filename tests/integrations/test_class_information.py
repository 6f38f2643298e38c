import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch import distributed

import mitools
from mitools.core.errors import InputError
from mitools.integrations.class_information import ClassInformation

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
    assert metric.compute().n_train + metric.compute().n_select + metric.compute().n_report == 100

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


def one_process(rank, address, results):
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    whole = filled(ClassInformation(), 300 * rank, 300 * rank + 300)
    some = filled(ClassInformation(max_items=200), 300 * rank, 300 * rank + 300)
    empty = ClassInformation() if rank else filled(ClassInformation())
    results.put(
        [rank, whole.compute().nats, some.compute().n_report, some.compute().nats, empty.compute().nats]
    )
    distributed.destroy_process_group()


def test_several_processes_have_one_estimate_of_all_their_items(tmp_path):
    context = mp.get_context("spawn")
    results = context.Queue()
    address = f"file://{tmp_path}/store"
    processes = [context.Process(target=one_process, args=(rank, address, results)) for rank in range(2)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    assert found[0][1:] == found[1][1:]
    expected = mitools.certify(X, Y).estimate.nats
    assert found[0][1] == expected
    assert found[0][2] == 40
    assert found[0][4] == expected
