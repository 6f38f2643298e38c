"""Awkward names and numbers of classes, and what of them a file can hold."""

import io
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from mitools.datasets.output.class_folders import class_folder

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
    length = len(name.encode("utf-8", "surrogateescape")) if is_path(name) else 256
    return 0 < length < 256 and "/" not in name and "\0" not in name and name not in (".", "..")


def is_path(name: str) -> bool:
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
