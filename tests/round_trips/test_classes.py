"""Classes that are told apart in data stay apart: every reader and export, on awkward names and numbers.

A class may be refused in one line where a form cannot hold it; two are never one, no item changes its class.
"""

import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from mitools.core.errors import InputError
from mitools.datasets.accepted import as_labelled_data
from mitools.datasets.base import LabelledData
from mitools.datasets.sources import DATA_SOURCES
from tests.round_trips.forms import FORMS, NO_NAMES, READERS, Form
from tests.round_trips.names import LONG, QUICK, which


def refused(form: Form, drawn: Sequence[Any]) -> bool:
    """Write two items a class, read them back and compare; tell whether they were refused instead."""
    kept = [name for name in drawn if form.holds(name)]
    values = kept if form.numbered else [*kept, *kept]
    if not values:
        return True
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            written = form.write(Path(folder), values)
            data = written if hasattr(written, "digest") else as_labelled_data(written)
            items = [data[k] for k in range(len(data))]
        except InputError as error:
            if "\n" in str(error) or not any(map(form.refused, values)):
                pytest.fail(f"{error} of {values!r}")
            return True
        told = range(len(values)) if form.numbered else values
        absent = {item for item, value in enumerate(values) if form.left_out(value)}
        compare(data, items, list(map(repr, told)), absent)
    return False


def compare(data: LabelledData, items: list[Any], values: list[str], absent: set[int]) -> None:
    """Check that two items are of one class if, and only if, they were written so."""
    classes, labels = list(data.classes), data.labels.tolist()
    assert [label for _, label in items] == labels
    assert len(set(classes)) == len(classes), classes
    label_of = {which(item): label for item, label in items}
    assert len(label_of) == len(items)
    assert set(label_of) == set(range(len(values))) - absent
    pairs = {(values[item], classes[label]) for item, label in label_of.items()}
    merged = [name for name, count in Counter(name for _, name in pairs).items() if count > 1]
    parted = [value for value, count in Counter(value for value, _ in pairs).items() if count > 1]
    assert not merged, merged
    assert not parted, parted


def test_every_source_of_data_has_its_forms() -> None:
    """A new source wants the forms in which it keeps classes here, or its place among those without."""
    assert set(DATA_SOURCES) - NO_NAMES == set(READERS)


@pytest.mark.parametrize("form", FORMS)
def test_awkward_classes_come_back_all_together(form: str) -> None:
    assert not refused(
        FORMS[form], [name for name in FORMS[form].all_classes if not FORMS[form].refused(name)]
    )


@pytest.mark.parametrize("form", FORMS)
def test_classes_stay_apart(form: str) -> None:
    settings(QUICK)(given(FORMS[form].classes)(lambda drawn: _ignore(refused(FORMS[form], drawn))))()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_many_classes_stay_apart(form: str) -> None:
    settings(LONG)(given(FORMS[form].classes)(lambda drawn: _ignore(refused(FORMS[form], drawn))))()


def _ignore(found: object) -> None:
    """Hypothesis takes no tests that return something."""
