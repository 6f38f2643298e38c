"""Extraction beside a bare loop over the same batches: ``pytest tests/benchmarks/test_extraction.py``.

Ours reads and decodes every image, normalises it, encodes it, checks it, hashes it, writes it and verifies
the file; the bare loop has its batches ready and keeps nothing.
"""

from itertools import count

import numpy as np
import pytest
import torch

from mitools.backends.streams import in_streams, stream_count
from mitools.datasets.in_memory import ImageArray
from mitools.encoders import open_encoder
from mitools.encoders.inputs.read import finish_inputs, read_inputs
from mitools.features import FeatureStore, extract

N, BATCH = 1024, 256
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder():
    return open_encoder("timm:resnet18?pretrained=no&image_size=64")


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (N, 64, 64, 3), dtype=np.uint8)
    return ImageArray("noise", ["a", "b"], images, np.arange(N) % 2, "digest of noise")


def bare_loop(encoder, batches):
    """Encode ready batches as extraction shares them out, a core each."""

    def encode(batch):
        with torch.inference_mode():
            return encoder.module(batch)

    return sum(len(rows) for rows in in_streams(encode, batches, stream_count(CPU)))


@pytest.mark.parametrize("who", ["bare loop", "ours"])
@pytest.mark.benchmark(group="features of 1,024 images")
def test_throughput(benchmark, encoder, data, tmp_path, who):
    if who == "ours":
        folders = count()
        encoded = benchmark.pedantic(
            lambda: len(
                extract(
                    encoder, data, store=FeatureStore(tmp_path / str(next(folders))), batch_size=BATCH
                ).labels
            ),
            rounds=3,
        )
    else:
        size = BATCH // stream_count(CPU)
        batches = [
            finish_inputs(read_inputs(data, range(k, k + size), encoder.preprocess), encoder.preprocess)
            for k in range(0, N, size)
        ]
        batches = [batch.contiguous(memory_format=torch.channels_last) for batch in batches]
        encoder.module.to(memory_format=torch.channels_last)
        encoded = benchmark.pedantic(lambda: bare_loop(encoder, batches), rounds=3)
    assert encoded == N
