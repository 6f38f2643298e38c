"""One string opens a data set."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec, opening, parse_spec
from mitools.datasets.base import LabelledData
from mitools.datasets.class_lists import named_classes
from mitools.datasets.grouped import Grouped, open_groups
from mitools.datasets.official_parts import TrainAndTest, part_specs
from mitools.datasets.readers.columns import TABLE_ENDINGS
from mitools.datasets.selection import item_files_of, keep_classes, leave_out, take_evenly
from mitools.datasets.sources import DATA_SOURCES, DataSource


def open_data(text: str) -> LabelledData:
    """Open the data set that a spec names.

    Parameters
    ----------
    text
        ``folder:PATH`` (one folder a class), ``tar:PATH`` (class folders inside), ``csv:PATH`` (paths and
        labels or other targets; of files in ``root=``, a folder or a tar archive), ``parquet:PATH``,
        ``hf-datasets:PATH_OR_NAME``, ``webdataset:PATTERN``, ``hdf5:FILE``, ``lmdb:PATH``,
        ``torchvision:NAME?root=DIR&split=test``, ``mnist:DIR?part=test``, ``digits``, ``features:PATH`` (npz,
        npy, safetensors, parquet), ``text:PATH?text=COLUMN&label=COLUMN`` (csv, parquet), ``clips:PATH``
        (videos, one folder a class), ``nyu_depth:FILE.mat``, or the synthetic ``cdp``,
        ``colorful_moving_mnist`` and ``scenes`` (options in
        :mod:`mitools.datasets.synthetic.open`). Every source takes ``classes=a,b`` (these classes alone; or
        the name of a published list, :mod:`mitools.datasets.class_lists`) and ``limit=N`` (N items, every
        class keeping its share; see :func:`mitools.datasets.selection.take_evenly`), and ``groups=FILE`` or
        ``groups=COLUMN`` (which items depend on each other; see
        :func:`mitools.datasets.grouped.open_groups`), ``ignore=a,b`` (labels that stand for no class: their
        items are left out), and ``name=`` for what tables and figures call it. ``train=A&test=B`` opens two
        parts as one data set: what is fitted and then tested is fitted on the one and tested on the other
        (:mod:`mitools.datasets.official_parts`).

    Raises
    ------
    InputError
        When the spec cannot be read (the wrong part is named) or the data cannot.
    """
    spec = parse_spec(text, DATA_SOURCES, _suggested)
    source = DATA_SOURCES[spec.source]
    _refuse_other_targets(spec, source)
    spec.only(*source.options, "classes", "groups", "ignore", "limit", "name", "test", "train")
    with opening(text):
        if "train" in spec.options or "test" in spec.options:
            data: LabelledData = TrainAndTest(*(_opened(source, part) for part in part_specs(spec)))
        else:
            data = _opened(source, spec)
    if "ignore" in spec.options:
        data = leave_out(data, spec.options["ignore"].split(","))
    if "classes" in spec.options:
        data = keep_classes(data, named_classes(spec.options["classes"], data.classes, data.name))
    if "limit" in spec.options:
        data = take_evenly(data, spec.integer("limit", 1, at_least=1))
    return named(data, spec.options["name"]) if "name" in spec.options else data


def _refuse_other_targets(spec: Spec, source: DataSource) -> None:
    """Refuse targets that are no classes where a source has none, and say how they come in.

    Raises
    ------
    InputError
        With the table that would hold them.
    """
    asked = spec.options.get("target", "class")
    if asked == "class" or "target" in source.options:
        return
    in_files = spec.source in ("folder", "tar")
    export = "" if in_files else "export its images (mitools datasets export) and "
    raise InputError(
        f"spec {spec.text!r}: every item of {spec.source} has a class and no other target; {export}write"
        " paths and targets into a table, and give"
        f" csv:TABLE.csv?label=COLUMN&target={asked}&root={spec.name if in_files else 'FOLDER'}"
    )


def named(data: LabelledData, name: str) -> LabelledData:
    """Give data the name that tables and figures show; their digest does not change."""
    try:
        data.name = name  # type: ignore[misc]
    except AttributeError:  # a frozen dataclass
        return replace(data, name=name)  # type: ignore[type-var]
    return data


def _opened(source: DataSource, spec: Spec) -> LabelledData:
    """Open a source, or one part of it, with its groups."""
    data = source.opener(spec)
    return Grouped(data, _groups(data, spec)) if "groups" in spec.options else data


def _groups(data: LabelledData, spec: Spec) -> NDArray[Any]:
    """Read the groups from a file, or from a column of the data's own."""
    column, named = getattr(data, "column", None), spec.options["groups"]
    if column is None or Path(named).suffix in (".npy", *TABLE_ENDINGS):
        return open_groups(spec, named, item_files_of(data))
    found: NDArray[Any] = column(named)
    return found


def _suggested(name: str) -> str:
    """Give the spec of data that were named without their source; nothing where none is known."""
    if os.path.isdir(name):  # false, and no error, where no file could be called so
        return f"folder:{name}"
    if name.endswith((".tar", ".tar.gz", ".tgz")):
        return f"tar:{name}"
    return f"features:{name}" if name.endswith((".npz", ".npy", ".parquet", ".safetensors")) else ""
