"""Bytes that were changed at random are read or end in one line: a few by default, 20,000 marked slow."""

import gzip
import json
import signal
import struct
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from mitools.core.errors import InputError
from mitools.core.recipes import read_recipe
from mitools.core.result_store import ResultStore, sealed
from mitools.datasets.grouped import read_groups
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import read_run_recipe
from mitools.features.store import FeatureStore
from mitools.report.tables.read import read_csv
from mitools.studies.definition import Study
from mitools.training.recipes import TrainingRecipe

FEW, MANY = 8, 910
"""Inputs of each of the 22 readers."""
SECONDS = 60
"""After so long on the processor an input counts as one that hangs, or after ten times as long in all."""

STUDY = {
    "data": ["digits?limit=200"],
    "encoders": ["builtin:pixels", {"spec": "builtin:pca?k=4", "family": "pca"}],
    "seeds": [0, 1],
    "metrics": ["linear_acc"],
    "prior": "uniform",
}
RECIPE = {
    "encoder": "convnet",
    "data": "digits?limit=128",
    "method": "simclr",
    "epochs": 3,
    "batch_size": 32,
    "temperature": 0.1,
    "optimiser": {"learning_rate": 0.001},
}
WORDS = [
    *(
        b"\0",
        b"\xff" * 8,
        b"\x7f" * 8,
        b"9" * 30,
        b"-1",
        b"1e400",
        b"nan",
        b"..",
        b"/",
        b"\n",
        b"?",
        b"&",
        b"=",
    ),
    *(b"%00", b"{", b"[", b"[" * 2000, b'"', b"'", b"!!python/name:os.system ", b"*a", b"<f4", b"|O"),
    *(b"\xe2\x80\xae", b"\xed\xb3\xbf"),
]
"""What goes wrong in files and specs more often than chance would have it."""


def mutated(content: bytes, draws: np.random.Generator) -> bytes:
    """Change bytes: flipped, cut off, left out, doubled, or replaced by a word that is likely to hurt."""
    changed = bytearray(content)
    for _ in range(draws.integers(1, 4)):
        place = int(draws.integers(0, len(changed) + 1))
        # The beginning of a file says how the rest is read.
        place = place if draws.random() < 0.5 else min(place, int(draws.integers(0, 200)))
        end = min(len(changed), place + int(draws.integers(1, 40)))
        kind = draws.integers(0, 6)
        if kind == 0 and place < len(changed):
            changed[place] ^= 1 << int(draws.integers(0, 8))
        elif kind == 1:
            del changed[place:]
        elif kind == 2:
            del changed[place:end]
        elif kind == 3:
            changed[place:place] = changed[place:end] * int(draws.integers(1, 50))
        elif kind == 4:
            changed[place:end] = draws.bytes(end - place)
        else:
            word = WORDS[int(draws.integers(0, len(WORDS)))]
            changed[place : place + int(draws.integers(0, len(word) + 1))] = word
    return bytes(changed)


Reader = Callable[[bytes], Any]
Case = tuple[list[bytes], Reader]


def _file(path: Path, read: Callable[[Path], Any]) -> Reader:
    def reader(content: bytes) -> Any:
        path.write_bytes(content)
        return read(path)

    return reader


def _first_items(spec: str) -> Any:
    data = open_data(spec)
    return [data[index] for index in range(min(len(data), 3))]


def _written(path: Path, write: Callable[[Path], Any]) -> bytes:
    write(path)
    return path.read_bytes()


def _idx(kind: int, array: np.ndarray[Any, Any]) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


def _recipes(folder: Path) -> dict[str, Case]:
    recipe, study = yaml.safe_dump(RECIPE).encode(), yaml.safe_dump(STUDY).encode()
    return {
        "recipe": ([recipe], _file(folder / "a.yaml", lambda path: read_recipe(path, TrainingRecipe))),
        "study": ([study], _file(folder / "b.yaml", lambda path: read_recipe(path, Study))),
        "recipe of a run": ([recipe], _file(folder / "recipe.yaml", lambda path: read_run_recipe(folder))),
    }


def _tables(folder: Path) -> dict[str, Case]:
    import pandas as pd

    table = b'name,value,label\na,1.5,x\n"b, c",-2,y\n,nan,x\n'
    frame = pd.DataFrame({"a": np.arange(6.0), "b": np.ones(6), "label": list("xyxyxy")})
    parquet = _written(folder / "x.parquet", frame.to_parquet)
    texts = lambda path: _first_items(f"text:{path}?text=name&label=label")  # noqa: E731
    return {
        "csv": ([table], _file(folder / "x.csv", read_csv)),
        "groups": ([b"group\n1\n2\n2\n", table], _file(folder / "g.csv", read_groups)),
        "texts": ([table], _file(folder / "t.csv", texts)),
        "parquet": ([parquet], _file(folder / "x.parquet", lambda path: _first_items(f"features:{path}"))),
    }


def _arrays(folder: Path) -> dict[str, Case]:
    rows, labels = np.arange(24, dtype=np.float32).reshape(8, 3), np.arange(8) % 2
    npz = _written(folder / "x.npz", lambda path: np.savez(path, features=rows, labels=labels))
    packed = _written(folder / "x.npz", lambda path: np.savez_compressed(path, features=rows, labels=labels))
    npy = _written(folder / "x.npy", lambda path: np.save(path, rows))
    np.save(folder / "y.npy", labels)
    tensors = {"features": torch.tensor(rows), "labels": torch.tensor(labels)}
    safe = _written(folder / "x.safetensors", lambda path: save_file(tensors, path))
    first = lambda path: _first_items(f"features:{path}")  # noqa: E731
    mapped = lambda path: _first_items(f"features:{path}?labels={folder}/y.npy")  # noqa: E731
    return {
        "npz": ([npz, packed], _file(folder / "x.npz", first)),
        "npy": ([npy], _file(folder / "x.npy", mapped)),
        "safetensors": ([safe], _file(folder / "x.safetensors", first)),
    }


def _images(folder: Path) -> dict[str, Case]:
    images = np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4)
    for name in ("idx", "idx.gz"):
        (folder / name).mkdir()
        (folder / name / "t10k-labels-idx1-ubyte").write_bytes(_idx(8, np.arange(6, dtype=np.uint8) % 2))
    kinds = []
    for label in ("a", "b"):
        (folder / "classes" / label).mkdir(parents=True)
    for ending in ("png", "jpg", "gif", "bmp", "tif", "webp"):
        path = folder / f"x.{ending}"
        kinds.append(_written(path, lambda path: Image.fromarray(images[0]).convert("RGB").save(path)))
    (folder / "classes" / "a" / "x.png").write_bytes(kinds[0])
    tar = folder / "x.tar"
    with tarfile.open(tar, "w") as archive:
        for label in "ab":
            archive.add(folder / "x.png", f"{label}/x.png")
    whole = tar.read_bytes()
    plain = folder / "idx" / "t10k-images-idx3-ubyte"
    packed = folder / "idx.gz" / "t10k-images-idx3-ubyte.gz"
    first = lambda path: _first_items(f"tar:{path}")  # noqa: E731
    inside = lambda path: _first_items(f"mnist:{path.parent}?part=test")  # noqa: E731
    return {
        "image": (
            kinds,
            _file(folder / "classes/b/x.png", lambda path: _first_items(f"folder:{folder}/classes")),
        ),
        "tar": ([whole], _file(tar, first)),
        "tar.gz": ([gzip.compress(whole)], _file(folder / "x.tar.gz", first)),
        "idx": ([_idx(8, images)], _file(plain, inside)),
        "idx.gz": ([gzip.compress(_idx(8, images))], _file(packed, inside)),
    }


def _weights(folder: Path) -> dict[str, Case]:
    weights = {"conv.weight": torch.ones(2, 3, 1, 1), "conv.bias": torch.zeros(2)}
    pickled = _written(folder / "x.pth", lambda path: torch.save({"state_dict": weights, "epoch": 3}, path))
    legacy = _written(
        folder / "x.pth",
        lambda path: torch.save({"model": weights}, path, _use_new_zipfile_serialization=False),
    )
    safe = _written(folder / "w.safetensors", lambda path: save_file(weights, path))
    index = json.dumps(
        {"weight_map": {"conv.weight": "w.safetensors", "conv.bias": "w.safetensors"}}
    ).encode()
    opened = lambda path: open_encoder(f"checkpoint:{path}?arch=convnet")  # noqa: E731
    return {
        "weights": ([pickled, legacy], _file(folder / "x.pth", opened)),
        "shards": ([index], _file(folder / "s.safetensors.index.json", opened)),
        "safetensors weights": ([safe], _file(folder / "w.safetensors", opened)),
    }


def _kept(folder: Path) -> dict[str, Case]:
    """Kept results and features: what is damaged counts as absent, and is no error at all."""
    store = ResultStore(folder / "cells")
    store.cell("certificate", {"n": 3}, lambda: {"nats": 1.25, "warnings": []})
    cell = store.path("certificate", {"n": 3})
    features = FeatureStore(folder / "features")
    with features.write("key", np.arange(4) % 2) as writer:
        writer.append(np.ones((4, 1, 3), np.float32))
    rows = features.path("key")
    seal = sealed({"a": 1}).encode()

    def cell_as_written(path: Path) -> None:
        values = store.kept("certificate", {"n": 3})
        assert values is None or values["nats"] == 1.25

    def rows_as_written(path: Path) -> None:
        found = features.read("key")
        assert found is None or (np.array_equal(found.values, np.ones((4, 1, 3))) and len(found.labels) == 4)

    return {
        "cells": ([cell.read_bytes(), seal], _file(cell, cell_as_written)),
        "kept features": ([rows.read_bytes()], _file(rows, rows_as_written)),
    }


def _specs(folder: Path) -> dict[str, Case]:
    data = [
        "digits?limit=20&classes=1,2",
        f"tar:{folder}/x.tar?under=a",
        "text:x.csv?text=a&label=b",
        "folder:x",
    ]
    encoders = [
        "builtin:pca?k=4&name=x",
        "builtin:random_conv?width=8&seed=1&layer=out",
        "checkpoint:x.pth?arch=convnet&key=a",
        "run:x?checkpoint=3",
        "onnx:x.onnx?output=a",
    ]
    said = lambda content: content.decode("utf-8", "surrogateescape")  # noqa: E731
    return {
        "data specs": ([spec.encode() for spec in data], lambda content: open_data(said(content))),
        "encoder specs": ([spec.encode() for spec in encoders], lambda content: open_encoder(said(content))),
    }


KINDS = (_recipes, _tables, _arrays, _images, _weights, _kept, _specs)


@contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    def hang(number: int, frame: Any) -> None:
        raise TimeoutError(f"still at work after {seconds} s of the processor, or ten times as long")

    before = [signal.signal(which, hang) for which in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(10 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for which, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(which, handler)


def _fuzz(kind: Callable[[Path], dict[str, Case]], folder: Path, seed: int, count: int) -> int:
    """Read `count` changed inputs of each reader; return how many were refused."""
    refused = 0
    for number, (name, (contents, reader)) in enumerate(kind(folder).items()):
        for trial in range(count):
            draws = np.random.default_rng((seed, number, trial))
            content = mutated(contents[trial % len(contents)], draws)
            where = f"{name}, seed {seed}, trial {trial}, which begins {content[:200]!r}"
            said = None
            try:
                with _no_longer_than(SECONDS):
                    reader(content)
            except InputError as error:
                said = str(error)
            except Exception as error:
                raise AssertionError(f"{where}: {error!r}") from error
            refused += said is not None
            assert "\n" not in (said or ""), where
    return refused


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_changed_inputs(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = _fuzz(kind, tmp_path, 0, FEW)
    assert (refused > 0) == (kind is not _kept)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_changed_inputs(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _fuzz(kind, tmp_path, 1, MANY)


def test_the_slow_part_is_of_the_size_that_it_promises(tmp_path: Path) -> None:
    readers = 0
    for number, kind in enumerate(KINDS):
        (tmp_path / str(number)).mkdir()
        readers += len(kind(tmp_path / str(number)))
    assert readers * MANY >= 20_000
