"""Classes that are told apart in a file stay apart: every reader and writer, on awkward names and numbers.

A class may be refused in one line where a form cannot hold it; two are never one, no item changes its class.
"""

import csv
import io
import json
import pickle
import re
import tarfile
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import mitools
import mitools.datasets
from mitools.core.errors import InputError
from mitools.core.progress import silent
from mitools.core.result_store import sealed, unsealed
from mitools.core.run_record import read_record, write_record
from mitools.datasets.accepted import as_labelled_data
from mitools.datasets.base import LabelledData
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.output import export
from mitools.datasets.output.class_folders import class_folder
from mitools.datasets.output.export import export_folder, export_safetensors
from mitools.datasets.sources import DATA_SOURCES
from mitools.report.card import write_cards
from mitools.report.html.gather import read_table
from mitools.report.study import TABLE_FORMATS, write_table
from mitools.report.tables.read import read_csv
from mitools.report.tables.write import write_csv, write_tables

PLAIN = ("cat", "dog", "red fox")
"""With these a column is one of texts, whatever else is in it."""
AWKWARD = (
    *("a b", "a_b", " a", "a ", "A", "a", "a/b", "a\\b", "a+b", "b+c", "a,b", "a;b", "a|b", "a&b", "a=b"),
    *(".h", "%2Eh", "..", ".", "%", "%25", "~", "-x", "#2", "a#2", "__MACOSX", "labels.csv", "x.png"),
    *("=1+2", "'=1+2", "''=1+2", "@a", "+a", "'", '"', '"a"', "<b>", "&lt;b&gt;", "*a*", "`a`"),
    *("1", "01", "1.0", "1e0", "-0", "0", "-1", "+1", "10", "9", "٣", "9" * 30, "nan", "NA", "null", "None"),
    *("True", "true", "", " ", "\t", "a\n", "a\nb", "a\\nb", "a\r", "a\0", "\ufeffa", "\x1b[2J", "\u202ea"),
    *("caf\u00e9", "cafe\u0301", "stra\u00dfe", "strasse", "caf\udce9", "caf\\udce9", "x" * 200, "x" * 300),
)
NUMBERS = (0, 1, -1, 7, 10, 2**31, 2**53, 2**53 + 1, 2**63 - 2, 2**63 - 1, -(2**63), -(2**63) + 1)
UNSIGNED = (0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)

Classes = st.SearchStrategy[list[Any]]

QUICK = settings(
    max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=300, derandomize=False, print_blob=True)

names = st.lists(st.sampled_from(AWKWARD) | st.text(max_size=4), min_size=2, max_size=6, unique=True)
signed = st.lists(
    st.sampled_from(NUMBERS) | st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6, unique=True
)
unsigned = st.lists(
    st.sampled_from(UNSIGNED) | st.integers(0, 2**64 - 1), min_size=2, max_size=6, unique=True
)
small = st.lists(st.integers(0, 255), min_size=2, max_size=6, unique=True)
# What numbers are called in a list of their own, which may call two the same.
called = st.lists(st.sampled_from(AWKWARD), min_size=2, max_size=6)


def png(item: int) -> bytes:
    """Write the image of one pixel that tells which item it is."""
    stream = io.BytesIO()
    Image.new("RGB", (1, 1), (item, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


FILES = [png(item) for item in range(2 * len(AWKWARD))]


def which(item: Any) -> int:
    """Tell which item was read."""
    if isinstance(item, Image.Image):
        return int(np.asarray(item)[0, 0, 0])
    return int(item.removeprefix("text ")) if isinstance(item, str) else int(item[0])


def is_utf8(name: str) -> bool:
    return name.isprintable() or not any("\ud800" <= one <= "\udfff" for one in name)


def is_blank(name: Hashable) -> bool:
    return isinstance(name, str) and (not name or name.isspace())


def is_folder(name: str) -> bool:
    """Whether Linux lets a folder be called so."""
    length = len(name.encode("utf-8", "surrogateescape")) if _is_path(name) else 256
    return 0 < length < 256 and "/" not in name and "\0" not in name and name not in (".", "..")


def _is_path(name: str) -> bool:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _whole(values: Sequence[int]) -> Any:
    """Put whole numbers into 64 bits, with a sign where one has it."""
    return np.array(values, np.int64 if min(values) < 0 or max(values) < 2**63 else np.uint64)


def _array(values: Sequence[Any]) -> Any:
    return np.array(values) if isinstance(values[0], str | bytes) else _whole(values)


# Readers: files as other programs write them.


def clips(folder: Path, values: Sequence[Any]) -> str:
    for item, name in enumerate(values):
        (folder / name / f"{item}").mkdir(parents=True)
        (folder / name / f"{item}" / "0.png").write_bytes(FILES[item])
    return f"clips:{folder}?frames=1"


def class_folders(folder: Path, values: Sequence[Any]) -> str:
    for item, name in enumerate(values):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"{item}.png").write_bytes(FILES[item])
    return f"folder:{folder}"


def csv_of(folder: Path, values: Sequence[Any]) -> str:
    rows = [(f"{item}.png", f"text {item}", value) for item, value in enumerate(values)]
    for item in range(len(values)):
        (folder / f"{item}.png").write_bytes(FILES[item])
    with (folder / "x.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("path", "text", "label"), *rows])
    return f"csv:{folder}/x.csv"


def listed_parquet(folder: Path, values: Sequence[Any]) -> str:
    csv_of(folder, range(len(values)))
    parquet(folder, values)
    return f"csv:{folder}/x.parquet"


def text_csv(folder: Path, values: Sequence[Any]) -> str:
    csv_of(folder, values)
    return f"text:{folder}/x.csv"


def parquet(folder: Path, values: Sequence[Any]) -> str:
    count = len(values)
    kind = None if isinstance(values[0], str) else pa.from_numpy_dtype(_whole(values).dtype)
    table = {
        "content": FILES[:count],
        "path": [f"{item}.png" for item in range(count)],
        "text": [f"text {item}" for item in range(count)],
        "label": pa.array(values, kind),
    }
    pq.write_table(pa.table(table), folder / "x.parquet")
    return f"parquet:{folder}/x.parquet?image=content"


def text_parquet(folder: Path, values: Sequence[Any]) -> str:
    parquet(folder, values)
    return f"text:{folder}/x.parquet"


def two_columns(folder: Path, values: Sequence[Any]) -> str:
    """Write classes as pairs of names: the class is the combination."""
    table = {"image": FILES[: len(values)], "one": [a for a, _ in values], "two": [b for _, b in values]}
    pq.write_table(pa.table(table), folder / "x.parquet")
    return f"parquet:{folder}/x.parquet?label=one|two"


def hugging_face(folder: Path, values: Sequence[Any]) -> str:
    """Number the classes, and say in the notes what the numbers are called; two may be called the same."""
    numbers = list(range(len(values)))
    notes = {"info": {"features": {"label": {"names": list(values), "_type": "ClassLabel"}}}}
    table = pa.table({"image": FILES[: len(values)], "label": numbers})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(notes)}), folder / "test.parquet")
    return f"hf-datasets:{folder}?split=test"


def hdf5(folder: Path, values: Sequence[Any]) -> str:
    h5py = pytest.importorskip("h5py")
    pixels = np.array([[[[item, 0, 0]]] for item in range(len(values))], np.uint8)
    with h5py.File(folder / "x.h5", "w") as file:
        file["images"] = pixels
        file["labels"] = values if isinstance(values[0], str | bytes) else _whole(values)
    return f"hdf5:{folder}/x.h5"


def hdf5_bytes(folder: Path, values: Sequence[Any]) -> str:
    return hdf5(folder, _as_bytes(values))


def _as_bytes(values: Sequence[str]) -> list[bytes]:
    return [value.encode("utf-8", "surrogateescape") for value in values]


def lmdb_keys(folder: Path, values: Sequence[Any]) -> str:
    keys = [value + b"/%d" % item for item, value in enumerate(_as_bytes(values))]
    return _lmdb(folder, keys)


def lmdb_table(folder: Path, values: Sequence[Any]) -> str:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = [(f"k{item}", value) for item, value in enumerate(values)]
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("key", "label"), *rows])
    spec = _lmdb(folder, [b"k%d" % item for item in range(len(values))])
    return f"{spec}?labels={folder}/labels.csv"


def _lmdb(folder: Path, keys: Sequence[bytes]) -> str:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(folder / "x.lmdb"), map_size=1 << 20) as made, made.begin(write=True) as writing:
        for item, key in enumerate(keys):
            writing.put(key, FILES[item])
    return f"lmdb:{folder}/x.lmdb"


def _tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def tar(folder: Path, values: Sequence[Any]) -> str:
    _tar(folder / "x.tar", [(f"{value}/{item}.png", FILES[item]) for item, value in enumerate(values)])
    return f"tar:{folder}/x.tar"


def shards(folder: Path, values: Sequence[Any]) -> str:
    """Write what an image is into a member of its own, as numbers or names are written into a text file."""
    members = []
    for item, value in enumerate(values):
        content = f"{value}\n".encode("utf-8", "surrogateescape")
        members += [(f"{item}.png", FILES[item]), (f"{item}.cls", content)]
    _tar(folder / "x.tar", members)
    return f"webdataset:{folder}/x.tar"


def shards_of_json(folder: Path, values: Sequence[Any]) -> str:
    members = []
    for item, value in enumerate(values):
        members += [(f"{item}.png", FILES[item]), (f"{item}.json", json.dumps({"label": value}).encode())]
    _tar(folder / "x.tar", members)
    return f"webdataset:{folder}/x.tar"


def shards_in_folders(folder: Path, values: Sequence[Any]) -> str:
    tar(folder, values)
    return f"webdataset:{folder}/x.tar"


def mnist(folder: Path, values: Sequence[Any]) -> str:
    count = len(values)
    for name, axes, content in (
        ("t10k-images-idx3-ubyte", (count, 1, 1), bytes(range(count))),
        ("t10k-labels-idx1-ubyte", (count,), bytes(values)),
    ):
        head = bytes([0, 0, 8, len(axes)]) + b"".join(side.to_bytes(4, "big") for side in axes)
        (folder / name).write_bytes(head + content)
    return f"mnist:{folder}"


def cifar(folder: Path, values: Sequence[Any]) -> str:
    numbers, pixels = list(range(len(values))), np.zeros((len(values), 3072), np.uint8)
    pixels[:, 0] = numbers
    content = {"data": pixels.tobytes().decode("latin-1"), "labels": numbers}
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    (place / "test_batch").write_bytes(pickle.dumps(content, protocol=2))
    (place / "batches.meta").write_bytes(pickle.dumps({"label_names": list(values)}, protocol=2))
    return f"torchvision:CIFAR10?root={folder}"


def nyu_depth(folder: Path, values: Sequence[Any]) -> str:
    h5py = pytest.importorskip("h5py")
    count = len(values)
    with h5py.File(folder / "x.mat", "w") as file:
        images = np.zeros((count, 3, 2, 2), np.uint8)
        images[:, 0] = np.arange(count)[:, None, None]
        file["images"], file["depths"] = images, np.ones((count, 2, 2), np.float32)
        file["labels"] = np.ones((count, 2, 2), np.uint16)
        for field, texts in (("sceneTypes", values), ("scenes", ["s"] * count), ("names", ["w"])):
            codes = [np.frombuffer(one.encode("utf-16-le"), "<u2")[:, None] for one in texts]
            kept = [file.create_dataset(f"{field}_{k}", data=code) for k, code in enumerate(codes)]
            cells = file.create_dataset(field, (1, len(kept)), h5py.ref_dtype)
            cells[0] = [one.ref for one in kept]
    return f"nyu_depth:{folder}/x.mat"


def _rows(count: int) -> Any:
    return np.array([[item, 1.0] for item in range(count)], np.float32)


def npz(folder: Path, values: Sequence[Any]) -> str:
    np.savez(folder / "x.npz", features=_rows(len(values)), labels=_array(values))
    return f"features:{folder}/x.npz"


def npz_bytes(folder: Path, values: Sequence[Any]) -> str:
    return npz(folder, _as_bytes(values))


def npy(folder: Path, values: Sequence[Any]) -> str:
    np.save(folder / "x.npy", _rows(len(values)))
    np.save(folder / "y.npy", _array(values))
    return f"features:{folder}/x.npy?labels={folder}/y.npy"


def safetensors(folder: Path, values: Sequence[Any]) -> str:
    from safetensors.numpy import save_file

    save_file({"features": _rows(len(values)), "labels": _array(values)}, folder / "x.safetensors")
    return f"features:{folder}/x.safetensors"


def parquet_of_features(folder: Path, values: Sequence[Any]) -> str:
    kind = None if isinstance(values[0], str) else pa.from_numpy_dtype(_whole(values).dtype)
    table = {"a": np.arange(len(values), dtype=np.float32), "label": pa.array(values, kind)}
    pq.write_table(pa.table(table), folder / "x.parquet")
    return f"features:{folder}/x.parquet"


# In memory.


def in_lists(folder: Path, values: Sequence[Any]) -> Any:
    return _rows(len(values)), list(values)


def in_arrays(folder: Path, values: Sequence[Any]) -> Any:
    return _rows(len(values)), _array(values)


def in_objects(folder: Path, values: Sequence[Any]) -> Any:
    return _rows(len(values)), np.array(values, dtype=object)


def in_a_frame(folder: Path, values: Sequence[Any]) -> Any:
    return pd.DataFrame({"a": np.arange(len(values)), "label": pd.Series(list(values), dtype=object)})


def in_a_dataset(folder: Path, values: Sequence[Any]) -> Any:
    return [(_rows(len(values))[item], value) for item, value in enumerate(values)]


def in_a_dataset_with_names(folder: Path, values: Sequence[Any]) -> Any:
    from torch.utils.data import Dataset

    class Numbered(Dataset):  # type: ignore[type-arg]
        def __init__(self) -> None:
            self.classes = list(values)

        def __len__(self) -> int:
            return len(values)

        def __getitem__(self, item: int) -> Any:
            return _rows(len(values))[item], item

    return Numbered()


# Writers: what mitools writes of data, and what reads it back.


def _images(values: Sequence[Any]) -> ImageArray:
    classes = list(dict.fromkeys(values))
    pixels = np.zeros((len(values), 1, 1, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(len(values))
    labels = np.array([classes.index(value) for value in values])
    return ImageArray("own", classes, pixels, labels, "0")


def exported_folder(folder: Path, values: Sequence[Any]) -> str:
    export_folder(_images(values), folder / "out", silent)
    assert [path.name for path in folder.iterdir()] == ["out"]
    return f"folder:{folder}/out"


def exported_table(folder: Path, values: Sequence[Any]) -> str:
    exported_folder(folder, values)
    return f"csv:{folder}/out/labels.csv?image=file&label=class"


def exported_safetensors(folder: Path, values: Sequence[Any]) -> Any:
    """Read the file by the library that anybody would read it with."""
    from safetensors import safe_open

    export_safetensors(_images(values), folder / "x.safetensors", silent)
    with safe_open(folder / "x.safetensors", framework="np") as file:
        classes = json.loads(file.metadata()["classes"])
        return ImageArray(
            "back", classes, file.get_tensor("images").transpose(0, 2, 3, 1), file.get_tensor("labels"), "0"
        )


@dataclass(frozen=True)
class Form:
    """How classes are written, which of them such a file can hold, and which a reader may refuse.

    Attributes
    ----------
    write
        Takes a folder and the class of every item; gives a spec, or data.
    classes
        What classes are drawn from.
    all_classes
        Awkward ones, none of which may be refused when they come together.
    holds
        Whether a class can be written so at all.
    refused
        Whether a class may end the reading in one line.
    left_out
        Whether the items of a class are told not to be read.
    numbered
        Whether classes are numbers, and what is drawn is what they are called: two may be called the same.
    """

    write: Callable[[Path, Sequence[Any]], Any]
    classes: Classes = names
    all_classes: Sequence[Any] = AWKWARD
    holds: Callable[[Any], bool] = lambda name: True
    refused: Callable[[Any], bool] = lambda name: False
    left_out: Callable[[Any], bool] = lambda name: False
    numbered: bool = False


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def ends_in_zero(name: Any) -> bool:
    return isinstance(name, str) and name.endswith("\0")


def has_no_end_of_zero(name: Any) -> bool:
    return not ends_in_zero(name)


def is_printed_number(name: Any) -> bool:
    return isinstance(name, str) and name.isdecimal()


def is_text_without_zero(name: str) -> bool:
    return is_utf8(name) and "\0" not in name


def is_member(name: str) -> bool:
    """Whether a tar can have a folder called so, which its name tells apart."""
    return is_text_without_zero(name) and "/" not in name and name not in ("", ".")


def is_too_long(name: str) -> bool:
    return len(class_folder(name).encode("utf-8", "surrogateescape")) > 255


def has_codes(name: str) -> bool:
    """Whether a name is no UTF-8, or is written as one that is none."""
    return "\\ud" in ascii(name)


def is_csv_name(name: str) -> bool:
    """Whether a cell of a table of texts can hold a name: no zero character, and not nothing."""
    return is_text_without_zero(name) and name != ""


SIGNED: dict[str, Any] = {"classes": signed, "all_classes": NUMBERS}
UNSIGNED_64: dict[str, Any] = {"classes": unsigned, "all_classes": UNSIGNED}
CALLED: dict[str, Any] = {"classes": called, "all_classes": ("cat", *AWKWARD, "cat"), "numbered": True}
MIXED: dict[str, Any] = {
    "classes": st.lists(
        st.sampled_from((1, "1", 2, "02", "2", "cat")), min_size=2, max_size=5, unique_by=repr
    ),
    "all_classes": (1, "cat", "02"),
    "refused": is_printed_number,
}
PAIRS: dict[str, Any] = {
    "classes": st.lists(st.tuples(*[st.sampled_from(AWKWARD)] * 2), min_size=2, max_size=6, unique=True),
    "all_classes": (("a", "b+c"), ("a+b", "c"), ("", "a+b+c (0)"), ("a", "c"), ("b", "c")),
    "holds": lambda pair: all(map(is_utf8, pair)),
    "refused": lambda pair: any(map(is_blank, pair)),
}
TEXT: dict[str, Any] = {"holds": is_utf8, "refused": is_blank}

READERS: dict[str, dict[str, Form]] = {
    "clips": {"": Form(clips, holds=is_folder, left_out=is_hidden)},
    "csv": {
        "names": Form(csv_of, **TEXT),
        "numbers": Form(csv_of, **SIGNED),
        "parquet": Form(listed_parquet, **TEXT),
    },
    "features": {
        "npz": Form(npz, holds=has_no_end_of_zero),
        "npz, bytes": Form(npz_bytes, holds=lambda name: _is_path(name) and not ends_in_zero(name)),
        "npz, signed": Form(npz, **SIGNED),
        "npz, unsigned": Form(npz, **UNSIGNED_64),
        "npy": Form(npy, holds=has_no_end_of_zero),
        "npy, unsigned": Form(npy, **UNSIGNED_64),
        "safetensors": Form(safetensors, **SIGNED),
        "safetensors, unsigned": Form(safetensors, **UNSIGNED_64),
        "parquet": Form(parquet_of_features, holds=is_utf8),
        "parquet, unsigned": Form(parquet_of_features, **UNSIGNED_64),
    },
    "folder": {
        "": Form(class_folders, holds=is_folder, left_out=lambda name: is_hidden(name) or name == "__MACOSX")
    },
    "hdf5": {
        "names": Form(hdf5, holds=is_text_without_zero, refused=is_blank),
        "bytes": Form(hdf5_bytes, holds=lambda name: _is_path(name) and "\0" not in name, refused=is_blank),
        "signed": Form(hdf5, **SIGNED),
        "unsigned": Form(hdf5, **UNSIGNED_64),
    },
    "hf-datasets": {"numbers with names": Form(hugging_face, holds=is_utf8, **CALLED)},
    "lmdb": {"keys": Form(lmdb_keys, holds=is_folder, refused=is_blank), "table": Form(lmdb_table, **TEXT)},
    "mnist": {"": Form(mnist, small, (0, 1, 7, 255))},
    "nyu_depth": {"": Form(nyu_depth, holds=lambda name: is_utf8(name) and name != "")},
    "parquet": {
        "names": Form(parquet, **TEXT),
        "unsigned": Form(parquet, **UNSIGNED_64),
        "two columns": Form(two_columns, **PAIRS),
    },
    "tar": {"": Form(tar, holds=is_member, left_out=lambda name: name == "__MACOSX")},
    "text": {
        "csv": Form(text_csv, **TEXT),
        "parquet": Form(text_parquet, **TEXT),
        "unsigned": Form(text_parquet, **UNSIGNED_64),
    },
    "torchvision": {"names": Form(cifar, holds=lambda name: is_utf8(name) and name.isascii(), numbered=True)},
    "webdataset": {
        "names": Form(
            shards, holds=lambda name: _is_path(name) and name == name.rstrip("\r\n"), refused=is_blank
        ),
        "numbers": Form(shards, **SIGNED),
        "json": Form(shards_of_json, names | signed | unsigned, refused=is_blank),
        "names and numbers": Form(shards_of_json, **MIXED),
        "folders": Form(shards_in_folders, holds=is_member, refused=is_blank),
    },
}
IN_MEMORY: dict[str, Form] = {
    "lists": Form(in_lists, refused=ends_in_zero),
    "lists, signed": Form(in_lists, **SIGNED),
    "lists, unsigned": Form(in_lists, **UNSIGNED_64),
    "lists, names and numbers": Form(in_lists, **MIXED),
    "arrays": Form(in_arrays, holds=has_no_end_of_zero),
    "arrays, unsigned": Form(in_arrays, **UNSIGNED_64),
    "objects": Form(in_objects, refused=ends_in_zero),
    "objects, unsigned": Form(in_objects, **UNSIGNED_64),
    "frame": Form(in_a_frame, refused=ends_in_zero),
    "frame, unsigned": Form(in_a_frame, **UNSIGNED_64),
    "dataset": Form(in_a_dataset, refused=ends_in_zero),
    "dataset, unsigned": Form(in_a_dataset, **UNSIGNED_64),
    "dataset, numbers with names": Form(in_a_dataset_with_names, **CALLED),
}
EXPORTS: dict[str, Form] = {
    "export_folder": Form(exported_folder, refused=lambda name: is_too_long(name) or has_codes(name)),
    "export_folder, its table": Form(
        exported_table, refused=lambda name: is_too_long(name) or has_codes(name) or is_blank(name)
    ),
    "export_safetensors": Form(exported_safetensors, refused=has_codes),
}
FORMS = {
    **{f"{source} {kind}".strip(): form for source, forms in READERS.items() for kind, form in forms.items()},
    **{f"in memory, {kind}": form for kind, form in IN_MEMORY.items()},
    **EXPORTS,
}
NO_NAMES = {"cdp", "colorful_moving_mnist", "digits", "scenes"}
"""Sources that make their classes themselves."""


def refused(form: Form, drawn: Sequence[Any]) -> bool:
    """Write two items a class, read them back and compare; tell whether they were refused instead."""
    kept = [name for name in drawn if form.holds(name)]
    values = kept if form.numbered else [*kept, *kept]
    if not values:
        return True
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            written = form.write(Path(folder), values)
            data = written if hasattr(written, "digest") else as_labelled_data(written)
            items = [data[k] for k in range(len(data))]
        except InputError as error:
            if "\n" in str(error) or not any(map(form.refused, values)):
                pytest.fail(f"{error} of {values!r}")
            return True
        told = range(len(values)) if form.numbered else values
        absent = {item for item, value in enumerate(values) if form.left_out(value)}
        compare(data, items, list(map(repr, told)), absent)
    return False


def compare(data: LabelledData, items: list[Any], values: list[str], absent: set[int]) -> None:
    """Check that two items are of one class if, and only if, they were written so."""
    classes, labels = list(data.classes), data.labels.tolist()
    assert [label for _, label in items] == labels
    assert len(set(classes)) == len(classes), classes
    label_of = {which(item): label for item, label in items}
    assert len(label_of) == len(items)
    assert set(label_of) == set(range(len(values))) - absent
    pairs = {(values[item], classes[label]) for item, label in label_of.items()}
    merged = [name for name, count in Counter(name for _, name in pairs).items() if count > 1]
    parted = [value for value, count in Counter(value for value, _ in pairs).items() if count > 1]
    assert not merged, merged
    assert not parted, parted


def test_every_source_of_data_has_its_forms() -> None:
    """A new source wants the forms in which it keeps classes here, or its place among those without."""
    assert set(DATA_SOURCES) - NO_NAMES == set(READERS)


@pytest.mark.parametrize("form", FORMS)
def test_awkward_classes_come_back_all_together(form: str) -> None:
    assert not refused(
        FORMS[form], [name for name in FORMS[form].all_classes if not FORMS[form].refused(name)]
    )


@pytest.mark.parametrize("form", FORMS)
def test_classes_stay_apart(form: str) -> None:
    settings(QUICK)(given(FORMS[form].classes)(lambda drawn: _ignore(refused(FORMS[form], drawn))))()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_many_classes_stay_apart(form: str) -> None:
    settings(LONG)(given(FORMS[form].classes)(lambda drawn: _ignore(refused(FORMS[form], drawn))))()


def _ignore(found: object) -> None:
    """Hypothesis takes no tests that return something."""


# Tables and documents, whose rows and keys are called what people call their encoders, data and classes.


def _table(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"encoder": list(names), "bits": np.arange(len(names)) / 7})


def _names(table: pd.DataFrame) -> list[str]:
    np.testing.assert_array_equal(table["bits"], np.arange(len(table)) / 7)
    return table["encoder"].tolist()


def csv_read(folder: Path, names: Sequence[str]) -> list[str]:
    write_csv(_table(names), folder / "x.csv")
    return _names(read_csv(folder / "x.csv"))


def csv_read_for_pages(folder: Path, names: Sequence[str]) -> list[str]:
    write_table(_table(names), folder / "x.csv")
    return _names(read_table(folder / "x.csv", ["encoder"]))


def csv_header(folder: Path, names: Sequence[str]) -> list[str]:
    write_csv(pd.DataFrame([range(len(names))], columns=list(names)), folder / "x.csv")
    return list(map(str, read_csv(folder / "x.csv").columns))


def parquet_table(folder: Path, names: Sequence[str]) -> list[str]:
    write_table(_table(names), folder / "x.parquet")
    return _names(pd.read_parquet(folder / "x.parquet"))


def all_tables(folder: Path, names: Sequence[str]) -> list[str]:
    write_tables(_table(names), None, None, folder)
    assert _names(pd.read_parquet(folder / "results.parquet")) == list(names)
    return [row["encoder"] for row in json.loads((folder / "results.json").read_text())]


def run_record(folder: Path, names: Sequence[str]) -> list[str]:
    write_record(folder, "audit", encoders=dict.fromkeys(names, "digest"))
    return list(read_record(folder)["encoders"])


def sealed_document(folder: Path, names: Sequence[str]) -> list[str]:
    return list(unsealed(sealed({"encoders": dict.fromkeys(names, 1)}))["encoders"])


def recipe(folder: Path, names: Sequence[str]) -> list[str]:
    """Write names as studies and recipes write them."""
    return list(yaml.safe_load(yaml.safe_dump({"encoders": list(names)}, sort_keys=False))["encoders"])


def cards(folder: Path, names: Sequence[str]) -> list[str]:
    rows = _table(names).assign(
        n=1, i_class_bits=1.0, i_class_low=0.5, i_class_high=1.5, h_c_bits=2.0, warnings=""
    )
    files = write_cards(rows, "own", folder)
    assert len({str(file).lower() for file in files}) == len(files) == len(list(folder.iterdir()))
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [yaml.safe_load(text.split("---\n")[1])["model-index"][0]["name"] for text in texts]


@dataclass(frozen=True)
class Names:
    """What writes names and reads them back, and which of them it can hold."""

    again: Callable[[Path, Sequence[str]], list[str]]
    holds: Callable[[str], bool] = is_utf8


TABLES = {
    "write_csv, read_csv": Names(csv_read, is_csv_name),
    "write_csv, read_table": Names(csv_read_for_pages, lambda name: is_utf8(name) and "\0" not in name),
    "write_csv, columns": Names(csv_header, lambda name: is_csv_name(name) and not is_blank(name)),
    "parquet": Names(parquet_table),
    "write_tables": Names(all_tables),
    "run.json": Names(run_record),
    "sealed": Names(sealed_document),
    "recipe": Names(recipe, is_csv_name),
    "cards": Names(cards, lambda name: is_csv_name(name) and "---" not in name),
}
WRITERS = {
    "mitools.auditing.kept_rows": "sealed",
    "mitools.auditing.kept_target_rows": "sealed",
    "mitools.core.result_store": "sealed",
    "mitools.core.run_record": "run.json",
    "mitools.datasets.images.known_contents": "sealed",
    "mitools.datasets.output.export": "export_folder",
    "mitools.report.card": "cards",
    "mitools.report.encoder_rows": "run.json",
    "mitools.report.items": "parquet",
    "mitools.report.study": "parquet",
    "mitools.report.tables.write": "write_tables",
    "mitools.studies.folder": "recipe",
    "mitools.training.loop.run_folder": "recipe",
}
"""Every module that writes files with names in them, and the row above that tries how it does."""
WRITE_NO_NAMES = {
    "mitools.cli.datasets": "a picture of generated images",
    "mitools.core.files": "what the others write by",
    "mitools.encoders.export.export": "weights of one network",
    "mitools.features.feature_files": "rows and labels by number",
    "mitools.report.calibration": "names of methods",
    "mitools.report.figures.save": "pictures",
    "mitools.report.html.render": "pages for people, which tests/report/html tries",
    "mitools.report.variables.write": "pages for people",
    "mitools.report.views": "names of views",
    "mitools.training.loop.metrics_log": "numbers by epoch",
}


def test_every_writer_has_its_row() -> None:
    """A new module that writes files wants a row here, or the reason why nobody's names are in them."""
    found = {f"{root.__name__}.{name}" for root in (mitools, mitools.datasets) for name in _writers(root)}
    assert found == {*WRITERS, *WRITE_NO_NAMES}
    assert set(WRITERS.values()) <= {*TABLES, *EXPORTS}
    assert set(TABLE_FORMATS) == {"csv", "parquet", "md", "tex"}  # the last two are for people alone
    assert {name for name in vars(export) if name.startswith("export_")} == {
        name.partition(",")[0] for name in EXPORTS
    }


def _writers(package: Any) -> Iterator[str]:
    root = Path(package.__file__).parent
    writes = re.compile(r"\b(whole_file|whole_folder|write_text|write_bytes|to_csv|to_parquet|savetxt)\(")
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        is_other = package is mitools and parts[0] in ("datasets", "analyses")
        if not is_other and writes.search(path.read_text(encoding="utf-8")):
            yield ".".join(parts)


@pytest.mark.parametrize("kind", TABLES)
def test_names_come_back_all_together(kind: str, tmp_path: Path) -> None:
    names = [*PLAIN, *filter(TABLES[kind].holds, AWKWARD)]
    assert TABLES[kind].again(tmp_path, names) == names


@pytest.mark.parametrize("kind", TABLES)
def test_names_come_back(kind: str) -> None:
    @QUICK
    @given(names)
    def come_back(drawn: list[str]) -> None:
        written = [*PLAIN, *(name for name in drawn if TABLES[kind].holds(name) and name not in PLAIN)]
        with tempfile.TemporaryDirectory() as folder:
            assert TABLES[kind].again(Path(folder), written) == written

    come_back()
