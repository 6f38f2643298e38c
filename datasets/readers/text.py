"""Labelled texts in a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.specs import Spec
from mitools.datasets.readers.columns import column_values, number_classes, read_columns
from mitools.datasets.targets import Targets, classes_by_value, one_class, read_targets


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
    targets
        What the texts are compared with where that is not one class each.
    """

    name: str
    classes: Sequence[str]
    texts: Sequence[str]
    labels: NDArray[np.int64]
    digest: str
    targets: Targets | None = None

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[str, int]:
        """Read one text and its label."""
        return self.texts[index], int(self.labels[index])


def open_text(spec: Spec) -> TextTable:
    """Open ``text:PATH.csv?text=COLUMN&label=COLUMN``, or a ``.parquet`` file.

    The columns are ``text`` and ``label`` unless the spec names others. Labels are names or whole numbers;
    ``target=continuous`` or ``multi-label`` reads them, or several columns (``label=a|b``), otherwise.

    Raises
    ------
    InputError
        When the file is missing or damaged, has no such column, or a row lacks its text or label.
    """
    path = Path(spec.need_name("text:reviews.csv?text=review&label=stars"))
    text, label = spec.options.get("text", "text"), spec.options.get("label", "label")
    named, asked = label.split("|"), spec.options.get("target")
    table = read_columns(path, [text, *named])
    texts, *values = (column_values(path, table, name) for name in (text, *named))
    if not texts:
        raise InputError(f"{path}: no rows")
    _require(path, text, texts, str, "texts")
    columns = list(zip(named, values, strict=True))
    targets = read_targets(columns, asked, str(path))
    digest = digest_text("text", digest_file(path), text, label)
    if targets is not None:
        digest = digest_text(digest, targets.kind)
        return TextTable(path.stem, *_all_of_one(texts), digest, targets)
    if len(columns) > 1:
        raise InputError(f"{path}: label={label} names several columns; add target=multi-label or continuous")
    found = classes_by_value(values[0]) if asked == "class" else values[0]
    _require(path, label, found, (str, int), "names or whole numbers")
    classes, labels = number_classes(found)
    return TextTable(path.stem, classes, texts, labels, digest)


def _all_of_one(texts: Sequence[str]) -> tuple[Sequence[str], Sequence[str], NDArray[np.int64]]:
    classes, labels = one_class(len(texts))
    return classes, texts, labels


def _require(path: Path, name: str, column: Sequence[Any], wanted: Any, kinds: str) -> None:
    """Refuse a column that holds something else, or nothing, in a row."""
    wrong = next((row for row, value in enumerate(column) if not isinstance(value, wanted)), None)
    if wrong is not None:
        raise InputError(
            f"{path}: column {name!r} holds {column[wrong]!r} in row {wrong}; it must hold {kinds}"
        )
    blank = next((row for row, value in enumerate(column) if value == "" or str(value).isspace()), None)
    if blank is not None:
        raise InputError(f"{path}: column {name!r} has nothing in row {blank}; drop such rows")
