"""The examples of metrics that lie in folders of their own run as they are written."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import mitools.metrics

ROOT = Path(mitools.metrics.__path__[0])
MODULES = sorted(f"{path.parent.name}.{path.stem}" for path in ROOT.glob("*/[!_]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    assert doctest.testmod(import_module(f"mitools.metrics.{module}")).failed == 0
