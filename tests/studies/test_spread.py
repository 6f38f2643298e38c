"""A study and an audit on an engine: the numbers of one process, whoever computed them."""

import json
import pickle
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import mitools
from mitools.backends.engines.base import Call, Engine
from mitools.backends.workers import Outcome, Step
from mitools.cli.main import run
from mitools.core.errors import InputError


class Here(Engine):
    """Does tasks in this process, pickled as they travel."""

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        for name, call in calls.items():
            yield name, pickle.loads(pickle.dumps(call)).perform()


STUDY = """
data: ["digits?limit=100&classes=0,1"]
encoders: ["builtin:pca?k=4", "builtin:random_conv?width=4", "features:nowhere.npz"]
pairings: []
estimators: []
metrics: [linear_acc, alignment_simclr]
measures: [i_class_head]
"""


@pytest.mark.slow
def test_a_study_on_dask_has_the_table_and_the_failures_of_one_process(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "study.yaml").write_text(STUDY)
    tables = {}
    for name, further in {"here": [], "dask": ["--engine", "dask:local?workers=1"]}.items():
        out = tmp_path / name
        words = ["study", str(tmp_path / "study.yaml"), "--out", str(out), "--cache", f"{out}-features"]
        assert run([*words, "--batch-size", "8", "--device", "cpu", "--no-html", *further]) == 1
        captured = capsys.readouterr()
        failed = sorted(line for line in captured.err.splitlines() if line.startswith("failed"))
        table = pd.read_csv(out / "cells.csv").drop(columns="seconds").to_csv(index=False)
        features = {path.name: path.read_bytes() for path in Path(f"{out}-features").iterdir()}
        tables[name] = (failed, table, features)
        kept = json.loads((out / "run.json").read_text())["kind"]
        assert kept == "study"
    assert len(tables["here"][0]) == 3
    assert tables["dask"] == tables["here"]


def test_an_engine_that_is_not_there_leaves_no_folder(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    words = ["study", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out"), "--engine", "dsk:local"]
    assert run(words) == 2
    assert capsys.readouterr().err == (
        "error: unknown engine 'dsk:local'; did you mean dask? accepted: local?workers=2, dask:tcp://HOST:8786,"
        " dask:scheduler.json, dask:local?workers=2 or slurm:FILE.yaml\n"
    )
    assert not (tmp_path / "out").exists()
    assert run([*words, "--submit", "slurm.yaml"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_an_audit_on_an_engine_has_the_numbers_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mitools.backends.engines.open.open_engine", lambda text, logs: Here(text))
    encoders = ["builtin:pca?k=4", "builtin:random_conv?width=4", "features:nowhere.npz"]
    options: Any = {
        "critic": False,
        "control": False,
        "device": "cpu",
        "batch_size": 8,
        "html": False,
        "progress": False,
    }
    found = {}
    for name, engine in {"here": None, "engine": "here"}.items():
        found[name] = mitools.audit(
            encoders,
            "digits?limit=100&classes=0,1",
            folder=tmp_path / name,
            cache=tmp_path / f"{name}-features",
            engine=engine,
            **options,
        )
    tables = [one.table.drop(columns="seconds") for one in found.values()]
    pd.testing.assert_frame_equal(*tables)
    assert found["engine"].failures == found["here"].failures
    assert list(found["engine"].failures) == ["features:nowhere.npz"]


class OfTheProgram(torch.nn.Module):
    """Stands in the program that was started, which workers do not run."""


@pytest.mark.parametrize(
    ("encoders", "data", "folder", "words"),
    [
        ([np.ones((4, 2))], "digits", "out", "lies in memory, and workers of an engine open encoders"),
        (OfTheProgram(), "digits", "out", "encoder OfTheProgram lies in memory"),
        (["builtin:pixels"], (np.ones((4, 2)), [0, 1, 0, 1]), "out", "data lies in memory"),
        (["builtin:pixels"], "digits", None, "name folder= and cache="),
    ],
)
def test_what_workers_cannot_open_by_themselves_is_refused(
    encoders: Any, data: Any, folder: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        mitools.audit(
            encoders,
            data,
            folder=folder and tmp_path / folder,
            cache=tmp_path / "features",
            engine="local?workers=1",
            progress=False,
        )
    assert words in str(refused.value)


@pytest.mark.parametrize("lies", [{"groups": np.zeros(1797)}, {"test_data": pd.DataFrame({"a": [1.0]})}])
def test_tables_in_memory_are_refused(lies: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies in memory"):
        mitools.audit(
            "builtin:pixels", "digits", folder=tmp_path, cache=tmp_path, engine="local?workers=1", **lies
        )
