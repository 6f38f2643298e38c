"""Code of the user's own: found in the current folder, named when it fails, and followed by its digest."""

import sys
from pathlib import Path

import pytest

from mitools.core.errors import InputError
from mitools.core.own_code import digest_code, import_named


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("brought_for_test.py").write_text("class Thing:\n    size = 3\n")
    yield Path("brought_for_test.py")
    sys.modules.pop("brought_for_test", None)


def test_a_module_of_the_current_folder_is_found_and_the_path_left_as_it_was(module: Path) -> None:
    before = list(sys.path)
    assert import_named("thing", "brought_for_test:Thing").size == 3
    assert sys.path == before


def test_a_change_of_the_file_changes_the_digest(module: Path) -> None:
    thing = import_named("thing", "brought_for_test:Thing")
    before = digest_code(thing)
    assert len(before) == 64
    module.write_text("class Thing:\n    size = 4\n")
    assert digest_code(thing) != before


def test_classes_of_mitools_and_of_no_file_have_no_digest() -> None:
    assert digest_code(InputError) == digest_code(int) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("math", "thing 'python:math' is not of the form python:module:name"),
        (":tan", "is not of the form python:module:name"),
        ("math:", "is not of the form python:module:name"),
        ("no_such_module:x", "cannot be imported .ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:no_such_name", "cannot be imported .AttributeError"),
    ],
)
def test_what_cannot_be_imported_is_one_line(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        import_named("thing", name)
    assert "\n" not in str(caught.value)


def test_code_that_fails_is_one_line(module: Path) -> None:
    module.write_text("raise RuntimeError('first\\nsecond')\n")
    with pytest.raises(InputError, match=r"cannot be imported \(RuntimeError: first second\)"):
        import_named("thing", "brought_for_test:Thing")
