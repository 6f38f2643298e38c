"""The page of a calibration."""

import re
from dataclasses import replace
from pathlib import Path

from mitools.core.run_record import read_record
from mitools.report.figures.style import method_words
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_json, read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed
from mitools.report.words import worded

WORDS = (
    "mutual information", "composite", "lower bound", "upper bound", "point estimate", "ceiling", "null",
    "saturated", "class posterior", "InfoNCE", "KSG",
)  # fmt: skip

_A_METHOD = re.compile(r"(?<=\.) (?=\D\S*(?: \S+){0,3} \((?:lower|asymptotic|upper|point) )")
"""Where the sentences on a method begin: with its name of some words and its kind."""

SHOWN = ("truth_bits", "reading_bits", "error_bits", "kind", "ceiling_bits", "null_bits", "warning_words")


def calibration_page(folder: Path) -> Page:
    """Make the page of a calibration from ``calibration.csv`` and ``calibration.json``."""
    table = read_table(folder / "calibration.csv", ("method", "kind", "warnings"))
    table.insert(0, "read_by", table["method"].map(method_words))
    table["warning_words"] = table["warnings"].map(worded)
    document, run = read_json(folder / "calibration.json", {}), read_record(folder)
    chart = Chart(
        "calibration-chart",
        "lines",
        "calibration",
        "Reading against truth, a curve a method",
        {
            "x": [Choice("truth_bits", "truth (bits)")],
            "y": [
                Choice("reading_bits", "reading (bits)", "low_bits", "high_bits"),
                Choice("error_bits", "reading less truth (bits)"),
            ],
            "series": "read_by",
            "link": "read_by",
            "identity": True,
        },
        document.get("setting", ""),
    )
    failures = [Row(str(name), str(why)) for name, why in document.get("failures", {}).items()]
    failed = [Block("reports.html", {"reports": [{"name": "Could not read the pairs", "rows": failures}]})]
    columns = [
        replace(one, low="low_bits", high="high_bits") if one.key == "reading_bits" else one
        for one in describe(table, SHOWN, "read_by")
        if one.key not in ("method", "warnings", "low_bits", "high_bits")
    ]
    results = Table("calibration", table, columns, "One row a reading", "read_by")
    facts = [
        Row("features", str(document.get("data", ""))),
        Row("classes", " and ".join(map(str, document.get("classes", [])))),
        Row("bits of a pair", str(document.get("bits", ""))),
        Row("pairs", f"{document.get('n', 0):,}"),
        Row("dimensions", f"{document.get('dimensions', 0):,}"),
        *provenance(run, {}),
    ]
    methods = table["method"].nunique()
    return Page(
        "calibrate",
        f"What {methods} methods read where the truth is known"
        if methods != 1
        else f"What {table['read_by'].iloc[0]} reads where the truth is known",
        _A_METHOD.split(document.get("finding", "")),
        facts,
        [
            Section("results", "Reading and truth", [chart, results, *(failed if failures else [])]),
            Section("downloads", "Downloads", [Block("downloads.html", {"names": ["calibration"]})]),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
    )
