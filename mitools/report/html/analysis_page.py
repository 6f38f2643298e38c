"""The page of a study of the papers: what was asked, what was found, its figures and its table."""

import base64
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed

MOST_PICTURES = 2_000_000
"""Bytes of all figures together; a page stays below 3 MB."""

MOST_ROWS = 300

SHOWN_COLUMNS = 9
"""Columns that are seen before anyone asks for more."""

WORDS = (
    "mutual information", "entropy", "certificate", "label information", "linear probe", "view", "control",
    "InfoNCE", "lower bound", "Holm",
)  # fmt: skip


def analysis_page(folder: Path, name: str, question: str, files: Sequence[Path]) -> Page:
    """Make the page of an analysis from ``reading.txt``, ``results.csv`` and its figures.

    Parameters
    ----------
    folder
        Where the analysis has written.
    name, question
        What it is called, and what it asks.
    files
        What it has written: the PNG files among them are its figures.
    """
    run = read_record(folder)
    frame = read_table(folder / "results.csv", ())
    reading = folder / "reading.txt"
    said = [reading.read_text(encoding="utf-8")] if reading.is_file() else []
    pictures, left_out = _pictures([path for path in files if path.suffix == ".png"])
    sections = [_figures(pictures[1:], left_out), _results(frame.head(MOST_ROWS), len(frame))]
    made = [section for section in sections if section is not None]
    downloads = Section("downloads", "Downloads", [Block("downloads.html", {"names": ["results"]})])
    return Page(
        "run",
        question[0].upper() + question[1:],
        said,
        [Row("analysis", name), Row("rows", f"{len(frame):,}"), *provenance(run, {})],
        [
            *made,
            *([downloads] if len(frame) else []),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
        Block("pictures.html", {"pictures": pictures[:1], "left_out": 0}) if pictures else None,
    )


def _pictures(paths: Sequence[Path]) -> tuple[list[dict[str, Any]], int]:
    """Read figures as far as there is room; returns them, and how many are left out."""
    shown: list[dict[str, Any]] = []
    size = 0
    for path in paths:
        content = path.read_bytes()
        size += len(content) * 4 // 3
        if size > MOST_PICTURES:
            break
        width, height = struct.unpack(">II", content[16:24])  # of a PNG's header
        title = path.stem.replace("_", " ")
        png = base64.b64encode(content).decode("ascii")
        shown.append({"title": title, "png": png, "width": width, "height": height})
    return shown, len(paths) - len(shown)


def _figures(pictures: list[dict[str, Any]], left_out: int) -> Section | None:
    """Show the figures behind the first, which stands at the head of the page."""
    if not pictures and not left_out:
        return None
    values = {"pictures": pictures, "left_out": left_out}
    return Section("figures", "Further figures", [Block("pictures.html", values)])


def _results(frame: pd.DataFrame, rows: int) -> Section | None:
    if frame.empty:
        return None
    first = str(frame.columns[0])
    columns = describe(frame, [], first)
    shown = {one.key for one in columns[:SHOWN_COLUMNS]}
    columns = describe(frame, shown, first)
    table = Table("results", frame, columns, "As results.csv has it", left_out=rows - len(frame))
    return Section("results", "Results", [table])
