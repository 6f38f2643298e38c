"""Images in the rows of an Arrow table: Parquet files, and data sets of Hugging Face on a disk."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import IMAGE_COLUMNS, choose_column, label_columns, labelled
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.columns import as_they_are

if TYPE_CHECKING:
    import pyarrow as pa


class TableImages(EncodedImages):
    """Encoded images in a column of a table; meets :class:`mitools.datasets.base.LabelledData`.

    The column of images holds bytes, or what Hugging Face writes, ``{bytes, path}``. Rows lie on the disk,
    mapped, in the order of the table; several processes read the same ones.

    Parameters
    ----------
    spec
        With ``image=``, ``label=`` and the options of images.
    name
        Of the data.
    table
        The rows.
    opened
        The files in which they lie, where these are the user's own.

    Raises
    ------
    InputError
        When a column is missing or of another kind, or a row lacks its image or label.
    """

    def __init__(self, spec: Spec, name: str, table: "pa.Table", opened: OpenedFiles | None = None) -> None:
        super().__init__(image_reading(spec))
        self.name, self._table, self.opened = name, table, opened
        image = choose_column(spec, "image", IMAGE_COLUMNS, table.column_names, name)
        labels = label_columns(spec, table.column_names, name)
        self._chunks = [_bytes_of(chunk, name, image) for chunk in table[image].chunks]
        self._ends = np.cumsum([len(chunk) for chunk in self._chunks])
        columns = [(one, table[one].to_pylist(), _class_names(table.schema, one)) for one in labels]
        self.classes, self.labels, self.targets = labelled(spec, columns, name)
        values = (str(value) for _, column, _ in columns for value in column)
        self.look_through("rows", *values, column=f"{image} of {name}")

    def content(self, place: int) -> bytes:
        """Read one row's image."""
        chunk = int(np.searchsorted(self._ends, place, side="right"))
        start = int(self._ends[chunk - 1]) if chunk else 0
        content: bytes | None = self._chunks[chunk][place - start].as_py()
        if content is None:
            raise InputError(f"{self.where(place)}: no image")
        return content

    def where(self, place: int) -> str:
        """Give the data's name and the row."""
        return f"{self.name}: row {place}"

    def column(self, name: str) -> NDArray[Any]:
        """Read another column of the table, one value an item."""
        if name not in self._table.column_names:
            raise InputError(f"{self.name}: no column {name!r}; it has {', '.join(self._table.column_names)}")
        return as_they_are(self._table[name].to_pylist(), f"{self.name}, column {name!r}")[self.kept]

    def __getstate__(self) -> dict[str, Any]:
        # A worker started afresh (not forked) gets the encoded bytes themselves.
        return self.__dict__


def open_parquet(spec: Spec) -> TableImages:
    """Open ``parquet:PATH?image=COLUMN&label=COLUMN``: a file, a folder of files, or a pattern with ``*``.

    Raises
    ------
    InputError
        When no file is there or one is damaged; and as :class:`TableImages`.
    """
    path = spec.need_name("parquet:train-*.parquet?image=image&label=label")
    files = _parquet_files(path)
    return TableImages(spec, Path(path.replace("*", "")).stem or "parquet", read_parquet(files))


def open_hugging_face(spec: Spec) -> TableImages:
    """Open ``hf-datasets:FOLDER?split=test&image=COLUMN&label=COLUMN``, or ``hf-datasets:ORG/NAME``.

    A folder is what ``save_to_disk`` has written, or Parquet files of which each names its split
    (``test-00000-of-00001.parquet``); it is read without the library. A name is fetched by it
    (``pip install "mitools[datasets]"``), which never runs code of the repository.

    Raises
    ------
    InputError
        When there is no such data set or split; and as :class:`TableImages`.
    """
    name = spec.need_name("hf-datasets:ORG/NAME?split=test&image=image&label=label")
    split = spec.options.get("split")
    folder = Path(name)
    opened = None
    if folder.is_dir():
        # Of a split that is chosen: others may be written meanwhile.
        own = folder / split if split is not None and (folder / split).is_dir() else folder
        opened = OpenedFiles([file for file in sorted(own.rglob("*.arrow")) if not file.match("cache-*")])
        table = _saved_table(folder, split)
    else:
        table = _fetched_table(name, split or "test")
    return TableImages(spec, "-".join(filter(None, (folder.name, split))), table, opened)


def read_parquet(files: Sequence[Path]) -> "pa.Table":
    """Put Parquet files into one table that lies, unpacked, in a temporary file without a name.

    Raises
    ------
    InputError
        When one is damaged, or they differ in their columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = [pq.ParquetFile(file) for file in files]
        schemas = [file.schema_arrow for file in opened]
        different = next((k for k, one in enumerate(schemas) if not one.equals(schemas[0])), None)
        if different is not None:
            raise InputError(
                f"{files[different]} and {files[0]} differ in their columns; read them one by one"
            )
        batches = (batch for file in opened for batch in file.iter_batches(batch_size=1024))
        return _mapped(schemas[0], batches)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{files[0]}: no readable Parquet file ({reason}); fetch it again") from None


def _mapped(schema: "pa.Schema", batches: Iterable["pa.RecordBatch"]) -> "pa.Table":
    import pyarrow as pa

    with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
        with pa.OSFile(file.name, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return pa.ipc.open_file(pa.memory_map(file.name)).read_all()


def _parquet_files(path: str) -> list[Path]:
    place = Path(path)
    if "*" in path:
        found = sorted(place.parent.glob(place.name))
    else:
        found = sorted(place.rglob("*.parquet")) if place.is_dir() else [place]
    if not found or not all(file.is_file() for file in found):
        raise InputError(f"{path}: no such Parquet file")
    return found


def _saved_table(folder: Path, split: str | None) -> "pa.Table":
    """Read what ``save_to_disk`` has written, or Parquet files that name their split."""
    import pyarrow as pa

    known = [path.name for path in sorted(folder.iterdir()) if (path / "state.json").is_file()]
    if known:
        if split not in known:
            raise InputError(f"{folder}: choose with split={' or split='.join(known)}")
        folder = folder / str(split)
    if (folder / "state.json").is_file():
        try:
            names = json.loads((folder / "state.json").read_bytes())["_data_files"]
            files = [folder / Path(str(one["filename"])).name for one in names]
            tables = [pa.ipc.open_stream(pa.memory_map(str(file))).read_all() for file in files]
            return pa.concat_tables(tables)
        except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{folder}: damaged ({reason}); save it again with save_to_disk") from None
    files = sorted(folder.rglob("*.parquet"))
    splits = dict.fromkeys(file.name.partition("-")[0].removesuffix(".parquet") for file in files)
    if not files:
        raise InputError(f"{folder}: neither what save_to_disk writes nor Parquet files")
    if len(splits) > 1 and split not in splits:
        raise InputError(f"{folder}: choose with split={' or split='.join(splits)}")
    wanted = split or next(iter(splits))
    return read_parquet([file for file in files if file.name.partition("-")[0].split(".")[0] == wanted])


def _fetched_table(name: str, split: str) -> "pa.Table":
    from mitools.core.optional_packages import need

    library = need("datasets", "datasets", "hf-datasets")
    if not hasattr(library, "load_dataset"):
        raise InputError(
            f'hf-datasets: {name} is no folder, and the library is not there; pip install "datasets"'
        )
    try:
        return library.load_dataset(name, split=split).with_format("arrow").data.table
    except Exception as error:  # the hub, the disk and the library may raise anything
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"hf-datasets: {name} cannot be had ({reason}); check the name and split=") from None


def _bytes_of(chunk: "pa.Array", where: str, column: str) -> "pa.Array":
    import pyarrow as pa

    if pa.types.is_struct(chunk.type) and "bytes" in {
        chunk.type[k].name for k in range(chunk.type.num_fields)
    }:
        chunk = chunk.field("bytes")
    if not (pa.types.is_binary(chunk.type) or pa.types.is_large_binary(chunk.type)):
        raise InputError(
            f"{where}: column {column!r} holds {chunk.type}, not the bytes of image files; name another as"
            " image=COLUMN"
        )
    return chunk


def _class_names(schema: "pa.Schema", label: str) -> list[str] | None:
    """Give what Hugging Face's own notes in a file say that the numbers of a column stand for."""
    notes = (schema.metadata or {}).get(b"huggingface")
    try:
        names = json.loads(notes or b"{}")["info"]["features"][label]["names"]
    except (ValueError, LookupError, TypeError):
        return None
    return [str(name) for name in names] if isinstance(names, list) else None
