"""``mitools guide``: the manual, a page a topic."""

from importlib.resources import files
from typing import Annotated

import typer

from mitools.cli.console import out, print_table
from mitools.core.names import check_name

PAGES = ("start", "python", "encoders", "data", "estimators", "certificate", "measures", "combining", "rows",
         "report", "training", "adding-a-method", "variables", "views", "engines", "promises", "glossary",
         "changelog")  # fmt: skip
"""The topics, in the order in which a newcomer reads them."""


def guide(
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="A page; all are listed without one.")
    ] = None,
) -> None:
    """Show a page of the manual."""
    if topic is None:
        print_table(["mitools guide ...", ""], [[name, _title(name)] for name in PAGES])
        return
    check_name("topic", topic, PAGES)
    text = _page(topic)
    if out.is_terminal:
        from mitools.cli.terminal.page import page_lines

        for line in page_lines(text, out.width):
            out.print(line)
    else:
        print(text, end="")


def _page(topic: str) -> str:
    return files("mitools").joinpath("guide", f"{topic}.md").read_text(encoding="utf-8")


def _title(topic: str) -> str:
    return _page(topic).partition("\n")[0].removeprefix("# ")
