"""The page of a calibration."""

import re
from pathlib import Path

from mitools.core.run_record import read_record
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_json, read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed

WORDS = (
    "mutual information", "composite", "lower bound", "upper bound", "point estimate", "ceiling", "null",
    "saturated", "class posterior", "InfoNCE", "KSG",
)  # fmt: skip

SHOWN = ("truth_bits", "reading_bits", "error_bits", "kind", "ceiling_bits", "null_bits", "warnings")


def calibration_page(folder: Path) -> Page:
    """Make the page of a calibration from ``calibration.csv`` and ``calibration.json``."""
    table = read_table(folder / "calibration.csv", ("method", "kind", "warnings"))
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
            "series": "method",
            "link": "method",
            "identity": True,
        },
        document.get("setting", ""),
    )
    failures = [Row(str(name), str(why)) for name, why in document.get("failures", {}).items()]
    failed = [Block("reports.html", {"reports": [{"name": "Could not read the pairs", "rows": failures}]})]
    results = Table("calibration", table, describe(table, SHOWN, "method"), "One row a reading", "method")
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
        f"What {methods} method{'s' if methods != 1 else ''} read where the truth is known",
        re.split(r"(?<=\.) (?=[^\d]\S* \()", document.get("finding", "")),
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
