"""An audit with official parts: the classifier is fitted to all of the data and read on the test items."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA
from torch import nn

import mitools
from mitools.auditing.auditor import run_audit
from mitools.auditing.settings import AuditSettings
from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.estimators.inputs.splits import split
from mitools.features.store import FeatureStore
from mitools.metrics.probe import linear_probe_on_test
from mitools.metrics.protocols.sgd_linear import sgd_linear_on_test

QUICK = {"critic": False, "control": False}
RNG = np.random.default_rng(0)
Y, TEST_Y = np.arange(120) % 3, np.arange(60) % 3
X, TEST_X = (np.eye(3)[y] + 0.6 * RNG.standard_normal((len(y), 3)) for y in (Y, TEST_Y))


def test_every_layer_is_read_on_the_test_items():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4)).double()
    found = mitools.audit(
        {"net": net},
        (X, Y),
        test_data=(TEST_X, TEST_Y),
        layers=["0", "2"],
        device="cpu",
        progress=False,
        **QUICK,
    )
    for layer, row in zip((net[:1], net), found.table.itertuples(), strict=True):
        with torch.no_grad():
            rows, tested = (layer(torch.from_numpy(x)).float().numpy() for x in (X, TEST_X))
        expected = linear_probe_on_test(rows, Y, tested, TEST_Y).mean()
        assert row.linear_test_acc == pytest.approx(expected)
        assert row.linear_test_acc_low < expected < row.linear_test_acc_high
        assert row.n_test == 60
    plain = mitools.audit({"net": net}, (X, Y), layers=["0", "2"], device="cpu", progress=False, **QUICK)
    assert "linear_test_acc" not in plain.table
    assert plain.table["i_class_bits"].tolist() == found.table["i_class_bits"].tolist()


def test_an_encoder_that_is_fitted_is_fitted_to_the_data_and_not_to_the_test_items(tmp_path: Path):
    names = "cdp?n=200&size=28&background=none&shared=color&part="
    data, test = (open_data(names + part) for part in ("train", "test"))
    found = run_audit(
        data, ["builtin:pca?k=3"], out=tmp_path, store=FeatureStore(tmp_path / "cache"),
        settings=AuditSettings(**QUICK), test=test,
    )  # fmt: skip
    pixels, tested = (
        np.stack([np.asarray(one[k][0], dtype=np.float64).ravel() / 255 for k in range(len(one))])
        for one in (data, test)
    )
    pca = PCA(3, random_state=0).fit(pixels[split(200, data.labels).train])
    expected = linear_probe_on_test(pca.transform(pixels), data.labels, pca.transform(tested), test.labels)
    assert found.encoders[0].row["linear_test_acc"] == pytest.approx(expected.mean(), abs=0.02)


def test_what_is_no_test_part_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    same = [
        "audit",
        "--data",
        "digits?limit=200",
        "--encoder",
        "builtin:pixels",
        "--out",
        str(tmp_path / "a"),
    ]
    for spec, said in (("digits?limit=200", "themselves"), ("cdp?n=50&size=28", "other classes")):
        assert run([*same, "--no-critic", "--test-data", spec]) == 2
        text = capsys.readouterr().err.strip()
        assert said in text
        assert len(text.splitlines()) == 1
    with pytest.raises(InputError, match="rows already computed are of the data alone"):
        mitools.audit({"rows": X}, (X, Y), test_data=(TEST_X, TEST_Y), progress=False, **QUICK)


def written_folder(place: Path, n: int, seed: int) -> Path:
    """Two classes of small pictures, one a folder, as Places205 and ImageNet lie."""
    rng = np.random.default_rng(seed)
    for name, grey in (("bridge", 90), ("tower", 150)):
        (place / name).mkdir(parents=True)
        for k in range(n):
            pixels = np.clip(grey + 40 * rng.standard_normal((8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / name / f"{k}.png")
    return place


def test_official_parts_in_folders_are_read_by_the_papers_sgd_beside_logistic_regression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    train, test = written_folder(tmp_path / "train", 30, 0), written_folder(tmp_path / "val", 20, 1)
    asked = [
        "audit",
        "--data",
        f"folder:{train}",
        "--test-data",
        f"folder:{test}",
        "--encoder",
        "builtin:pixels",
    ]
    asked += ["--no-critic", "--no-control", "--no-html", "--out", str(tmp_path / "out")]
    assert run([*asked, "--test-schedule", "places205"]) == 0
    printed = capsys.readouterr().out
    row = pd.read_csv(tmp_path / "out" / "results.csv").iloc[0]
    parts = [open_data(f"folder:{place}") for place in (train, test)]
    rows = [
        np.stack([np.asarray(one[k][0], dtype=float).ravel() / 255 for k in range(len(one))]) for one in parts
    ]
    expected = sgd_linear_on_test(rows[0], parts[0].labels, rows[1], parts[1].labels, "places205").mean()
    assert row.sgd_test_acc == pytest.approx(expected, abs=0.03)
    assert row.sgd_test_acc_low < row.sgd_test_acc <= row.sgd_test_acc_high
    assert f"{row.sgd_test_acc:.1%}" in printed
    assert f"{row.linear_test_acc:.1%}" in printed


def test_a_schedule_without_a_test_part_or_a_name_is_refused():
    with pytest.raises(InputError, match="test_schedule 'imsvd' reads test items; give test_data"):
        mitools.audit({"rows": X}, (X, Y), test_schedule="imsvd", progress=False, **QUICK)
    with pytest.raises(InputError, match="schedule 'imagenet'"):
        mitools.audit(
            {"net": nn.Linear(3, 2).double()}, (X, Y), test_data=(TEST_X, TEST_Y), test_schedule="imagenet",
            progress=False, **QUICK,
        )  # fmt: skip
