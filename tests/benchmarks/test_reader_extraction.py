"""Extraction by a ResNet-18 at 64 pixels from a folder, Parquet and shards: opening, decoding and encoding.

``pytest -n 0 -s tests/benchmarks/test_reader_extraction.py``. The forms take turns, so that what else the
machine does falls on all of them, and processor seconds (user and system) are compared, not the clock.
"""

import io
import resource
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from mitools.datasets import open_data
from mitools.encoders import open_encoder
from mitools.features import FeatureStore, extract

N, SIDE, TURNS = 128, 64, 7
LEAST_SHARE = 0.9
"""Of the rate of the folder, that the other forms must reach."""


def written(root):
    """Write the same JPEG files as a folder, a Parquet file and two shards."""
    coarse = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)
    files = []
    for pixels in coarse:
        stream = io.BytesIO()
        Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(
            stream, "JPEG", quality=90
        )
        files.append(stream.getvalue())
    for number, content in enumerate(files):
        (root / "folder" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        (root / "folder" / str(number % 2) / f"{number:05}.jpg").write_bytes(content)
    pq.write_table(pa.table({"image": files, "label": np.arange(N) % 2}), root / "x.parquet")
    for shard in range(2):
        with tarfile.open(root / f"x-{shard}.tar", "w") as archive:
            for number in range(shard * N // 2, (shard + 1) * N // 2):
                for ending, content in (("jpg", files[number]), ("cls", str(number % 2).encode())):
                    member = tarfile.TarInfo(f"{number:05}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return {
        "folder": f"folder:{root}/folder",
        "parquet": f"parquet:{root}/x.parquet",
        "webdataset": f"webdataset:{root}/x-{{0..1}}.tar",
    }


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def test_shards_and_parquet_feed_an_encoder_as_fast_as_a_folder(tmp_path):
    forms = written(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    encoder = open_encoder("timm:resnet18?pretrained=no&image_size=64")
    taken = {form: [] for form in forms}
    try:
        for turn in range(TURNS + 1):
            for form, spec in forms.items():
                start = processor_seconds()
                features = extract(
                    encoder, open_data(spec), store=FeatureStore(tmp_path / f"{turn}-{form}"), batch_size=64
                )
                if turn:  # the first turn warms up
                    taken[form].append(processor_seconds() - start)
                assert features.values.shape == (N, 1, 512)
    finally:
        torch.set_num_threads(threads)
    folder = np.array(taken["folder"])
    for form, seconds in taken.items():
        shares = folder / np.array(seconds)  # turn by turn
        rate = N / np.median(seconds)
        print(f"{form}: {rate:,.0f} images a processor second, {np.median(shares):.2f} of the folder's")
        assert np.median(shares) > LEAST_SHARE
