"""The pages of the guide that are run from top to bottom, as by a reader, and the specs in their tables."""

import re
import shlex
from pathlib import Path

import pytest

from mitools.cli.main import run
from mitools.core.specs import parse_spec
from mitools.datasets.sources import DATA_SOURCES
from mitools.encoders.open import SOURCES as ENCODER_SOURCES
from mitools.views.colour.spaces import SPACES
from mitools.views.registry import VIEWS, make_view
from mitools.views.specs import view_family

GUIDE = Path(__file__).parents[2] / "mitools" / "guide"


def blocks(page):
    """Every block of code with its language, in order."""
    text = (GUIDE / f"{page}.md").read_text()
    return re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["data", "encoders", "rows"])
def test_every_example_works(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "cache"))
    names = {}
    for language, code in blocks(page):
        if language == "python":
            exec(compile(code, page, "exec"), names)
        elif language == "bash":
            for command in code.splitlines():
                program, *arguments = shlex.split(command)
                assert program == "mitools"
                assert run(arguments) == 0, f"{command}\n{capsys.readouterr().err}"


@pytest.mark.parametrize(("page", "sources"), [("data", DATA_SOURCES), ("encoders", ENCODER_SOURCES)])
def test_the_table_names_every_source(page, sources):
    table = (GUIDE / f"{page}.md").read_text().split("|---|---|\n")[1].split("\n\n")[0]
    specs = [spec for row in table.splitlines() for spec in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert {parse_spec(spec.removesuffix("?..."), sources).source for spec in specs} >= set(sources) - {
        "hf-hub"
    }


def test_every_option_of_generators_and_of_data_with_modalities_is_explained():
    text = (GUIDE / "data.md").read_text()
    for source in ("cdp", "clips", "colorful_moving_mnist", "nyu_depth", "scenes"):
        missing = [name for name in DATA_SOURCES[source].options if f"`{name}=" not in text]
        assert not missing, source


def test_the_tables_name_every_view_and_each_name_makes_one():
    pytest.importorskip("skimage")
    text = (GUIDE / "views.md").read_text()
    cells = [row.split("|")[1] for row in re.findall(r"^\|.*", text, flags=re.MULTILINE)]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert {view_family(name) for name in names} == {*VIEWS, "python"}
    for name in names:
        if view_family(name) not in ("python", "flow"):  # which are read from the user's code or run
            make_view(name)


def test_the_ranges_of_colours_are_those_of_the_code():
    text = (GUIDE / "views.md").read_text().split("| space |")[1].split("\n\n")[0]
    for name, letters, ranges in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", text, flags=re.MULTILINE):
        space = SPACES[name]
        assert tuple(letters.split(", ")) == space.channels
        said = [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) to (-?[\d.]+)", ranges)]
        assert len(said) in (1, 3)
        for one, bounds in zip(said * (3 // len(said)), space.bounds, strict=True):
            assert one == pytest.approx(bounds, abs=5e-3 if name == "lab" else 5e-5), name
    assert text.count("\n") - 1 == len(SPACES)


def test_the_page_on_measures_names_every_measure_on_demand_and_its_examples_work():
    from mitools.measures.further.columns import FURTHER_MEASURES

    text = (GUIDE / "measures.md").read_text()
    assert [one.name for one in FURTHER_MEASURES if f"`{one.name}`" not in text] == []
    names = {}
    for language, code in [*blocks("measures"), *blocks("combining")]:
        if language == "python":
            exec(compile(code, "measures and combining", "exec"), names)
