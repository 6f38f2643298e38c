"""A page as one HTML file: templates filled in, style and script put inside."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from mitools.core.files import write_text
from mitools.core.names import printable
from mitools.report.html.cells import breakable, shown_cell, shown_interval, sort_key
from mitools.report.html.embedded import embedded_json
from mitools.report.html.parts import Page
from mitools.report.paragraphs import is_list, paragraphs
from mitools.report.tables.write import records

PAGE_FILE = "report.html"

STYLES = ("base.css", "table.css", "chart.css", "pieces.css", "print.css")
SCRIPTS = (
    "core.js", "theme.js", "tooltip.js", "link.js", "copy.js", "table.js", "plot.js", "choices.js", "rows.js",
    "brackets.js", "forest.js", "lines.js", "scatter.js", "confusion.js", "start.js",
)  # fmt: skip
"""Files of ``assets``, in the order in which they are joined."""


def write_page(page: Page, path: Path) -> Path:
    """Write a page, whole or not at all.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    write_text(path, render(page))
    return path


def page_of_folder(make: Callable[[Path], Page], folder: Path, html: bool = True) -> list[Path]:
    """Write ``report.html`` into a folder of results; where it is not wanted, none of earlier results stays.

    Parameters
    ----------
    make
        Makes the page of a folder.
    folder
        Where the results are.
    html
        Whether it is wanted.

    Returns
    -------
    list of Path
        The file, or none.
    """
    path = folder / PAGE_FILE
    if not html:
        path.unlink(missing_ok=True)
        return []
    return [write_page(make(folder), path)]


def render(page: Page) -> str:
    """Give the HTML of a page. It asks for nothing from anywhere: a policy in its head forbids it.

    Everything that comes from data is escaped; the policy names the one script that may run.
    """
    script = "\n".join(_asset(name) for name in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        environment()
        .get_template("page.html")
        .render(
            page=page,
            style=Markup("\n".join(_asset(name) for name in STYLES)),
            script=Markup(script),
            script_digest=digest,
            data=Markup(embedded_json(page)),
        )
    )


@cache
def environment() -> Environment:
    """Give what fills in the templates: all text is escaped."""
    environment = Environment(
        loader=FunctionLoader(lambda name: _read("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters["breakable"] = breakable
    environment.globals |= {
        "cell": shown_cell,
        "interval": shown_interval,
        "is_list": is_list,
        "paragraphs": paragraphs,
        "sort_key": sort_key,
        "records": records,
    }
    return environment


@cache
def _asset(name: str) -> str:
    return _read("assets", name)


def _read(folder: str, name: str) -> str:
    return files("mitools.report.html").joinpath(folder, name).read_text(encoding="utf-8")
