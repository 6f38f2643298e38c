"""How fast the synthetic worlds are made: ``pytest tests/benchmarks/test_generators.py``."""

import numpy as np
import pytest

from mitools.datasets.synthetic.cdp import CDP
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.scenes.scenes import Scenes


def measure(benchmark, make, count, what):
    """Time `make` on fresh indices each round and report the rate."""
    start = iter(range(0, 10**9, count))

    def once():
        first = next(start)
        return make(np.arange(first, first + count))

    made = benchmark(once)
    benchmark.extra_info[f"{what} per second, median"] = round(count / benchmark.stats.stats.median)
    benchmark.extra_info[f"{what} per second, best"] = round(count / benchmark.stats.stats.min)
    return made


@pytest.mark.parametrize("background", ["embedded", "none"])
@pytest.mark.parametrize("batch", [128, 512, 2048])
def test_cdp_batches(benchmark, background, batch):
    data = CDP(n=10**9, background=background)
    assert len(measure(benchmark, data.compose, batch, "images")) == batch


def test_cdp_pairs(benchmark):
    pairs = CDP(n=10**9).pairs(("color",))
    assert len(measure(benchmark, pairs.compose, 512, "pairs")) == 2


def test_cdp_items(benchmark):
    data = CDP(n=10**9)
    assert len(measure(benchmark, lambda indices: [data[k] for k in indices], 16, "images")) == 16


@pytest.mark.parametrize("batch", [16, 64, 256])
def test_colorful_moving_mnist_sequences(benchmark, batch):
    data = ColorfulMovingMNIST(n=10**9)
    assert measure(benchmark, data.clips, batch, "sequences").shape[:2] == (batch, 20)


def test_colorful_moving_mnist_pairs(benchmark):
    pairs = ColorfulMovingMNIST(n=10**9).pairs(("digit",))
    assert len(measure(benchmark, pairs.compose, 128, "pairs")) == 2


def test_cdp_batches_of_items(benchmark):
    data = CDP(n=10**9)
    assert len(measure(benchmark, data.__getitems__, 256, "images")) == 256


@pytest.mark.parametrize("batch", [64, 256])
def test_scenes_with_their_modalities(benchmark, batch):
    data = Scenes(n=10**9)
    assert len(measure(benchmark, lambda indices: data.render(indices).depth, batch, "scenes")) == batch
