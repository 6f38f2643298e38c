"""The recipes that come along: each is what its analysis reads, and an unknown key is refused."""

from pathlib import Path
from typing import get_args

import pytest

from mitools.analyses.registry import ANALYSES, Scale, recipe_path
from mitools.core.errors import InputError
from mitools.core.recipes import read_recipe

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
