"""The page of an audit, from the files of its folder."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.finding import audit_finding, last_layers
from mitools.report.html.audit.combining import (
    COMPLEMENT_TEXTS,
    SIMILARITY_TEXTS,
    complement_section,
    similarity_section,
)
from mitools.report.html.audit.items import items_section
from mitools.report.html.audit.results import results_section
from mitools.report.html.audit.sections import (
    comparison_section,
    correlation_section,
    depth_section,
    health_section,
    untrained_section,
)
from mitools.report.html.gather import read_json, read_parquet, read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Page, Row, Section, Table
from mitools.report.html.provenance import provenance, typed

WORDS = (
    "mutual information", "entropy", "same-class pairs", "certificate", "identified", "label information",
    "pointwise mutual information", "lower bound", "InfoNCE", "paired difference", "Holm", "control",
    "cross-fitting", "linear probe", "alignment", "tolerance", "saturated",
)  # fmt: skip
"""Entries of the glossary."""

DOWNLOADED = ("results", "comparisons", "correlation", "complement", "similarity")
"""Tables that the page offers as files."""

COMPARED_TEXTS = ("encoder_a", "encoder_b", "verdict")


class AuditFolder(NamedTuple):
    """What the folder of an audit holds.

    Attributes
    ----------
    results, comparisons, correlation, items, complement, similarity
        The tables; empty where there is none.
    estimates
        ``estimates.json``: full estimates, classes, conditions, load reports, failures.
    examples
        Items to show.
    """

    results: pd.DataFrame
    comparisons: pd.DataFrame
    correlation: pd.DataFrame
    items: pd.DataFrame
    complement: pd.DataFrame
    similarity: pd.DataFrame
    estimates: dict[str, Any]
    examples: list[dict[str, Any]]


def read_audit(folder: Path) -> AuditFolder:
    """Read what an audit has written into a folder."""
    return AuditFolder(
        read_parquet(folder / "results.parquet"),
        read_table(folder / "comparisons.csv", COMPARED_TEXTS),
        read_table(folder / "correlation.csv", ("column", "note")),
        read_parquet(folder / "items.parquet"),
        read_table(folder / "complement.csv", COMPLEMENT_TEXTS),
        read_table(folder / "similarity.csv", SIMILARITY_TEXTS),
        read_json(folder / "estimates.json", {}),
        read_json(folder / "examples.json", []),
    )


def audit_page(folder: Path) -> Page:
    """Make the page of an audit from its folder.

    Parameters
    ----------
    folder
        Where an audit has written its tables and estimates.
    """
    found, run = read_audit(folder), read_record(folder)
    results, estimates = found.results, found.estimates
    comparisons = None if found.comparisons.empty else found.comparisons
    last, classes = last_layers(results), estimates.get("classes", [])
    count, data = len(last), str(estimates.get("data", "the data"))
    facts = [
        Row("data", data),
        Row("items", f"{int(results['n'].iloc[0]):,}"),
        *([Row("classes", f"{len(classes):,}")] if classes else []),
        Row("H(C)", f"{results['h_c_bits'].iloc[0]:.3f} bits"),
        *provenance(run, estimates.get("conditions", {})),
    ]
    sections = [
        results_section(results, estimates),
        comparison_section(last, comparisons),
        complement_section(found.complement, float(results["h_c_bits"].iloc[0])),
        similarity_section(found.similarity),
        untrained_section(last),
        depth_section(results),
        correlation_section(last, found.correlation),
        items_section(found.items, found.examples, classes),
        health_section(results, estimates),
    ]
    made = [section for section in sections if section is not None]
    return Page(
        "audit",
        f"Class information of {count} encoder{'s' if count != 1 else ''} on {data}",
        audit_finding(results, comparisons),
        facts,
        [*made, _downloads(made), words_section(WORDS), citation_section()],
        typed(run),
        _digests(last, estimates),
    )


def _digests(last: pd.DataFrame, estimates: dict[str, Any]) -> list[Row]:
    digest = estimates.get("conditions", {}).get("data_digest")
    rows = [Row("data", str(digest), code=True)] if digest else []
    return rows + [Row(str(row["encoder"]), str(row["digest"]), code=True) for _, row in last.iterrows()]


def _downloads(sections: list[Section]) -> Section:
    names = [
        piece.name
        for section in sections
        for piece in section.pieces
        if isinstance(piece, Table) and piece.name in DOWNLOADED
    ]
    return Section(
        "downloads",
        "Downloads",
        [Block("downloads.html", {"names": names})],
        ["The tables of this page, to seven digits; the files of the folder have all digits and all items."],
    )
