"""Images whose paths and labels stand in a CSV or Parquet file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import IMAGE_COLUMNS, choose_column, label_columns, labelled
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.columns import column_names, column_values, read_columns


class ListedImages(EncodedImages):
    """Image files that a table lists, in its order; meets :class:`mitools.datasets.base.LabelledData`.

    Parameters
    ----------
    spec
        ``csv:FILE?image=COLUMN&label=COLUMN&root=FOLDER`` and the options of images.

    Raises
    ------
    InputError
        When the table or a file is missing, or a column is.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(image_reading(spec))
        self._table = Path(spec.need_name("csv:images.csv?image=path&label=label"))
        names = column_names(self._table)
        image = choose_column(spec, "image", IMAGE_COLUMNS, names, str(self._table))
        labels = label_columns(spec, names, str(self._table))
        table = read_columns(self._table, [image, *labels])
        paths, *values = (column_values(self._table, table, name) for name in (image, *labels))
        root = Path(spec.options.get("root", self._table.parent))
        if paths and not isinstance(paths[0], str):
            raise InputError(
                f"{self._table}: column {image!r} holds no paths; a Parquet file of images is parquet:PATH"
            )
        self._files = [root / path.replace("\\", "/") for path in paths]
        self.opened = OpenedFiles(self._files)
        self.name = self._table.stem
        columns = [(name, column, None) for name, column in zip(labels, values, strict=True)]
        self.classes, self.labels, self.targets = labelled(spec, columns, str(self._table))
        self.look_through("csv", *(str(value) for column in values for value in column), *paths)

    def content(self, place: int) -> bytes:
        """Read one file."""
        try:
            return self._files[place].read_bytes()
        except OSError as error:
            raise InputError(f"{self._files[place]}: cannot be read ({error.strerror})") from None

    def where(self, place: int) -> str:
        """Give the path of one file."""
        return str(self._files[place])

    def column(self, name: str) -> NDArray[Any]:
        """Read another column of the table, one value an item."""
        table = read_columns(self._table, [name])
        return np.array(column_values(self._table, table, name))[self.kept]


def open_csv(spec: Spec) -> ListedImages:
    """Open ``csv:FILE?image=COLUMN&label=COLUMN&root=FOLDER``.

    Raises
    ------
    InputError
        As :class:`ListedImages`.
    """
    return ListedImages(spec)
