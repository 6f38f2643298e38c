"""Names that are told apart in a table or document stay apart, whatever encoders and data are called."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given

import mitools
import mitools.datasets
from mitools.core.result_store import sealed, unsealed
from mitools.core.run_record import read_record, write_record
from mitools.datasets.output import export
from mitools.report.card import write_cards
from mitools.report.html.gather import read_table
from mitools.report.study import TABLE_FORMATS, write_table
from mitools.report.tables.read import read_csv
from mitools.report.tables.write import write_csv, write_tables
from tests.round_trips.forms import EXPORTS
from tests.round_trips.names import AWKWARD, PLAIN, QUICK, is_blank, is_csv_name, is_utf8, names

# Tables and documents, whose rows and keys are called what people call their encoders, data and classes.


def _table(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"encoder": list(names), "bits": np.arange(len(names)) / 7})


def _names(table: pd.DataFrame) -> list[str]:
    np.testing.assert_array_equal(table["bits"], np.arange(len(table)) / 7)
    return table["encoder"].tolist()


def csv_read(folder: Path, names: Sequence[str]) -> list[str]:
    write_csv(_table(names), folder / "x.csv")
    return _names(read_csv(folder / "x.csv"))


def csv_read_for_pages(folder: Path, names: Sequence[str]) -> list[str]:
    write_table(_table(names), folder / "x.csv")
    return _names(read_table(folder / "x.csv", ["encoder"]))


def csv_header(folder: Path, names: Sequence[str]) -> list[str]:
    write_csv(pd.DataFrame([range(len(names))], columns=list(names)), folder / "x.csv")
    return list(map(str, read_csv(folder / "x.csv").columns))


def parquet_table(folder: Path, names: Sequence[str]) -> list[str]:
    write_table(_table(names), folder / "x.parquet")
    return _names(pd.read_parquet(folder / "x.parquet"))


def all_tables(folder: Path, names: Sequence[str]) -> list[str]:
    write_tables(_table(names), None, None, folder)
    assert _names(pd.read_parquet(folder / "results.parquet")) == list(names)
    return [row["encoder"] for row in json.loads((folder / "results.json").read_text())]


def run_record(folder: Path, names: Sequence[str]) -> list[str]:
    write_record(folder, "audit", encoders=dict.fromkeys(names, "digest"))
    return list(read_record(folder)["encoders"])


def sealed_document(folder: Path, names: Sequence[str]) -> list[str]:
    return list(unsealed(sealed({"encoders": dict.fromkeys(names, 1)}))["encoders"])


def recipe(folder: Path, names: Sequence[str]) -> list[str]:
    """Write names as studies and recipes write them."""
    return list(yaml.safe_load(yaml.safe_dump({"encoders": list(names)}, sort_keys=False))["encoders"])


def cards(folder: Path, names: Sequence[str]) -> list[str]:
    rows = _table(names).assign(
        n=1, i_class_bits=1.0, i_class_low=0.5, i_class_high=1.5, h_c_bits=2.0, warnings=""
    )
    files = write_cards(rows, "own", folder)
    assert len({str(file).lower() for file in files}) == len(files) == len(list(folder.iterdir()))
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [yaml.safe_load(text.split("---\n")[1])["model-index"][0]["name"] for text in texts]


@dataclass(frozen=True)
class Names:
    """What writes names and reads them back, and which of them it can hold."""

    again: Callable[[Path, Sequence[str]], list[str]]
    holds: Callable[[str], bool] = is_utf8


TABLES = {
    "write_csv, read_csv": Names(csv_read, is_csv_name),
    "write_csv, read_table": Names(csv_read_for_pages, lambda name: is_utf8(name) and "\0" not in name),
    "write_csv, columns": Names(csv_header, lambda name: is_csv_name(name) and not is_blank(name)),
    "parquet": Names(parquet_table),
    "write_tables": Names(all_tables),
    "run.json": Names(run_record),
    "sealed": Names(sealed_document),
    "recipe": Names(recipe, is_csv_name),
    "cards": Names(cards, lambda name: is_csv_name(name) and "---" not in name),
}
WRITERS = {
    "mitools.auditing.kept": "sealed",
    "mitools.auditing.kept_rows": "sealed",
    "mitools.core.result_store": "sealed",
    "mitools.core.run_record": "run.json",
    "mitools.datasets.images.known_contents": "sealed",
    "mitools.datasets.output.export": "export_folder",
    "mitools.report.card": "cards",
    "mitools.report.encoder_rows": "run.json",
    "mitools.report.items": "parquet",
    "mitools.report.study": "parquet",
    "mitools.report.tables.write": "write_tables",
    "mitools.studies.folder": "recipe",
    "mitools.training.loop.run_folder": "recipe",
}
"""Every module that writes files with names in them, and the row above that tries how it does."""
WRITE_NO_NAMES = {
    "mitools.cli.datasets": "a picture of generated images",
    "mitools.core.files": "what the others write by",
    "mitools.encoders.export.export": "weights of one network",
    "mitools.features.feature_files": "rows and labels by number",
    "mitools.report.calibration": "names of methods",
    "mitools.report.figures.save": "pictures",
    "mitools.report.html.render": "pages for people, which tests/report/html tries",
    "mitools.report.variables.write": "pages for people",
    "mitools.report.views": "names of views",
    "mitools.training.loop.metrics_log": "numbers by epoch",
}


def test_every_writer_has_its_row() -> None:
    """A new module that writes files wants a row here, or the reason why nobody's names are in them."""
    found = {f"{root.__name__}.{name}" for root in (mitools, mitools.datasets) for name in _writers(root)}
    assert found == {*WRITERS, *WRITE_NO_NAMES}
    assert set(WRITERS.values()) <= {*TABLES, *EXPORTS}
    assert set(TABLE_FORMATS) == {"csv", "parquet", "md", "tex"}  # the last two are for people alone
    assert {name for name in vars(export) if name.startswith("export_")} == {
        name.partition(",")[0] for name in EXPORTS
    }


def _writers(package: Any) -> Iterator[str]:
    root = Path(package.__file__).parent
    writes = re.compile(r"\b(whole_file|whole_folder|write_text|write_bytes|to_csv|to_parquet|savetxt)\(")
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        is_other = package is mitools and parts[0] in ("datasets", "analyses")
        if not is_other and writes.search(path.read_text(encoding="utf-8")):
            yield ".".join(parts)


@pytest.mark.parametrize("kind", TABLES)
def test_names_come_back_all_together(kind: str, tmp_path: Path) -> None:
    names = [*PLAIN, *filter(TABLES[kind].holds, AWKWARD)]
    assert TABLES[kind].again(tmp_path, names) == names


@pytest.mark.parametrize("kind", TABLES)
def test_names_come_back(kind: str) -> None:
    @QUICK
    @given(names)
    def come_back(drawn: list[str]) -> None:
        written = [*PLAIN, *(name for name in drawn if TABLES[kind].holds(name) and name not in PLAIN)]
        with tempfile.TemporaryDirectory() as folder:
            assert TABLES[kind].again(Path(folder), written) == written

    come_back()
