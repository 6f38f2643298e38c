"""The pages of the guide that are run from top to bottom, as by a reader, and the specs in their tables."""

import re
import shlex
from pathlib import Path

import pytest

from mitools.cli.main import run
from mitools.core.specs import parse_spec
from mitools.datasets.sources import DATA_SOURCES
from mitools.encoders.open import SOURCES as ENCODER_SOURCES

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
