"""The results of an audit: bracket chart, table, and every warning with its remedy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from mitools.report.finding import last_layers
from mitools.report.html.columns import choices, describe
from mitools.report.html.parts import Block, Chart, Column, Row, Section, Table
from mitools.report.words import column_words, warning_words

MOST_ROWS = 400
"""Rows of a table in a page; a page stays below 3 MB."""

SHOWN = (
    "layer", "i_class_bits", "verdict", "label_information_bits", "i_class_infonce_bits", "linear_acc",
    "knn20_acc", "warnings",
)  # fmt: skip
"""The columns that are seen before anyone asks for more."""

READINGS = (
    "i_class_bits", "label_information_bits", "i_class_infonce_bits", "i_class_nwj_bits", "i_class_head_bits",
)  # fmt: skip
"""What the bracket chart can show: what H(C) bounds from above."""


def _words_alone(warnings: str) -> str:
    """Name each warning of a row once: what it is of stands in the table below and under the pointer."""
    parts = (part.rpartition(": ")[2] for part in warning_words(warnings).split("; "))
    return ", ".join(dict.fromkeys(word for part in parts for word in part.split(", ") if word))


def results_section(results: pd.DataFrame, estimates: Mapping[str, Any]) -> Section:
    """Show the bracket chart, the table of results and its warnings."""
    single = one_layer_each(results)
    frame = results.drop(columns=["i_class_identified", *(["network", "layer", "depth"] if single else [])])
    verdict = results["i_class_identified"].map({True: "identified", False: "bracketed"})
    frame.insert(list(frame).index("i_class_high") + 1, "verdict", verdict)
    left_out = max(0, len(frame) - MOST_ROWS)
    frame = frame.head(MOST_ROWS).reset_index(drop=True)
    explained = _notes(frame, estimates)
    columns = describe(frame, SHOWN)
    warned = bool(frame["warnings"].astype(str).str.len().any())
    frame["warning_words"] = frame["warnings"].fillna("").astype(str).map(_words_alone)
    columns = [
        replace(one, key="warning_words") if one.key == "warnings" else one
        for one in columns
        if one.key != "warnings" or warned
    ]
    table = Table(
        "results", frame, columns, "One row an encoder" + ("" if single else " and layer")
        + "; bits with their 95% intervals", "encoder", {"warning_words": explained}, left_out,
    )  # fmt: skip
    rows = frame if single else _grouped(frame)
    chart = Chart(
        "brackets",
        "brackets",
        "results" if single else "bracket-rows",
        "What is certified of each encoder and what is open, in bits",
        {
            "label": "encoder",
            "y": choices(frame, READINGS),
            "entropy": "h_c_bits",
            "n": "n",
            "unit": "mutual information (bits)",
            **({} if single else {"filters": [{"key": "group", "label": "Rows"}]}),
        },
        "I_class is the information that two items of one class share through the encoder. It is at least"
        " what is certified and at most H(C). Every item is read by a classifier that never saw it.",
    )
    drawn = [chart] if single else [chart, Table("bracket-rows", rows)]
    return Section(
        "results", "Results", [*drawn, table, *_warnings(results, estimates), *_failures(estimates)]
    )


def _notes(frame: pd.DataFrame, estimates: Mapping[str, Any]) -> list[str]:
    """Explain the warnings of each row, a line a warning."""
    notes: dict[str, list[str]] = {}
    for one in explained_warnings(frame, estimates).to_dict("records"):
        remedy = f" Remedy: {one['remedy']}." if one["remedy"] else ""
        notes.setdefault(str(one["encoder"]), []).append(f"{one['number']}: {one['sentence']}{remedy}")
    return ["\n".join(notes.get(str(name), ())) for name in frame["encoder"]]


def _grouped(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the rows to choose from in the bracket chart: the last layers, or all layers of a network."""
    keys = ["encoder", "n", "h_c_bits"]
    keys += [key for one in choices(frame, READINGS) for key in (one.key, one.low, one.high) if key]
    groups = [last_layers(frame)[keys].assign(group="the last layer of each")]
    for network, own in frame.groupby("network", sort=False):
        if len(own) > 1:
            groups.append(own[keys].assign(group=f"all layers of {network}"))
    return pd.concat(groups, ignore_index=True)


def one_layer_each(results: pd.DataFrame) -> bool:
    """Whether no network was read at several layers."""
    return "network" not in results or not results["network"].duplicated().any()


_BETWEEN_WORDS = re.compile(r", (?![^(]*\))")  # not within brackets

OF_FEATURES = {
    "constant_dims": (
        "Some dimensions are alike for all items.",
        "look at what the layer computes; they cost nothing",
    ),
    "duplicate_rows": ("Some rows are equal to earlier ones.", "look for copies in the data"),
    "nonfinite": ("Some rows hold NaN or infinite values.", "compute in float32"),
    "collapsed": (
        "The features use few of their dimensions.",
        "look at how the encoder was trained and read",
    ),
    "no_better_than_untrained": (
        "The network is not seen to carry more than the same network untrained.",
        "see how the checkpoint was read: mitools encoders inspect SPEC",
    ),
    "none": ("There is no untrained twin to compare with.", ""),
}
"""What the words of a row mean that are no estimate's: a sentence and a remedy."""


def explained_warnings(results: pd.DataFrame, estimates: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out every warning: ``encoder``, ``number``, ``word``, ``sentence``, ``remedy``."""
    rows = []
    for name, said in zip(results["encoder"], results["warnings"].fillna(""), strict=True):
        kept = estimates.get("encoders", {}).get(str(name), {}).get("estimates", {})
        for part in filter(None, str(said).split("; ")):
            subject, _, words = part.partition(": ")
            if subject in kept:
                rows += [
                    {"encoder": name, "number": column_words(f"{subject}_bits"), "word": one["word"],
                     "sentence": one["sentence"], "remedy": one.get("remedy", "")}
                    for one in kept[subject].get("warnings", ())
                ]  # fmt: skip
                continue
            for word in _BETWEEN_WORDS.split(words):
                sentence, remedy = OF_FEATURES.get(word.split(" (")[0].partition(":")[0], ("", ""))
                rows.append(
                    {"encoder": name, "number": subject, "word": word, "sentence": sentence, "remedy": remedy}
                )
    return pd.DataFrame(rows, columns=["encoder", "number", "word", "sentence", "remedy"])


def _warnings(results: pd.DataFrame, estimates: Mapping[str, Any]) -> list[Table]:
    frame = explained_warnings(results, estimates)
    if frame.empty:
        return []
    frame = said_once(frame)
    frame["word"] = frame["word"].str.replace("_", " ")
    columns = [Column("encoder", "encoder"), Column("number", "of"), Column("word", "warning"),
               Column("sentence", "what is the matter"), Column("remedy", "remedy")]  # fmt: skip
    left_out = max(0, len(frame) - MOST_ROWS)
    title = "Warnings and what to do"
    return [Table("warnings", frame.head(MOST_ROWS), columns, title, left_out=left_out)]


_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def said_once(warnings: pd.DataFrame) -> pd.DataFrame:
    """Join warnings that differ in nothing but their encoder, and in one figure at the most.

    Parameters
    ----------
    warnings
        As :func:`explained_warnings` lays them out.

    Examples
    --------
    >>> frame = pd.DataFrame({"encoder": ["a", "b"], "sentence": ["wrong by 22%", "wrong by 9%"]})
    >>> frame = frame.assign(number="I_class", word="overfit", remedy="")
    >>> said_once(frame)[["encoder", "sentence"]].to_dict("records")
    [{'encoder': 'a, b', 'sentence': 'wrong by 9% to 22%'}]
    """
    said = ["encoder", "word", "sentence", "remedy"]
    alike = warnings.groupby(said, sort=False)["number"].agg("; ".join).reset_index()
    alike["shape"] = [
        _NUMBER.sub("#", one) if len(_NUMBER.findall(one)) == 1 else one for one in alike["sentence"]
    ]
    rows = []
    for _, own in alike.groupby(["word", "number", "remedy", "shape"], sort=False):
        first = own.iloc[0]
        rows.append(
            {"encoder": ", ".join(own["encoder"]), "number": first["number"], "word": first["word"],
             "sentence": _range(list(own["sentence"])), "remedy": first["remedy"]}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["encoder", "number", "word", "sentence", "remedy"])


def _range(sentences: Sequence[str]) -> str:
    """Write sentences that differ in one figure as one, with the least and the greatest."""
    first = sentences[0]
    if len(set(sentences)) == 1:
        return first
    found = sorted((_NUMBER.findall(one)[0] for one in sentences), key=float)
    start, end = _NUMBER.search(first).span()  # type: ignore[union-attr]
    unit = "%" if first[end:].startswith("%") else ""
    return f"{first[:start]}{found[0]}{unit} to {found[-1]}{first[end:]}"


def _failures(estimates: Mapping[str, Any]) -> list[Block]:
    failures = estimates.get("failures", {})
    if not failures:
        return []
    rows = [Row(str(name), str(reason)) for name, reason in failures.items()]
    return [Block("reports.html", {"reports": [{"name": "Could not be measured", "rows": rows}]})]
