import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import mitools
import mitools.api

GUIDE = Path(mitools.__file__).parent / "guide" / "python.md"
API = [f"mitools.api.{file.stem}" for file in Path(mitools.api.__file__).parent.glob("*.py")]
MODULES = ("mitools", *API, "mitools.lists", "mitools.core.arrays", "mitools.core.html",
           "mitools.backends.lending", "mitools.datasets.arrays",
           "mitools.integrations.class_information")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("name", [name for name in mitools.__all__ if not name.startswith("__")])
def test_everything_public_says_what_it_is(name):
    assert getattr(mitools, name).__doc__


@pytest.mark.parametrize(
    "name", [n for n in mitools.__all__ if callable(getattr(mitools, n)) and n.islower()]
)
def test_every_public_function_has_an_example_that_runs(name):
    examples = doctest.DocTestFinder().find(getattr(mitools, name), globs={})
    assert any(example.examples for example in examples)


def test_the_guide_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    assert len(blocks) > 4
    names = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
