"""Columns that lie far from zero tell what the same columns about zero tell, in every entry point."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import mitools
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.estimators import ClassPosterior, make_estimator
from mitools.metrics.feature_quality import feature_quality

N = 600
OFFSETS = (1e6, 1e8, 1.7e9, 1e12)


def far_from_zero(offset: float, seed: int = 0) -> tuple[Any, Any]:
    """Four classes ten apart in one column that lies far from 0, beside three of noise: I = 2 bits."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % 4
    column = offset + 10.0 * labels + rng.standard_normal(N)
    return np.column_stack([rng.standard_normal((N, 3)), column]), labels


def nanoseconds() -> tuple[Any, Any]:
    """Whole numbers that differ by less than double precision resolves where they lie."""
    x, labels = far_from_zero(0.0)
    return 1_700_000_000_000_000_000 + np.rint(4 * x).astype(np.int64), labels


def near_one() -> tuple[Any, Any]:
    """A column of spread 1e-7 about 1."""
    x, labels = far_from_zero(0.0)
    return 1 + 1e-9 * x, labels


CASES = [far_from_zero(offset) for offset in OFFSETS] + [nanoseconds(), near_one()]
NAMES = [*map(str, OFFSETS), "nanoseconds", "near one"]


@pytest.fixture(params=CASES, ids=NAMES)
def case(request):
    return request.param


def reads_two_bits(bits: float) -> bool:
    return abs(bits - 2) < 0.12


def test_the_certificate_of_arrays_and_of_new_rows(case):
    x, y = case
    assert reads_two_bits(mitools.certify(x, y).estimate.bits)
    fitted = ClassPosterior().fit(x[: N // 2], y[: N // 2])
    assert (fitted.predict(x[N // 2 :]) == y[N // 2 :]).mean() > 0.97
    assert fitted.score(x[N // 2 :], y[N // 2 :]) > 1.7
    # A single new row cannot say where its columns lie.
    assert fitted.predict(x[-1:]) == y[-1:]


@pytest.mark.parametrize("kind", [torch.from_numpy, lambda x: x.tolist()], ids=["tensor", "list"])
def test_the_certificate_of_what_else_holds_numbers(case, kind):
    x, y = case
    assert reads_two_bits(mitools.certify(kind(x), y).estimate.bits)


def write_npz(folder, x, y):
    np.savez(folder / "f.npz", features=x, labels=y)
    return f"features:{folder}/f.npz"


def write_npy(folder, x, y):
    np.save(folder / "f.npy", x)
    np.save(folder / "y.npy", y)
    return f"features:{folder}/f.npy?labels={folder}/y.npy"


def write_safetensors(folder, x, y):
    from safetensors.numpy import save_file

    save_file({"features": x, "labels": y}, folder / "f.safetensors")
    return f"features:{folder}/f.safetensors"


def write_parquet(folder, x, y):
    import pandas as pd

    pd.DataFrame({f"c{k}": column for k, column in enumerate(x.T)} | {"label": y}).to_parquet(
        folder / "f.parquet"
    )
    return f"features:{folder}/f.parquet"


def write_parquet_lists(folder, x, y):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"features": x.tolist(), "label": y}), folder / "f.parquet")
    return f"features:{folder}/f.parquet"


WRITERS = [write_npz, write_npy, write_safetensors, write_parquet, write_parquet_lists]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_kind_of_feature_file(case, write, tmp_path):
    x, y = case
    spec = write(tmp_path, x, y)
    data = open_data(spec)
    assert reads_two_bits(mitools.certify(data.features, data.labels).estimate.bits)
    assert feature_quality(data.features).constant_dims == 0


@pytest.mark.parametrize("name", ["1700000000.0", "nanoseconds"])
def test_an_audit_of_rows_of_a_file_and_of_the_data_themselves(name, tmp_path):
    x, y = CASES[NAMES.index(name)]
    encoders = {"rows": x, "file": write_npz(tmp_path, x, y), "pixels": "builtin:pixels"}
    table = mitools.audit(encoders, (x, y), critic=False, control=False, progress=False).table
    assert (abs(table["i_class_bits"] - 2) < 0.12).all()
    assert (table["constant_dims"] == 0).all()


def test_a_network_of_single_precision_is_not_shown_shifted_rows():
    x, y = far_from_zero(1.7e9)
    with pytest.raises(InputError, match=r"does not resolve column 3 about 1.7e\+09; subtract a constant"):
        mitools.audit({"net": torch.nn.Linear(4, 2)}, (x, y), critic=False, control=False, progress=False)
    near, _ = far_from_zero(0.0)
    mitools.audit({"net": torch.nn.Linear(4, 2)}, (near, y), critic=False, control=False, progress=False)


@pytest.mark.parametrize("method", ["ksg", "gaussian_copula", "components", "mixed_ksg", "label_information"])
def test_estimators_read_what_they_read_about_zero(case, method):
    x, labels = case
    y = labels if method in ("mixed_ksg", "label_information") else labels + 0.3 * np.sin(np.arange(N))
    # The same rows about zero: whole nanoseconds stay whole.
    near = (x - x[0]).astype(np.float64)
    found, expected = (make_estimator(method).estimate(rows, y) for rows in (x, near))
    assert found.nats == pytest.approx(expected.nats, abs=0.05)
    assert found.nats > 0.5


def test_a_trained_critic_reads_what_it_reads_about_zero():
    y = np.eye(4)[np.arange(N) % 4]
    critics = [make_estimator("infonce") for _ in range(2)]
    bits = []
    for critic, offset in zip(critics, (0.0, 1.7e9), strict=True):
        x, _ = far_from_zero(offset)
        critic.set_params(max_steps=60, folds=1)
        bits.append((critic.estimate(x, y).bits, critic.score(x[:100], y[:100])))
    assert bits[1] == pytest.approx(bits[0], abs=0.05)
    assert bits[0][0] > 0.5


def test_the_command_estimates_from_files_far_from_zero(tmp_path):
    x, y = far_from_zero(1e12)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    command = [
        sys.executable,
        "-P",
        "-m",
        "mitools",
        "estimate",
        "x.npy",
        "y.npy",
        "--method",
        "class_posterior",
    ]
    done = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    (found,) = json.loads(done.stdout)["estimates"]
    assert reads_two_bits(found["bits"])


def test_a_calibration_makes_composites_of_rows_far_from_zero():
    x, y = far_from_zero(1.7e9)
    found = mitools.calibrate(x, y, "class_posterior", bits=2, truths=[1.0], progress=False).table
    assert abs(found["error_bits"][0]) < 0.25


def test_features_that_pass_by_in_batches():
    x, y = far_from_zero(1.7e9)
    metric = mitools.ClassInformation()
    for rows in np.split(np.arange(N), 6):
        metric.update(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
    assert reads_two_bits(metric.compute().bits)


def test_a_dimension_that_varies_in_its_own_precision_is_not_constant():
    x, _ = far_from_zero(1e12)
    columns = np.column_stack([x[:, 3], np.full(N, 1e12), np.full(N, 0.1) + 1e-17 * np.arange(N)])
    assert feature_quality(columns).constant_dims == 2


def test_what_single_precision_has_no_numbers_for_is_refused():
    x, y = far_from_zero(0.0)
    with pytest.raises(InputError, match="overflowing values in 450 of 600 rows, the first at row 1; remove"):
        mitools.certify(np.column_stack([x, y * 1e300]), y)
