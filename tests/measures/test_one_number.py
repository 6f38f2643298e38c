"""A measure is one number, whoever asks for it: an audit, a study, a plane or Python."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mitools.auditing.auditor import run_audit
from mitools.auditing.row import columns
from mitools.auditing.settings import AuditSettings
from mitools.core.estimate import Estimate
from mitools.core.progress import silent
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.estimators.inputs.splits import split
from mitools.features.extract import extract
from mitools.features.store import FeatureStore
from mitools.measures import critics, quality
from mitools.measures.compute import measure
from mitools.measures.control import control_of
from mitools.measures.measured import Difference, Number
from mitools.measures.registry import MEASURES
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.plane.checkpoints import checkpoints_of_specs
from mitools.plane.measure import measure_plane
from mitools.plane.settings import PlaneSettings
from mitools.report.study import cell_table
from mitools.studies.definition import MEASURABLE, Study
from mitools.studies.folder import StudyFolder
from mitools.studies.worker import Worker
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.training.trained_head import trained_head
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

SYMBOLS = "labels:discrete"
"""Reads whole numbers alone, so that the run has no number of it."""

OF_A_RUN = [name for name in MEASURABLE if name != SYMBOLS]

DATA, SEED, VIEWS = "digits?limit=150", 1, 2
RECIPE = {
    "encoder": "convnet", "data": "digits?limit=100", "objective": "class", "epochs": 1, "batch_size": 32,
    "head_width": 8,
}  # fmt: skip


class Asked(NamedTuple):
    """Where everything is asked of: a run with a head, and the folder of its features."""

    spec: str
    store: FeatureStore
    folder: Path


@pytest.fixture(scope="module", autouse=True)
def brief_critics() -> Any:
    """Train every critic for a moment, and let the caps of the metrics cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(critics, "VariationalEstimator", partial(critics.VariationalEstimator, max_steps=3))
        patch.setattr(quality, "MOST_TRAINING", 60)
        patch.setattr(quality, "MOST_REPORTED", 20)
        yield


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("asked")
    train(TrainingRecipe(**RECIPE), folder / "run")
    return Asked(f"run:{folder / 'run'}", FeatureStore(folder / "store"), folder)


def representation(asked: Asked) -> Representation:
    """Put together by hand what every measure reads."""
    data, encoder = open_data(DATA), open_encoder(asked.spec)
    parts = split(len(data), data.labels, SEED)
    control = control_of(encoder, data, SEED)
    assert control is not None
    return Representation.of_features(
        extract(encoder, data, store=asked.store),
        parts,
        views=extract(encoder, data, store=asked.store, views=ItemViews(make_view("simclr"), VIEWS, SEED)),
        head=trained_head(asked.spec),
        untrained=extract(control.twin, control.data, store=asked.store),
        untrained_items=control.items,
    )


def shown(number: Number) -> list[float]:
    """Give what a table shows of a number: in bits, with the interval where there is one."""
    return list(columns("", number).values())


@pytest.fixture(scope="module")
def of_python(asked: Asked) -> dict[str, list[float]]:
    """Every measure asked for alone."""
    settings, read = MeasureSettings("uniform", SEED), representation(asked)
    return {name: shown(measure([name], read, settings)[name]) for name in OF_A_RUN}


@pytest.fixture(scope="module")
def of_audit(asked: Asked) -> dict[str, list[float]]:
    settings = AuditSettings(
        view_pairings=("simclr",),
        views=VIEWS,
        prior="uniform",
        seed=SEED,
        trained_head=True,
        further_measures=("all",),
    )
    out = asked.folder / "audit"
    found = run_audit(open_data(DATA), [asked.spec], out=out, store=asked.store, settings=settings)
    row = found.encoders[0].row
    names = {name: columns(name, _like(name)) for name in MEASURES}
    return {
        name: [row[column] for column in wanted]
        for name, wanted in names.items()
        if wanted.keys() <= row.keys()
    }


def _like(name: str) -> Number:
    """Give any number of the measure's kind, whose columns are those of every one."""
    kind = MEASURES[name].kind
    estimate = Estimate("any", "lower bound", 0.0)
    return {"estimate": estimate, "difference": Difference(0.0, (0.0, 0.0, 0.95)), "metric": 0.0}[kind]


@pytest.fixture(scope="module")
def of_study(asked: Asked) -> dict[str, list[float]]:
    study = Study(
        data=(DATA,),
        encoders=({"spec": asked.spec},),
        pairings=("same_class", "labels", "simclr"),
        estimators=("class_posterior", "label_information", "infonce"),
        metrics=("linear_acc", "alignment"),
        measures=tuple(OF_A_RUN),
        seeds=(SEED,),
        prior="uniform",
        views=VIEWS,
    )
    folder = StudyFolder(study, asked.folder / "study")
    Worker(folder, asked.store, advance=silent).run()
    found = list(folder.found())
    assert [one.error for one in found if one.error] == []
    table = cell_table(found, {})
    readings: dict[str, list[float]] = {}
    for one, row in zip(found, table.to_dict("records"), strict=True):
        name = one.cell.registered.name
        numbers = [row["value"]] if row["unit"] == "" else [row["value"], row["low"], row["high"]]
        assert readings.setdefault(name, numbers) == pytest.approx(numbers, abs=0, nan_ok=True)
    return readings


@pytest.fixture(scope="module")
def of_plane(asked: Asked) -> dict[str, list[float]]:
    plane = measure_plane(
        checkpoints_of_specs([asked.spec]),
        {"source": open_data(DATA)},
        out=asked.folder / "plane",
        store=asked.store,
        layers=["output"],
        methods=["certificate"],
        settings=PlaneSettings(seed=SEED),
    )
    names = {"class_posterior": "i_class", "label_information": "label_information"}
    return {
        names[row["method"]]: [row["bits"], row["low_bits"], row["high_bits"]]
        for row in plane.table.to_dict("records")
    }


def same(found: list[float], expected: list[float]) -> None:
    """Compare the values exactly; limits that went through a file may differ by a rounding."""
    assert found[0] == expected[0]
    assert found[1:] == pytest.approx(expected[1:], rel=1e-12, nan_ok=True)


def having(table: str) -> list[str]:
    return [name for name in OF_A_RUN if table in MEASURES[name].tables]


@pytest.mark.parametrize("name", having("study"))
def test_a_study_reads_what_python_reads(name: str, of_study: Any, of_python: Any) -> None:
    same(of_study[name], of_python[name])


@pytest.mark.parametrize("name", having("audit"))
def test_an_audit_reads_what_a_study_reads(name: str, of_audit: Any, of_study: Any, of_python: Any) -> None:
    same(of_audit[name], of_study[name])
    same(of_audit[name], of_python[name])


@pytest.mark.parametrize("name", having("plane"))
def test_a_plane_reads_what_python_reads(name: str, asked: Asked, of_plane: Any) -> None:
    # A plane means the data's own class distribution.
    found = measure([name], representation(asked), MeasureSettings(seed=SEED))
    same(of_plane[name], shown(found[name]))


def test_the_tables_have_no_column_that_is_not_registered(
    of_audit: Any, of_study: Any, of_plane: Any
) -> None:
    assert sorted(of_audit) == sorted(having("audit"))
    assert sorted(of_study) == sorted(OF_A_RUN)
    assert sorted(of_plane) == sorted(having("plane"))


def test_symbols_are_one_number_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    rows = (labels + rng.integers(0, 2, 120))[:, None].astype(np.float32)
    np.savez(tmp_path / "rows.npz", features=rows, labels=labels)
    spec = f"features:{tmp_path / 'rows.npz'}"
    study = Study(data=(spec,), encoders=({"spec": spec},), metrics=(), pairings=(), measures=(SYMBOLS,))
    folder = StudyFolder(study, tmp_path / "study")
    Worker(folder, FeatureStore(tmp_path / "store")).run()
    (found,) = folder.found()
    read = Estimate.from_dict(found.values["estimate"])
    expected = measure([SYMBOLS], Representation.of_arrays(rows, labels))[SYMBOLS]
    assert read.bits == expected.bits
