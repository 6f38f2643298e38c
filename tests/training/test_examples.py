"""The examples in docstrings give what they show."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import mitools.training

ROOM = Path(mitools.training.__path__[0])
WITH_EXAMPLES = [path for path in sorted(ROOM.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOM)))
def test_examples(path: Path) -> None:
    module = import_module(".".join(("mitools", "training", *path.relative_to(ROOM).with_suffix("").parts)))
    assert doctest.testmod(module).failed == 0


def test_every_loss_has_one() -> None:
    losses = {path.name for path in (ROOM / "losses").glob("[!_]*.py")}
    assert losses == {path.name for path in WITH_EXAMPLES if path.parent.name == "losses"}
