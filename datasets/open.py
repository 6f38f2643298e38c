"""One string opens a data set: the table of sources."""

from collections.abc import Callable
from typing import NamedTuple

from mitools.core.specs import Spec, parse_spec
from mitools.datasets.base import LabelledData
from mitools.datasets.readers.digits import open_digits
from mitools.datasets.readers.features import FEATURE_OPTIONS, open_features
from mitools.datasets.readers.folder import open_folder
from mitools.datasets.readers.mnist import open_mnist
from mitools.datasets.readers.tar import open_tar
from mitools.datasets.readers.text import TEXT_OPTIONS, open_text
from mitools.datasets.selection import keep_classes, take_evenly
from mitools.datasets.synthetic.open import (
    CDP_OPTIONS,
    COLORFUL_MOVING_MNIST_OPTIONS,
    open_cdp,
    open_colorful_moving_mnist,
)


class Source(NamedTuple):
    """What opens a source's specs, what one looks like, and its options beyond ``limit`` and ``classes``."""

    opener: Callable[[Spec], LabelledData]
    example: str
    options: tuple[str, ...] = ()


SOURCES: dict[str, Source] = {
    "cdp": Source(open_cdp, "cdp", CDP_OPTIONS),
    "colorful_moving_mnist": Source(
        open_colorful_moving_mnist, "colorful_moving_mnist", COLORFUL_MOVING_MNIST_OPTIONS
    ),
    "digits": Source(open_digits, "digits"),
    "features": Source(open_features, "features:PATH", FEATURE_OPTIONS),
    "folder": Source(open_folder, "folder:PATH"),
    "mnist": Source(open_mnist, "mnist:FOLDER?part=test", ("part",)),
    "tar": Source(open_tar, "tar:PATH", ("under",)),
    "text": Source(open_text, "text:PATH?text=COLUMN&label=COLUMN", TEXT_OPTIONS),
}


def data_specs() -> list[str]:
    """Show what a spec of each source looks like; words in capitals stand for the user's own."""
    return [source.example for source in SOURCES.values()]


def open_data(text: str) -> LabelledData:
    """Open the data set that a spec names.

    Parameters
    ----------
    text
        ``folder:PATH`` (one folder a class), ``tar:PATH`` (class folders inside), ``mnist:DIR?part=test``,
        ``digits``, ``features:PATH`` (npz, npy, safetensors, parquet), ``text:PATH?text=COLUMN&label=COLUMN``
        (csv, parquet), or the synthetic ``cdp`` and ``colorful_moving_mnist`` (options in
        :mod:`mitools.datasets.synthetic.open`). Every source takes ``classes=a,b`` (these classes alone) and
        ``limit=N`` (N items, every class keeping its share; see
        :func:`mitools.datasets.selection.take_evenly`).

    Raises
    ------
    InputError
        When the spec cannot be read (the wrong part is named) or the data cannot.
    """
    spec = parse_spec(text, SOURCES)
    source = SOURCES[spec.source]
    spec.only(*source.options, "classes", "limit")
    data = source.opener(spec)
    if "classes" in spec.options:
        data = keep_classes(data, spec.options["classes"].split(","))
    if "limit" in spec.options:
        data = take_evenly(data, spec.integer("limit", 1, at_least=1))
    return data
