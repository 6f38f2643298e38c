"""Cells of results: found again, never stale, never half-written."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from mitools.core.result_store import ResultStore, Values, sealed, unsealed


class Counted:
    """A measurement that counts how often it was made."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Values:
        self.calls += 1
        return {"value": 0.1 + self.calls, "names": ["a", "b"]}


@pytest.fixture
def measure() -> Counted:
    return Counted()


def test_a_cell_is_computed_once_and_read_ever_after(tmp_path: Path, measure: Counted) -> None:
    first = ResultStore(tmp_path / "cells").cell("certificate", {"seed": 0}, measure)
    again = ResultStore(tmp_path / "cells").cell("certificate", {"seed": 0}, measure)
    assert measure.calls == 1
    assert first == again
    assert first["value"] == 1.1
    assert first["seconds"] >= 0
    (path,) = (tmp_path / "cells").iterdir()
    assert path.name.startswith("certificate-")
    assert set(json.loads(path.read_text())["versions"]) == {"numpy", "scikit-learn", "scipy", "torch"}


def test_another_setting_kind_or_version_is_another_cell(
    tmp_path: Path, measure: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultStore(tmp_path)
    store.cell("certificate", {"seed": 0, "digest": "a"}, measure)
    store.cell("certificate", {"digest": "a", "seed": 0}, measure)
    assert measure.calls == 1
    store.cell("certificate", {"seed": 1, "digest": "a"}, measure)
    store.cell("certificate", {"seed": 0, "digest": "b"}, measure)
    store.cell("quality", {"seed": 0, "digest": "a"}, measure)
    assert measure.calls == 4
    monkeypatch.setattr("mitools.core.result_store.version", lambda name: "99.0")
    store.cell("certificate", {"seed": 0, "digest": "a"}, measure)
    assert measure.calls == 5
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "null",
        lambda text: text.replace('"values"', '"valves"'),
        lambda text: text.replace("seed", "sead"),
        lambda text: json.dumps(json.loads(text) | {"values": 3}),
        lambda text: json.dumps(json.loads(text) | {"values": {}}),
        lambda text: text.replace("1.1", "1.2"),
        lambda text: text.replace('"checksum"', '"chequesum"'),
    ],
    ids=[
        "truncated",
        "empty",
        "list",
        "null",
        "no values",
        "another request",
        "values of another sort",
        "no value",
        "a number edited",
        "no checksum",
    ],
)
def test_a_damaged_cell_is_computed_again(
    tmp_path: Path, measure: Counted, damage: Callable[[str], str]
) -> None:
    store = ResultStore(tmp_path)
    store.cell("certificate", {"seed": 0}, measure)
    (path,) = tmp_path.iterdir()
    path.write_text(damage(path.read_text()))
    assert store.cell("certificate", {"seed": 0}, measure)["value"] == 2.1
    assert store.cell("certificate", {"seed": 0}, measure)["value"] == 2.1
    assert measure.calls == 2


def test_a_document_reads_back_whatever_its_keys_and_the_order_of_them() -> None:
    # 9 comes before 10 as a number, and after it as a text.
    assert unsealed(sealed({"values": {10: 1.5, 9: [None, "é"]}})) == {
        "values": {"9": [None, "é"], "10": 1.5}
    }


def test_bytes_that_are_no_text_count_as_damage(tmp_path: Path, measure: Counted) -> None:
    store = ResultStore(tmp_path)
    store.cell("certificate", {"seed": 0}, measure)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"\xff\xfe\x00")
    assert store.cell("certificate", {"seed": 0}, measure)["value"] == 2.1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_measurement_that_fails_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> Values:
        raise error

    with pytest.raises(error):
        ResultStore(tmp_path / "cells").cell("certificate", {"seed": 0}, fail)
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("value", [math.nan, object()])
def test_values_that_are_no_json_are_not_kept(tmp_path: Path, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        ResultStore(tmp_path).cell("certificate", {"seed": 0}, lambda: {"value": value})
    assert list(tmp_path.iterdir()) == []
