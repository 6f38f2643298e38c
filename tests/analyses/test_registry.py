"""The recipes that come along: each is what its analysis reads, and an unknown key is refused."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from mitools.analyses.registry import ANALYSES, Scale, recipe_path
from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, read_recipe

NAMES = (
    "batch_size",
    "task_dependence",
    "augmentation_sweep",
    "objectives",
    "negatives",
    "representation_quality",
)


def test_the_papers_questions_are_there() -> None:
    assert set(NAMES) <= set(ANALYSES)


@pytest.mark.parametrize("scale", get_args(Scale))
@pytest.mark.parametrize("name", NAMES)
def test_recipes_are_read_strictly(name: str, scale: Scale, tmp_path: Path) -> None:
    path = recipe_path(name, scale)
    read_recipe(path, ANALYSES[name].recipe)
    (tmp_path / "more.yaml").write_text(path.read_text() + "epoch: 3\n")
    with pytest.raises(InputError, match="unknown key 'epoch'"):
        read_recipe(tmp_path / "more.yaml", ANALYSES[name].recipe)


@pytest.mark.parametrize("name", ANALYSES)
def test_every_row_leads_to_an_analysis(name: str) -> None:
    analysis = ANALYSES[name]
    assert issubclass(analysis.recipe, Recipe)
    assert callable(analysis.run)
    assert all(recipe_path(name, scale).is_file() for scale in get_args(Scale))


def test_listing_imports_no_analysis() -> None:
    heavy = "{'torch', 'pandas', 'scipy', 'sklearn', 'matplotlib'}"
    code = f"import sys; from mitools.analyses.registry import ANALYSES; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
