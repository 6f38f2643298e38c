"""Data sets written out as files that anything can read."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import remove_leftovers, whole_file, whole_folder
from mitools.core.names import spreadsheet_cell
from mitools.core.progress import Advance
from mitools.core.run_record import write_record
from mitools.datasets.base import LabelledData, MultimodalData
from mitools.datasets.output.class_folders import TABLE, class_folder, utf8_names
from mitools.datasets.synthetic.base import SyntheticImages

_IMAGES_AT_ONCE = 256
_SAFETENSORS_TYPES = {"uint8": "U8", "int64": "I64", "float32": "F32"}


def export_folder(data: LabelledData, folder: Path, advance: Advance) -> None:
    """Write one folder a class, with a PNG file for every image, and ``labels.csv``.

    The table has the columns file, label, class and, for a synthetic world, one for each attribute. The
    folder, with its ``run.json``, appears when it is complete; ``folder:PATH`` reads it back. Where a class
    has a name that no folder can have, or that leads elsewhere, :func:`.class_folder` says what it becomes.

    Raises
    ------
    InputError
        When the folder exists and is not empty, the items are no images, or the disk cannot give each class
        a folder of its own; or as :func:`.utf8_names`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists already; name a new folder")
    classes = utf8_names(data.classes, data.name)
    with whole_folder(folder) as temporary:
        for label in np.unique(data.labels):
            _make_class_folder(temporary, data, data.classes[label])
        table_file = temporary / TABLE
        with table_file.open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            names = data.truth.names if isinstance(data, SyntheticImages) else ()
            table.writerow(["file", "label", "class", *names])
            item = 0
            for images, labels in _batches(data):
                for image, label in zip(images, labels, strict=True):
                    file = f"{class_folder(data.classes[label])}/{item:07d}.png"
                    Image.fromarray(image.transpose(1, 2, 0)).save(temporary / file)
                    # A path has to stay one that readers of the table find.
                    named = file if spreadsheet_cell(file) == file else f"./{file}"
                    others = map(spreadsheet_cell, [classes[label], *_values(data, item)])
                    table.writerow([named, label, *others])
                    item += 1
                advance("images", item, len(data))
        write_record(temporary, "data set", data={data.name: data.digest})


def export_safetensors(
    data: LabelledData, path: Path, advance: Advance, modalities: Sequence[str] = ()
) -> None:
    """Write one safetensors file, batch by batch, so that memory does not grow with the data.

    It has ``images`` (n, 3, height, width) uint8, ``labels`` (n,) int64, for a synthetic world
    ``attributes`` (n, attributes) int64, and the modalities asked for, each under its name; its metadata
    name the classes and the attributes' values.

    Parameters
    ----------
    data
        Labelled images.
    path
        The file.
    advance
        Told how many images, and how many of each modality, are written.
    modalities
        What else is written of every item, such as ``depth``; shapes and types as
        :class:`mitools.datasets.base.MultimodalData` has them.

    Raises
    ------
    InputError
        When the items are no images, or not all of one size, or lack a modality; or as :func:`.utf8_names`.
    """
    size = next(_batches(data))[0].shape[1:]
    first = {name: _modality(data, 0, name) for name in modalities}
    labels: dict[str, NDArray[np.int64]] = {"labels": data.labels}
    classes = json.dumps(utf8_names(data.classes, data.name))
    metadata = {"name": data.name, "digest": data.digest, "classes": classes}
    if isinstance(data, SyntheticImages):
        labels["attributes"] = data.attributes
        metadata["attributes"] = json.dumps(data.truth.values)
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {
        name: (array.shape, np.dtype(np.int64)) for name, array in labels.items()
    }
    shapes["images"] = ((len(data), *size), np.dtype(np.uint8))
    shapes |= {name: ((len(data), *array.shape), array.dtype) for name, array in first.items()}
    for name, (shape, dtype) in shapes.items():
        start, end = end, end + int(np.prod(shape)) * dtype.itemsize
        header[name] = {
            "dtype": _SAFETENSORS_TYPES[dtype.name],
            "shape": list(shape),
            "data_offsets": [start, end],
        }
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    remove_leftovers(path)
    with whole_file(path) as temporary, temporary.open("wb") as stream:
        stream.write(len(encoded).to_bytes(8, "little") + encoded)
        for array in labels.values():
            stream.write(np.ascontiguousarray(array, dtype="<i8").data)
        done = 0
        for images, _ in _batches(data):
            if images.shape[1:] != size:
                raise InputError(f"{data.name}: images of several sizes; export to a folder instead")
            stream.write(np.ascontiguousarray(images).data)
            done += len(images)
            advance("images", done, len(data))
        for name, one in first.items():
            for item in range(len(data)):
                values = _modality(data, item, name)
                if values.shape != one.shape:
                    raise InputError(f"{data.name}: {name} of several sizes; export items of one size")
                stream.write(np.ascontiguousarray(values).data)
                advance(name, item + 1, len(data))


def _modality(data: LabelledData, item: int, name: str) -> NDArray[np.float32] | NDArray[np.uint8]:
    if not isinstance(data, MultimodalData):
        raise InputError(f"{data.name} has images alone, and no modality {name!r}")
    found = data.modality(item, name)
    if found is None:
        raise InputError(f"{data.name}: item {item} has no {name}; export data in which every item has it")
    return found


def _batches(data: LabelledData) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Images, shape (batch, 3, height, width), and their labels: many at once where they can be composed."""
    if isinstance(data, SyntheticImages):
        for start in range(0, len(data), _IMAGES_AT_ONCE):
            indices = np.arange(start, min(start + _IMAGES_AT_ONCE, len(data)))
            yield data.compose(indices).cpu().numpy(), data.labels[indices]
        return
    for index in range(len(data)):
        image, label = data[index]
        if not isinstance(image, Image.Image):
            raise InputError(
                f"{data.name}: its items are rows of numbers, not images; there is nothing to export"
            )
        yield np.asarray(image).transpose(2, 0, 1)[None], np.array([label])


def _values(data: LabelledData, item: int) -> list[str]:
    """Names of the values that the attributes of an item have."""
    if not isinstance(data, SyntheticImages):
        return []
    return [
        names[code] for names, code in zip(data.truth.values.values(), data.attributes[item], strict=True)
    ]


def _make_class_folder(out: Path, data: LabelledData, name: str) -> None:
    try:
        (out / class_folder(name)).mkdir()
    except FileExistsError:  # a disk that takes two names for one
        raise InputError(
            f"{data.name}: this disk gives class {name!r} the folder of another class, whose name differs in"
            " case or accents alone; export to a safetensors file, or to another disk"
        ) from None
    except OSError as error:
        raise InputError(f"{data.name}: class {name!r} cannot have a folder ({error.strerror})") from None
