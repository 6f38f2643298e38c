"""The page of an encoder's variables: its files, what it says, which images it shows, and bad input."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mitools import measure_variables
from mitools.cli.main import run
from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.features.store import FeatureStore
from mitools.report.variables.grad_cam import heat_of_unit
from mitools.report.variables.subject import Subject, open_subject
from mitools.report.variables.write import Unit, _driving, _frequent, write_variables
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.variables.discretise import Bins
from mitools.variables.distributions import cross_joint

DATA = "cdp?shared=color&n=60&size=28&background=none"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("variables")
    options = {"hidden": 16, "variables": 6, "units": 4}
    recipe = TrainingRecipe(encoder="convnet", data=DATA, method="imsvd", options=options, epochs=1,
                            batch_size=32)  # fmt: skip
    train(recipe, where / "run")
    return where


@pytest.fixture(scope="module")
def subject(folder: Path) -> Subject:
    return open_subject(f"run:{folder / 'run'}", DATA, FeatureStore(folder / "store"))


def test_a_run_becomes_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "page"
    command = ["variables", str(folder / "run"), "--data", DATA, "--out", str(out), "--json", "--unit", "5:3"]
    assert run([*command, "--cache", str(folder / "store"), "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["variables"] == "the 6 soft variables of 4 units that the run was trained with"
    stems = ("joint", "entropies", "views", "gallery", "grad_cam")
    assert {Path(path).name for path in found["files"]} == {
        "index.html", "variables.csv", *(f"{stem}.{end}" for stem in stems for end in ("png", "svg", "pdf")),
    }  # fmt: skip
    assert all(Path(path).stat().st_size > 0 for path in found["files"])
    page = (out / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert "greatest probability above 0.99" in page
    assert 'src="http' not in page
    assert f"{found['redundancy']['bits']:.3f} bits" in page
    assert "variable 5, unit 3" in (out / "gallery.svg").read_text()
    table = pd.read_csv(out / "variables.csv")
    assert table["entropy_bits"].mean() == pytest.approx(found["entropy"]["bits"], abs=1e-9)


def test_the_joint_table_is_that_of_two_views(subject: Subject) -> None:
    assert subject.viewed is not None
    first, second = (subject.discretiser(subject.viewed[:, k]) for k in range(2))
    assert subject.joint() == pytest.approx(cross_joint(first[:, :5], second[:, :5]))
    assert subject.agreement() == pytest.approx((first * second).sum(axis=2).mean())


def test_the_gallery_shows_the_items_of_the_greatest_probability(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {}

    def note(path: Path, chart: object, *given: object, says: str) -> object:
        shown[path.name] = given
        (path.with_suffix(".png")).write_bytes(b"")
        return type("Picture", (), {"path": path.with_suffix(".png"), "says": says})()

    monkeypatch.setattr("mitools.report.variables.write._drawn", note)
    write_variables(subject, tmp_path, [Unit(2, 1)])
    order = np.argsort(-subject.unit(2, 1), kind="stable")[:8]
    pictures = [np.asarray(subject.data[int(item)][0]) for item in order]
    np.testing.assert_array_equal(np.stack(shown["gallery"][0][0]), np.stack(pictures))


def test_of_items_that_are_alike_in_a_unit_any_are_shown() -> None:
    """Not the first ones, which in data in the order of their classes are all of one class."""
    found = _driving(np.repeat([1.0, 0.0], [500, 20]))
    assert len(set(found)) == 8
    assert found.max() < 500
    assert found.max() > 250
    assert _driving(np.array([0.0, 0.2, 0.7, 0.0])).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("shares", "balanced", "units"),
    [
        ([0.125] * 8, True, [0, 1, 6, 7]),
        ([0.1, 0.2, 0.05, 0.3, 0.05, 0.1, 0.15, 0.05], False, [0, 1, 3, 6]),
        # A column with many equal values has fewer bins; units that no item has are not shown.
        ([0.6, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0], True, [0, 1, 2, 3]),
        ([0.9, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], True, [0, 1]),
    ],
)
def test_of_bins_the_outermost_are_shown_and_else_the_most_frequent(
    shares: list[float], balanced: bool, units: list[int]
) -> None:
    reading = SimpleNamespace(marginals=np.array([shares]))
    subject: Any = SimpleNamespace(reading=reading, discretiser=SimpleNamespace(balanced=balanced))
    assert [unit for _, unit in _frequent(subject)] == units


def test_any_encoder_has_variables_of_its_columns(folder: Path) -> None:
    store = FeatureStore(folder / "store")
    bins = open_subject("builtin:pixels", DATA, store)
    assert isinstance(bins.discretiser, Bins)
    empty = Unit(0, int(np.flatnonzero(bins.reading.marginals[0] == 0)[0]))
    written = write_variables(bins, folder / "pixels", [Unit(0, 0), empty])
    assert f"unit {empty.unit}: no item has it" in (folder / "pixels" / "gallery.svg").read_text()
    # Of bins that is 1 by their making, and not said.
    assert "greatest probability" not in (folder / "pixels" / "index.html").read_text()
    assert folder / "pixels" / "gallery.png" in written
    assert folder / "pixels" / "grad_cam.png" not in written, "there is no convolution"
    clusters = open_subject(f"run:{folder / 'run'}", DATA, store, how="clusters", units=3)
    assert clusters.discretiser.units == 3
    assert folder / "c" / "grad_cam.png" in write_variables(clusters, folder / "c", [Unit(0, 1)])


class Bright(nn.Module):
    """Its one column is how bright the left half is, behind a convolution that leaves the image as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.constant_(self.conv.weight, 1.0)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.relu(self.conv(images))
        return torch.stack([maps[..., : maps.shape[-1] // 2].sum((1, 2, 3)), -maps.sum((1, 2, 3))], dim=1)


def test_grad_cam_finds_the_bright_places() -> None:
    data = open_data(DATA)
    preprocess = Preprocess(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    encoder = Encoder("python:bright", "bright", "python", "0", Bright(), preprocess)
    bins = Bins(np.array([0, 1]), (np.array([1.0]), np.array([1.0])), 2, 2)
    heat = heat_of_unit(encoder, data, np.array([0, 1]), bins, 0, unit=1)
    pixels = np.stack([np.asarray(data[k][0], dtype=float).sum(axis=2) for k in range(2)])
    expected = pixels / pixels.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(heat, expected, atol=1e-6)
    against = heat_of_unit(encoder, data, np.array([0]), bins, 0, unit=0)
    assert against is not None
    assert (against == 0).all(), "no bright place speaks for a dark unit"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unit", "6:0"], "there is no unit 6:0; variables are 0 to 5, and their units 0 to 3"),
        (["--unit", "0-1"], "--unit 0-1: write M:D"),
        (["--view", "image"], "draws nothing at random"),
    ],
)
def test_wrong_requests_are_one_line(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["variables", str(folder / "run"), "--data", DATA, "--out", str(folder / "wrong"), "--device"]
    assert run([*command, "cpu", "--cache", str(folder / "store"), *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_variables_of_its_own_are_needed_where_they_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was not trained with soft variables"):
        open_subject("builtin:pixels", DATA, FeatureStore(tmp_path), how="own")


def test_rows_of_ones_own_are_measured_as_the_encoder_that_gives_them(folder: Path) -> None:
    store = FeatureStore(folder / "store")
    spec = open_subject("builtin:pixels", DATA, store, units=3)
    own = measure_variables(
        spec.rows, (spec.rows, spec.data.labels), units=3, cache=folder / "c", progress=False
    )
    assert own.table["entropy_bits"].to_numpy() == pytest.approx(spec.reading.entropies_nats / LOG2)
    assert own.estimates["redundancy"].bits == pytest.approx(spec.reading.redundancy.bits)
    assert own.agreement is None


def test_one_encoder_is_shown_and_discretised_in_a_way_that_there_is() -> None:
    rows = np.random.default_rng(0).standard_normal((50, 3))
    with pytest.raises(InputError, match="2 encoders are given"):
        measure_variables([rows, rows], (rows, [0, 1] * 25), progress=False)
    with pytest.raises(InputError, match="unknown way to discretise"):
        measure_variables(rows, (rows, [0, 1] * 25), discretise="bin", progress=False)  # type: ignore[arg-type]
