"""The examples in docstrings give what they show."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import mitools.variables

ROOM = Path(mitools.variables.__path__[0])
WITH_EXAMPLES = [path.stem for path in sorted(ROOM.glob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples(module: str) -> None:
    assert doctest.testmod(import_module(f"mitools.variables.{module}")).failed == 0
