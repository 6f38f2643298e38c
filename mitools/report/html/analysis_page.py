"""The page of a study of the papers: what was asked, what was found, its figures and its table."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed

_SENTENCE = re.compile(r"(?<=[.]) (?=[A-Z])")

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
    said = reading.read_text(encoding="utf-8").strip().split("\n") if reading.is_file() else []
    found = [path for path in files if path.suffix == ".png"]
    sections = [_figures(found), _results(frame.head(MOST_ROWS), len(frame))]
    made = [section for section in sections if section is not None]
    downloads = Section("downloads", "Downloads", [Block("downloads.html", {"names": ["results"]})])
    return Page(
        "run",
        question[0].upper() + question[1:],
        [sentence for line in said for sentence in _SENTENCE.split(line.strip()) if sentence],
        [Row("analysis", name), Row("rows", f"{len(frame):,}"), *provenance(run, {})],
        [
            *made,
            *([downloads] if len(frame) else []),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
    )


def _figures(paths: Sequence[Path]) -> Section | None:
    shown, size = [], 0
    for path in paths:
        content = path.read_bytes()
        size += len(content) * 4 // 3
        if size > MOST_PICTURES:
            break
        title = path.stem.replace("_", " ")
        shown.append({"title": title, "png": base64.b64encode(content).decode("ascii")})
    left_out = len(paths) - len(shown)
    values = {"pictures": shown, "left_out": left_out}
    return Section("figures", "Figures", [Block("pictures.html", values)]) if shown else None


def _results(frame: pd.DataFrame, rows: int) -> Section | None:
    if frame.empty:
        return None
    first = str(frame.columns[0])
    columns = describe(frame, [], first)
    shown = {one.key for one in columns[:SHOWN_COLUMNS]}
    columns = describe(frame, shown, first)
    table = Table("results", frame, columns, "Results", left_out=rows - len(frame))
    return Section("results", "Results", [table])
