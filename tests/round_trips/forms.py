"""Every form in which data keep classes: how it is written, what it can hold and what it may refuse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.round_trips.names import (
    AWKWARD,
    NUMBERS,
    UNSIGNED,
    Classes,
    called,
    ends_in_zero,
    has_codes,
    has_no_end_of_zero,
    is_blank,
    is_folder,
    is_hidden,
    is_member,
    is_path,
    is_printed_number,
    is_text_without_zero,
    is_too_long,
    is_utf8,
    names,
    signed,
    small,
    unsigned,
)
from tests.round_trips.readers import (
    cifar,
    class_folders,
    clips,
    csv_of,
    exported_folder,
    exported_safetensors,
    exported_table,
    hdf5,
    hdf5_bytes,
    hugging_face,
    in_a_dataset,
    in_a_dataset_with_names,
    in_a_frame,
    in_arrays,
    in_lists,
    in_objects,
    listed_parquet,
    lmdb_keys,
    lmdb_table,
    mnist,
    npy,
    npz,
    npz_bytes,
    nyu_depth,
    parquet,
    parquet_of_features,
    safetensors,
    shards,
    shards_in_folders,
    shards_of_json,
    tar,
    text_csv,
    text_parquet,
    two_columns,
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
        "npz, bytes": Form(npz_bytes, holds=lambda name: is_path(name) and not ends_in_zero(name)),
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
        "bytes": Form(hdf5_bytes, holds=lambda name: is_path(name) and "\0" not in name, refused=is_blank),
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
            shards, holds=lambda name: is_path(name) and name == name.rstrip("\r\n"), refused=is_blank
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
