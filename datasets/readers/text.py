"""Labelled texts in a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.specs import Spec
from mitools.datasets.readers.columns import column_values, number_classes, read_columns


@dataclass(frozen=True)
class TextTable:
    """Labelled texts; meets :class:`mitools.datasets.base.LabelledData`.

    Attributes
    ----------
    name
        A short name for tables and figures.
    classes
        The class names.
    texts
        n texts.
    labels
        Shape (n,), int64.
    digest
        Changes when the file or the choice of its columns does.
    """

    name: str
    classes: Sequence[str]
    texts: Sequence[str]
    labels: NDArray[np.int64]
    digest: str

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[str, int]:
        """Read one text and its label."""
        return self.texts[index], int(self.labels[index])


def open_text(spec: Spec) -> TextTable:
    """Open ``text:PATH.csv?text=COLUMN&label=COLUMN``, or a ``.parquet`` file.

    The columns are ``text`` and ``label`` unless the spec names others. Labels are names or whole numbers.

    Raises
    ------
    InputError
        When the file is missing or damaged, has no such column, or a row lacks its text or label.
    """
    path = Path(spec.need_name("text:reviews.csv?text=review&label=stars"))
    text, label = spec.options.get("text", "text"), spec.options.get("label", "label")
    table = read_columns(path, [text, label])
    texts, values = (column_values(path, table, name) for name in (text, label))
    for name, column, kinds in ((text, texts, "texts"), (label, values, "names or whole numbers")):
        wanted = str if name == text else (str, int)
        wrong = next((row for row, value in enumerate(column) if not isinstance(value, wanted)), None)
        if wrong is not None:
            raise InputError(
                f"{path}: column {name!r} holds {column[wrong]!r} in row {wrong}; it must hold {kinds}"
            )
        blank = next((row for row, value in enumerate(column) if value == "" or str(value).isspace()), None)
        if blank is not None:
            raise InputError(f"{path}: column {name!r} has nothing in row {blank}; drop such rows")
    if not texts:
        raise InputError(f"{path}: no rows")
    classes, labels = number_classes(values)
    return TextTable(path.stem, classes, texts, labels, digest_text("text", digest_file(path), text, label))
