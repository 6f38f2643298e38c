"""The page of measured views."""

from pathlib import Path

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.figures.style import method_words
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed
from mitools.report.words import worded

PAIR_TEXTS = ("views", "option", "regime", "sentence")
READING_TEXTS = ("views", "option", "quantity", "method", "kind", "warnings")

WORDS = (
    "mutual information", "view", "critic", "lower bound", "ceiling", "null", "permuted pairs", "InfoNCE",
    "entropy", "cross-fitting",
)  # fmt: skip

SHOWN = ("shared_bits", "shared_up_to", "view1_bits", "view2_bits", "image_bits", "regime")

READING_SHOWN = (
    "quantity", "read_by", "kind", "bits", "up_to_bits", "null_bits", "ceiling_bits", "warning_words",
)  # fmt: skip

BARS = (
    "Bars are what is not excluded with more images (none where no upper end is told), or the 95% intervals"
    " of what is read."
)


def views_page(folder: Path) -> Page:
    """Make the page of measured views from ``views.csv``, ``readings.csv`` and ``reading.txt``."""
    pairs = read_table(folder / "views.csv", PAIR_TEXTS)
    readings = read_table(folder / "readings.csv", READING_TEXTS)
    run = read_record(folder)
    pairs.insert(0, "pair", _names(pairs))
    readings.insert(0, "pair", _names(readings))
    readings.insert(1, "read_by", readings["method"].map(method_words))
    readings.insert(1, "reading", readings["quantity"] + " by " + readings["read_by"])
    readings["warning_words"] = readings["warnings"].map(worded)
    said = [f"{row.pair}: {row.regime}: {row.sentence}." for row in pairs.itertuples()]
    facts = [
        Row("pairs of views", f"{len(pairs):,}"),
        Row("images", f"{int(readings['n'].max()):,}"),
        Row("H(Y)", f"{pairs['h_y_bits'].iloc[0]:.3f} bits"),
        *provenance(run, {}),
    ]
    names = list(pairs["pair"])
    return Page(
        "views",
        _title(names),
        said,
        facts,
        [
            _results(pairs.drop(columns=["views", "option", "value"])),
            _readings(readings.drop(columns=["views", "option", "value"]), folder),
            Section("downloads", "Downloads", [Block("downloads.html", {"names": ["views", "readings"]})]),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
    )


def _names(frame: pd.DataFrame) -> list[str]:
    return [
        f"{views} ({option} = {value:g})" if option else views
        for views, option, value in zip(frame["views"], frame["option"], frame["value"], strict=True)
    ]


def _title(names: list[str]) -> str:
    """Say what is shared: two views, or two draws of one."""
    if len(names) > 1:
        return f"What {len(names)} pairs of views share"
    return (
        f"What {names[0]} share"
        if " and " in names[0] or "," in names[0]
        else f"What two draws of {names[0]} share"
    )


def _results(pairs: pd.DataFrame) -> Section:
    of_label = [
        *_bars(pairs, "image", "I(x;y) of the image and the label"),
        *_bars(pairs, "view1", "I(v1;y) of the first view and the label"),
        *_bars(pairs, "view2", "I(v2;y) of the second view and the label"),
    ]
    chart = Chart(
        "regimes",
        "scatter",
        "views",
        "What views say of the label against what they share",
        {
            "label": "pair",
            "x": _bars(pairs, "shared", "I(v1;v2), shared by the views"),
            "y": of_label,
            "y_start": len(of_label) // 3,
        },
        "A point a pair of views. Where a view says as much of the label as the image does, the views miss"
        f" nothing of it; what they share beyond H(Y) is not needed for the label. {BARS}",
    )
    table = Table("views", pairs, describe(pairs, SHOWN, "pair"), "One row a pair of views", "pair")
    return Section("results", "Results", [chart, table] if len(pairs) > 1 else [table])


def _bars(table: pd.DataFrame, name: str, label: str) -> list[Choice]:
    """Offer a reading with what is not excluded of it, where the table has that, and with its interval."""
    key, low = (f"{name}_bits", f"{name}_low") if name else ("bits", "low_bits")
    high, up_to = (f"{name}_high", f"{name}_up_to") if name else ("high_bits", "up_to_bits")
    found = [Choice(key, f"{label} (bits), 95% interval", low, high)]
    if up_to in table:
        found.insert(0, Choice(key, f"{label} (bits), not excluded", low, up_to))
    return found


def _readings(readings: pd.DataFrame, folder: Path) -> Section:
    chart = Chart(
        "readings-chart",
        "forest",
        "readings",
        "Every reading with its interval, in bits",
        {
            "label": "reading",
            "link": "pair",
            "y": _bars(readings, "", "mutual information"),
            "zero": 0,
            "n": "n",
            "filters": [{"key": "pair", "label": "Views"}],
        },
        f"v1 and v2 are the views, x is the image and y its label. {BARS}",
    )
    columns = describe(readings, READING_SHOWN, "pair")
    columns = [one for one in columns if one.key not in ("reading", "method", "warnings")]
    warned = [line for line in _lines(folder) if line.partition(":")[0].replace("_", "").isalpha()]
    table = Table("readings", readings, columns, "Every reading, with what limits it", "pair")
    caution = " ".join(line for line in warned if _is_warning(line))
    return Section("readings", "Readings", [chart, table], caution=caution)


def _lines(folder: Path) -> list[str]:
    path = folder / "reading.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _is_warning(line: str) -> bool:
    """Tell a warning, which begins with its word, from a sentence on a pair of views."""
    from typing import get_args

    from mitools.core.estimate import WarningWord

    return line.partition(":")[0] in get_args(WarningWord)
