"""The measures of discrete variables: one number for an audit, a study and Python; a run's own variables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mitools
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.estimators.inputs.splits import split
from mitools.features.extract import extract
from mitools.features.store import FeatureStore
from mitools.measures.compute import measure
from mitools.measures.representation import Representation
from mitools.studies.definition import Study
from mitools.studies.folder import StudyFolder
from mitools.studies.worker import Worker
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.training.trained_variables import trained_variables
from mitools.variables.discretise import fit_bins
from mitools.variables.measure import measure_variables

NAMES = ("entropy", "redundancy", "total_correlation", "units_used", "one_hot_share", "one_hot_share_99")
DATA = "digits?limit=150"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("discrete") / "run"
    options = {"hidden": 32, "variables": 6, "units": 4}
    train(TrainingRecipe(encoder="convnet", data=DATA, method="imsvd", options=options, epochs=2,
                         batch_size=32), folder)  # fmt: skip
    return f"run:{folder}"


def test_without_variables_of_its_own_columns_become_bins() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(400, 5)), rng.integers(0, 2, 400)
    rows[:, 4] = rows[:, 0] ** 2  # uncorrelated, and dependent
    found = measure(NAMES, Representation.of_arrays(rows, labels))
    expected = measure_variables(rows.astype(np.float32), fit_bins(rows.astype(np.float32)))
    assert found["redundancy"].nats == pytest.approx(expected.redundancy.nats)
    assert found["redundancy"].interval_bits.low > 0.05
    assert found["entropy"].bits == pytest.approx(3)
    assert [found[name] for name in NAMES[3:]] == [8.0, 1.0, 1.0]


def test_an_audit_a_study_and_python_read_a_runs_own_variables(run: str, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    data, own = open_data(DATA), trained_variables(run)
    assert own is not None
    features = extract(open_encoder(run), data, store=store)
    parts = split(len(data), data.labels, 0)
    of_python = measure(NAMES, Representation.of_features(features, parts, variables=own))
    audit = mitools.audit(
        run, DATA, measures="discrete", critic=False, control=False, cache=tmp_path / "store", progress=False
    )
    row: dict[str, Any] = audit.table.iloc[0].to_dict()
    for name in NAMES[:3]:
        assert row[f"{name}_bits"] == of_python[name].bits
        assert row[f"{name}_low"] <= row[f"{name}_bits"] <= row[f"{name}_high"]
    assert [row[name] for name in NAMES[3:]] == [of_python[name] for name in NAMES[3:]]
    assert row["one_hot_share"] < 1, "soft variables"
    study = StudyFolder(Study(data=(DATA,), encoders=({"spec": run},), measures=NAMES), tmp_path / "study")
    Worker(study, store, advance=lambda *_: None).run()
    values = {found.cell.measure: found.values for found in study.found()}
    assert values["redundancy"]["estimate"]["bits"] == of_python["redundancy"].bits
    assert values["units_used"]["value"] == of_python["units_used"]
    bins = measure(["redundancy"], Representation.of_features(features, parts))
    assert bins["redundancy"] != of_python["redundancy"]


def test_the_runs_variables_are_its_projectors(run: str) -> None:
    own = trained_variables(run)
    assert own is not None
    assert (own.variables, own.units) == (6, 4)
    assert own.what == "the 6 soft variables of 4 units that the run was trained with"
    rows = np.random.default_rng(0).normal(size=(9, 512))
    q = own(rows)
    with torch.no_grad():
        logits = own.head(torch.from_numpy(rows).float())
    assert q == pytest.approx(logits.reshape(9, 6, 4).softmax(dim=2).numpy(), abs=1e-6)
    assert trained_variables("builtin:pixels") is None


def test_without_being_asked_an_audit_has_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 3)), np.arange(60) % 2
    audit = mitools.audit(rows, (rows, labels), critic=False, control=False, progress=False)
    assert "redundancy_bits" not in audit.table
    with pytest.raises(InputError, match=r"unknown measures 'discreet'.*discrete"):
        mitools.audit(rows, (rows, labels), measures=["discreet"], progress=False)
