"""Recipes: read strictly, with one line for the first fault."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, make_recipe, read_recipe


class Optimiser(Recipe):
    name: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.1


class Training(Recipe):
    encoder: str
    epochs: Annotated[int, Field(ge=1)] = 1
    optimiser: Optimiser = Optimiser()
    seeds: tuple[int, ...] = (0,)


def read(tmp_path: Path, text: str) -> Training:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return read_recipe(path, Training)


def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, "encoder: convnet\noptimiser: {learning_rate: 3e-1}\nseeds: [1, 2]\n")
    assert found == Training(encoder="convnet", optimiser=Optimiser(learning_rate=0.3), seeds=(1, 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("encoder: a\nepoch: 3\n", "unknown key 'epoch'; did you mean .*epochs"),
        (
            "encoder: a\noptimiser: {learning_rte: 1.0}\n",
            "unknown key 'optimiser.learning_rte'; .*learning_rate",
        ),
        ("epochs: 3\n", "'encoder' is missing"),
        ("encodr: a\n", "unknown key 'encodr'; did you mean .*encoder"),
        ("encoder: a\nencoder: b\n", "the key 'encoder' is given twice"),
        ("? [encoder, epochs]\n: a\n", "not YAML .*unhashable key"),
        ("encoder: a\nepochs: many\n", "'epochs': .*integer, not 'many'"),
        ("encoder: a\nepochs: '3'\n", "'epochs': .*integer, not '3'"),
        ("encoder: a\nepochs: 0\n", "'epochs': .*greater than or equal to 1, not 0"),
        ("encoder: a\noptimiser: {name: lamb}\n", "'optimiser.name': .*'sgd' or 'adamw', not 'lamb'"),
        ("encoder: a\nseeds: [0, x]\n", "'seeds.1': .*integer, not 'x'"),
        ("- a\n- b\n", "holds no keys; expected: encoder"),
        ("", "holds no keys"),
        ("encoder: [a\n", "not YAML"),
        ("encoder: !!python/object/apply:os.system [touch canary]\n", "not YAML"),
    ],
)
def test_a_fault_is_one_line_that_names_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "recipe.yaml") in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        read_recipe(tmp_path / "none.yaml", Training)


def test_a_recipe_made_of_objects_takes_paths_and_no_other_kind() -> None:
    assert make_recipe({"encoder": Path("net.pth")}, Training).encoder == "net.pth"
    with pytest.raises(InputError, match="a recipe holds an object of object; give texts, numbers and lists"):
        make_recipe({"encoder": object()}, Training)
