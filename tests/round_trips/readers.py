"""Classes in files as other programs write them, in memory, and as the exports write them."""

import csv
import io
import json
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mitools.core.progress import silent
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.output.export import export_folder, export_safetensors
from tests.round_trips.names import FILES, _array, _whole

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
