"""Readers of images: what knowing the data by their bytes costs, and how fast each form is read.

``pytest -n 0 -s tests/benchmarks/test_readers.py``: the digest of 10,000 images of 32x32 beside their
decoding, and the images a second that a folder, Parquet files and shards give, decoded.
"""

import io
import tarfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mitools.datasets import open_data

N, SIDE, TURNS = 10_000, 32, 3


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """Write the same images as a folder, a Parquet file and shards."""
    root = tmp_path_factory.mktemp("readers")
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)
    files = []
    for pixels in coarse:
        stream = io.BytesIO()
        Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "PNG")
        files.append(stream.getvalue())
    labels = np.arange(N) % 10
    for label in range(10):
        (root / "folder" / str(label)).mkdir(parents=True)
    for number, (content, label) in enumerate(zip(files, labels, strict=True)):
        (root / "folder" / str(label) / f"{number:05}.png").write_bytes(content)
    pq.write_table(pa.table({"image": files, "label": labels}), root / "x.parquet", row_group_size=1000)
    for shard in range(2):
        with tarfile.open(root / f"x-{shard}.tar", "w") as archive:
            for number in range(shard * N // 2, (shard + 1) * N // 2):
                for ending, content in (("png", files[number]), ("cls", str(labels[number]).encode())):
                    member = tarfile.TarInfo(f"{number:05}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return {
        "folder": f"folder:{root}/folder",
        "parquet": f"parquet:{root}/x.parquet",
        "webdataset": f"webdataset:{root}/x-{{0..1}}.tar",
    }


def once(work):
    """Processor seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def seconds(work):
    """Processor seconds of the fastest of several calls."""
    return min(once(work) for _ in range(TURNS))


def read_all(data):
    for index in range(len(data)):
        data[index]


@pytest.mark.parametrize("form", ["folder", "parquet", "webdataset"])
@pytest.mark.benchmark(group=f"{N} images of {SIDE}x{SIDE}, decoded one by one")
def test_reading(benchmark, forms, form):
    data = open_data(forms[form])
    benchmark.pedantic(read_all, args=(data,), rounds=2, iterations=1)
    assert len(data) == N


def test_shards_and_parquet_are_read_as_fast_as_a_folder(forms):
    """Each form, once it is open, gives at least 0.9 of the folder's rate; the forms take turns."""
    opening = {form: seconds(lambda spec=spec: open_data(spec)) for form, spec in forms.items()}
    data = {form: open_data(spec) for form, spec in forms.items()}
    turns = [{form: once(lambda one=one: read_all(one)) for form, one in data.items()} for _ in range(TURNS)]
    taken = {form: min(turn[form] for turn in turns) for form in forms}
    print(
        {form: f"opened in {opening[form]:.2f} s, {N / taken[form]:,.0f} images a second" for form in taken}
    )
    assert taken["parquet"] < taken["folder"] / 0.9
    assert taken["webdataset"] < taken["folder"] / 0.9


def test_knowing_a_folder_by_its_bytes_costs_little(forms):
    """The digest takes less than 15% of the decoding."""
    data = open_data(forms["folder"])
    decoding = seconds(lambda: read_all(data))
    digest = seconds(lambda: data.look_through("folder"))
    print(f"digest {digest:.2f} s, decoding {decoding:.2f} s: {digest / decoding:.0%}")
    assert digest < 0.15 * decoding
