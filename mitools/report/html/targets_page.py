"""The page of an audit on continuous targets or several labels, from the files of its folder."""

from pathlib import Path
from typing import Any

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.html.audit.results import explained_warnings
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_json, read_parquet, read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Column, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed

WORDS = (
    "mutual information", "lower bound", "InfoNCE", "null", "permuted pairs", "entropy", "cross-fitting",
    "paired difference", "Holm",
)  # fmt: skip

SHOWN = (
    "i_target_bits", "i_target_null", "i_target_infonce_bits", "i_predicted_bits", "i_class_bits", "r2",
    "mean_average_precision", "mean_prevalence", "average_precision", "prevalence", "dim", "targets",
)  # fmt: skip

_INTRO = {
    "continuous": (
        "I(H;Y) of the features and all targets together, as a certified lower bound; beside it the held-out"
        " R2 of ridge regression, the mean over the targets. A value below 0 says that the mean predicts"
        " better."
    ),
    "multi-label": (
        "A lower bound of what the features say of all labels together: the sum of what they say of each,"
        " less what the labels say of each other. The sum alone is no bound. Beside it the mean over the"
        " labels of average precision, and of their prevalence, which a guess reaches."
    ),
}


def targets_page(folder: Path) -> Page:
    """Make the page of an audit on targets from its folder."""
    results, run = read_parquet(folder / "results.parquet"), read_record(folder)
    estimates = read_json(folder / "estimates.json", {})
    each = read_table(folder / "targets.csv", ("encoder", "target", "warnings", *_kinds(results)))
    comparisons = read_table(folder / "comparisons.csv", ("encoder_a", "encoder_b", "verdict"))
    kind, data = str(estimates["kind"]), str(estimates["data"])
    facts = [
        Row("data", data),
        Row("items", f"{int(results['n'].iloc[0]):,}"),
        Row("targets", ", ".join(estimates["targets"])),
        Row("kind", kind),
        *provenance(run, estimates.get("conditions", {})),
    ]
    count = results["network"].nunique()
    sections = [_results(results, kind, estimates), _each(each)]
    if not comparisons.empty:
        table = Table("comparisons", comparisons, describe(comparisons, list(comparisons), "encoder_a"))
        sections.append(Section("comparisons", "Who carries more", [table]))
    names = ["results", "targets", *([] if comparisons.empty else ["comparisons"])]
    sections.append(Section("downloads", "Downloads", [Block("downloads.html", {"names": names})]))
    return Page(
        "audit",
        f"What {count} encoder{'s' if count != 1 else ''} say{'s' if count == 1 else ''} of the targets of"
        f" {data}",
        estimates.get("finding", []),
        facts,
        [*sections, words_section(WORDS), citation_section()],
        typed(run),
        digests(run),
    )


def _kinds(results: pd.DataFrame) -> list[str]:
    return [str(name) for name in results if str(name).endswith("_kind")] + ["i_class_kind"]


def _results(results: pd.DataFrame, kind: str, estimates: dict[str, Any]) -> Section:
    chart = Chart(
        "information",
        "forest",
        "results",
        "What is certified about the targets, in bits",
        {
            "label": "encoder",
            "y": [Choice("i_target_bits", "lower bound of I(H;Y) (bits)", "i_target_low", "i_target_high")],
            "zero": 0,
        },
        "A row an encoder or layer: the reading and its 95% interval.",
    )
    table = Table("results", results, describe(results, SHOWN), "One row an encoder", "encoder")
    pieces: list[Any] = [chart, table]
    warned = explained_warnings(results, estimates)
    if not warned.empty:
        columns = [
            Column(key, said)
            for key, said in (
                ("encoder", "encoder"), ("number", "of"), ("word", "warning"),
                ("sentence", "what is the matter"), ("remedy", "remedy"),
            )
        ]  # fmt: skip
        pieces.append(Table("warnings", warned, columns, "Warnings and what to do", "encoder"))
    failures = estimates.get("failures", {})
    if failures:
        rows = [Row(str(name), str(reason)) for name, reason in failures.items()]
        pieces.append(Block("reports.html", {"reports": [{"name": "Could not be measured", "rows": rows}]}))
    return Section("results", "Results", pieces, [_INTRO[kind]])


def _each(each: pd.DataFrame) -> Section:
    each.insert(0, "row", each["encoder"] + ": " + each["target"])
    chart = Chart(
        "each-chart",
        "forest",
        "targets",
        "What is certified about every target, in bits",
        {
            "label": "row",
            "link": "encoder",
            "y": [Choice("i_target_bits", "lower bound of I(H;Y) (bits)", "i_target_low", "i_target_high")],
            "zero": 0,
            "filters": [{"key": "encoder", "label": "Encoder"}],
        },
        "Each target alone; their sum is no bound for all together.",
    )
    columns = [one for one in describe(each, ("target", *SHOWN), "encoder") if one.key != "row"]
    table = Table("targets", each, columns, "One row an encoder and target", "encoder")
    return Section("each", "Target by target", [chart, table])
