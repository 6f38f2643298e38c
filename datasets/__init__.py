"""Labelled data sets, named by one-line specs."""

from mitools.datasets.base import Item, LabelledData
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes

__all__ = ["Item", "LabelledData", "open_data", "require_classes"]
