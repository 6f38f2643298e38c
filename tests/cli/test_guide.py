from pathlib import Path

import pytest

from mitools.cli.guide import PAGES
from mitools.cli.main import run

GUIDE = Path(__file__).parents[2] / "mitools" / "guide"


def test_every_page_is_listed_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.stem for path in GUIDE.glob("*.md")} == set(PAGES)
    assert run(["guide"]) == 0
    listed = capsys.readouterr().out
    for name in PAGES:
        title = (GUIDE / f"{name}.md").read_text().splitlines()[0]
        assert title.startswith("# ")
        assert title.removeprefix("# ") in listed


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_printed_as_it_is_written(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guide", name]) == 0
    assert capsys.readouterr().out == (GUIDE / f"{name}.md").read_text()


def test_an_unknown_topic_names_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guide", "encoder"]) == 2
    assert "unknown topic 'encoder'; did you mean encoders" in capsys.readouterr().err
