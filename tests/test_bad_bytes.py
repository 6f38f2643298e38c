"""Every reader turns bytes that nobody would write into one line that names the file."""

import csv
import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.core.recipes import read_recipe
from mitools.core.specs import parse_spec
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import read_run_recipe
from mitools.studies.definition import Study
from mitools.training.recipes import TrainingRecipe

YAML = {
    "brackets without end": b"[" * 20_000,
    "keys without end": b"a: " + b"{a: " * 3000,
    "digits without end": b"encoder: " + b"9" * 6000,
    "other types": b"encoder: 2020-01-01\ndata: !!binary aGVsbG8=\nmethod: !!set {a}\n",
    "zeros": b"\0\0\0",
    "another encoding": "encoder: é".encode("latin1"),
    "a list that holds itself": b"a: &a [*a]\n",
    "a list": b"- 1\n- 2",
    "nothing": b"",
    "keys that are no names": b"1: 2\n[1, 2]: 3\n",
    "no number": b"encoder: convnet\ndata: digits\nmethod: class\nepochs: .inf\nbatch_size: .nan\n",
}

SHAPES = {
    "more rows than memory": "(1000000000000000000000000000000,)",
    "more cells than memory": "(1000000000000, 1000000000000)",
    "fewer rows than none": "(-1, 5)",
    "rows beyond 64 bits": "(99999999999999999999999, 2)",
    "no rows": "(0, 3)",
    "brackets without end": "(" * 500,
    "code": "__import__('os')",
}


def _npy(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 32


def _one_line(call: Callable[[], Any], *named: str, most: int = 1000) -> None:
    with pytest.raises(InputError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < most
    assert all(name in said for name in named)


@pytest.mark.parametrize("kind", [TrainingRecipe, Study])
@pytest.mark.parametrize("content", YAML.values(), ids=YAML)
def test_recipes(tmp_path: Path, content: bytes, kind: Any) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    _one_line(lambda: read_recipe(path, kind), str(path))


@pytest.mark.parametrize("content", [*YAML.values()][:10], ids=[*YAML][:10])
def test_recipes_of_runs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.yaml").write_bytes(content)
    _one_line(lambda: read_run_recipe(tmp_path), str(tmp_path))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_arrays(tmp_path: Path, shape: str) -> None:
    labels = io.BytesIO()
    np.save(labels, np.arange(4) % 2)
    (tmp_path / "labels.npy").write_bytes(labels.getvalue())
    (tmp_path / "rows.npy").write_bytes(_npy(shape))
    with zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive:
        archive.writestr("features.npy", _npy(shape))
        archive.writestr("labels.npy", labels.getvalue())
    _one_line(lambda: open_data(f"features:{tmp_path}/rows.npy?labels={tmp_path}/labels.npy"), "rows.npy")
    _one_line(lambda: open_data(f"features:{tmp_path}/rows.npz"), "rows.npz")


@pytest.mark.parametrize(
    "spec",
    [
        f"digits?limit={'9' * 6000}", f"cdp?n={'9' * 40}", f"cdp?seed={'9' * 40}",
        f"features:{'a' * 5000}.npz", f"folder:{'a' * 5000}", "tar:/proc/self/mem", "folder:a\0b",
        "tar:a\0b", "features:a\0b.npz", "folder:\udcff",
    ],
    ids=lambda spec: ascii(spec[:12]),
)  # fmt: skip
def test_data_specs(spec: str) -> None:
    _one_line(lambda: open_data(spec), most=len(spec) + 300)


@pytest.mark.parametrize(
    "spec",
    [
        f"builtin:pca?k={'9' * 6000}", f"builtin:random_conv?seed={'9' * 50}",
        "builtin:random_conv?width=99999999999999", f"run:{'a' * 5000}",
        f"checkpoint:{'a' * 5000}?arch=convnet", "run:a\0b", "checkpoint:a\0b?arch=convnet",
        "run:/dev/null", "timm:a\0b",
    ],
    ids=lambda spec: ascii(spec[:16]),
)  # fmt: skip
def test_encoder_specs(spec: str) -> None:
    _one_line(lambda: open_encoder(spec), most=len(spec) + 300)


def _png_of_a_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["folder", "tar"])
@pytest.mark.parametrize("size", [(100_000, 100_000), (1, 200_000_000), (20_000, 9_000)])
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, kind: str, size: tuple[int, int]
) -> None:
    for label in "ab":
        (tmp_path / "x" / label).mkdir(parents=True)
        (tmp_path / "x" / label / "x.png").write_bytes(_png_of_a_size(*size))
    spec = f"folder:{tmp_path}/x"
    if kind == "tar":
        spec = f"tar:{tmp_path}/x.tar"
        with tarfile.open(tmp_path / "x.tar", "w") as archive:
            archive.add(tmp_path / "x", "")
    _one_line(lambda: open_data(spec)[0], "x.png", "178956970 pixels")


NO_UTF_8 = os.fsdecode(b"caf\xe9")
"""As a disk of another time names a folder; Python reads the byte as a lone surrogate."""


@pytest.fixture
def named_in_latin_1(tmp_path: Path) -> Path:
    draws = np.random.default_rng(0)
    for label in (NO_UTF_8, "café"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for k in range(8):
            pixels = draws.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / label / f"{k}.png")
    return tmp_path / "images"


@pytest.mark.slow
def test_an_audit_of_classes_whose_names_are_no_utf_8(named_in_latin_1: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    data = ["--data", f"folder:{named_in_latin_1}", "--encoder", "builtin:pixels", "--no-critic"]
    assert run(["audit", *data, "--out", str(out)]) == 0
    assert "caf\\udce9" in (out / "report.html").read_text()


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_classes_that_are_no_utf_8_stay_apart(named_in_latin_1: Path, tmp_path: Path, kind: str) -> None:
    spec = f"folder:{named_in_latin_1}"
    if kind == "tar":
        spec = f"tar:{tmp_path}/images.tar"
        with tarfile.open(tmp_path / "images.tar", "w") as archive:
            archive.add(named_in_latin_1, "images")
    assert set(open_data(spec).classes) == {NO_UTF_8, "café"}
    assert run(["datasets", "export", spec, "--out", str(tmp_path / "out")]) == 0
    assert len(open_data(f"folder:{tmp_path}/out").classes) == 2
    with (tmp_path / "out" / "labels.csv").open(encoding="utf-8", newline="") as table:
        assert {row["class"] for row in csv.DictReader(table)} == {"caf\\udce9", "café"}


@pytest.mark.parametrize("opened", [open_data, open_encoder])
@pytest.mark.parametrize("source", ["features", "folder", "checkpoint", "run"])
def test_a_spec_that_is_no_utf_8_is_one_line(opened: Any, source: str) -> None:
    """Tables cannot hold it."""
    _one_line(lambda: opened(f"{source}:{NO_UTF_8}.npz"), most=700)


def test_a_spec_that_is_no_utf_8_says_what_to_do() -> None:
    _one_line(lambda: parse_spec(f"run:{NO_UTF_8}", ["run"]), "caf\\udce9", "rename")
