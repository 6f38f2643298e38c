"""What is read of composites of known information, made from labelled rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from mitools.calibration import CalibrationSettings, certify, run_calibration
from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.datasets.known_information.binary_composites import flip_probability
from mitools.datasets.readers.features import FeatureRows
from mitools.estimators.neural import variational
from mitools.pairing.composites import composite_pool
from mitools.report.calibration import write_calibration


def features(separation: float, n: int = 400, d: int = 3, seed: int = 0) -> FeatureRows:
    """Two equal classes of normal rows, `separation` apart in the first dimension, and a few of a third."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n) % 2 * 2, np.ones(20, dtype=int)])
    rows = rng.standard_normal((len(labels), d)).astype(np.float32)
    rows[:, 0] += separation * (labels - 1)
    return FeatureRows("blobs", ["no", "maybe", "yes"], rows, labels.astype(np.int64), f"blobs{separation}")


@pytest.mark.parametrize("truth", [1.0, 3.0])
def test_the_certificate_reads_the_truth_where_rows_tell_their_class(truth: float) -> None:
    pool = composite_pool(features(8.0, n=2000), bits=4, n=4000)
    estimate = certify(pool, flip_probability(4, truth))
    assert estimate.kind == "lower bound"
    assert estimate.bits == pytest.approx(truth, abs=0.1)
    assert estimate.interval_bits is not None
    assert estimate.interval_bits.low < truth
    assert estimate.null_bits == pytest.approx(0, abs=0.05)
    assert estimate.entropy_bits == pytest.approx(4)
    assert not estimate.has_warning("indistinguishable_from_zero")


def test_the_certificate_reads_less_where_rows_do_not() -> None:
    # Rows two deviations apart: what they tell of a fair bit is known by quadrature.
    grid, step = np.linspace(-8, 8, 801, retstep=True)
    lean = np.tanh(grid)  # p(1|x) - p(0|x) for means at -1 and 1
    density = (np.exp(-((grid - 1) ** 2) / 2) + np.exp(-((grid + 1) ** 2) / 2)) / 2 / np.sqrt(2 * np.pi)
    faithful = 1 - 2 * flip_probability(1, 0.5)
    ratio = 1 + faithful * np.outer(lean, lean)
    bound = 2 * float((np.outer(density, density) * ratio * np.log(ratio)).sum() * step**2)
    pool = composite_pool(features(1.0, n=2000, d=1), bits=2, n=10_000)
    estimate = certify(pool, flip_probability(2, 1.0))
    assert estimate.nats == pytest.approx(bound, abs=0.03)
    assert estimate.bits < 0.7 * 1.0


def test_shuffled_classes_certify_nothing() -> None:
    data = features(0.0, n=2000)
    estimate = certify(composite_pool(data, bits=4), flip_probability(4, 3.0))
    assert estimate.nats == pytest.approx(0, abs=0.02)
    assert estimate.has_warning("indistinguishable_from_zero")


SETTINGS = CalibrationSettings(bits=2, truths=(0.5, 1.5), n=300)


def test_every_method_reads_every_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fit(self, x, y, pairing=None, parts=None):
        seen.append(parts)
        raise InputError("not today")

    monkeypatch.setattr(variational.VariationalEstimator, "fit", fit)
    methods = ["gaussian", "class_posterior", "infonce", "gaussian"]
    found = run_calibration(features(4.0), methods, out=tmp_path, settings=SETTINGS)
    assert list(found.points) == ["gaussian", "class_posterior"]
    assert found.failures == {"infonce": "not today"}
    # What is trained gets the split in which rows are held out, and is not asked again once it failed.
    assert [len(parts.report) for parts in seen] == [60]
    for points in found.points.values():
        assert [point.truth_bits for point in points] == [0.5, 1.5]
    assert (found.classes, found.n, found.dimensions) == (("no", "yes"), 300, 6)
    assert not found.truth_is_limit
    readings = [point.estimate.bits for point in found.points["class_posterior"]]
    assert readings == pytest.approx([0.5, 1.5], abs=0.2)


def test_a_stopped_calibration_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = features(4.0)
    run_calibration(data, ["gaussian"], out=tmp_path, settings=SETTINGS)
    kept = sorted(path.name for path in (tmp_path / "cells").iterdir())
    assert len(kept) == 2

    def never(*arguments, **options):
        raise AssertionError("what was kept is computed again")

    monkeypatch.setattr("mitools.estimators.classical.gaussian.GaussianEstimator.fit", never)
    again = run_calibration(data, ["gaussian", "ksg"], out=tmp_path, settings=SETTINGS)
    assert len(again.points["gaussian"]) == 2
    assert len(list((tmp_path / "cells").iterdir())) == 4
    assert kept == sorted(path.name for path in (tmp_path / "cells").iterdir() if path.name in kept)
    with pytest.raises(AssertionError):
        run_calibration(
            data, ["gaussian"], out=tmp_path, settings=CalibrationSettings(bits=2, truths=(0.5,), n=299)
        )


def test_the_report_is_the_numbers(tmp_path: Path) -> None:
    found = run_calibration(features(4.0), ["gaussian"], out=tmp_path, settings=SETTINGS)
    report = write_calibration(found, tmp_path)
    assert {path.name for path in report.files} == {
        "calibration.csv", "calibration.json", "calibration.png", "calibration.svg", "calibration.pdf",
    }  # fmt: skip
    rows = report.table.to_dict("records")
    for row, point in zip(rows, found.points["gaussian"], strict=True):
        assert row["reading_bits"] == pytest.approx(point.estimate.nats / LOG2)
        assert row["error_bits"] == pytest.approx(row["reading_bits"] - row["truth_bits"])
    worst = max(rows, key=lambda row: abs(row["error_bits"]))
    assert f"off by at most {abs(worst['error_bits']):.2f} bits" in report.finding
    assert f"reads {worst['reading_bits']:.2f} of {worst['truth_bits']:g}" in report.finding
    assert "300 composites of 2 bits in 6 dimensions" in report.setting
    document = json.loads(report.files[1].read_text())
    assert [point["truth_bits"] for point in document["points"]] == [0.5, 1.5]
    assert document["finding"] == report.finding


def test_rows_of_both_classes_make_the_truth_a_limit(tmp_path: Path) -> None:
    data = features(4.0)
    data.features[0] = data.features[1]
    found = run_calibration(data, ["gaussian"], out=tmp_path, settings=SETTINGS)
    assert found.truth_is_limit
    assert "upper limits" in write_calibration(found, tmp_path).setting


@pytest.mark.parametrize(
    ("methods", "changes", "message"),
    [
        (["infonc"], {}, "did you mean infonce"),
        (["label_information"], {}, "compares rows with labels"),
        ([], {}, "a method and a true value"),
        (["gaussian"], {"truths": ()}, "a method and a true value"),
        (["gaussian"], {"truths": (3.0,)}, "of 2 bits 3 cannot be shared"),
        (["gaussian"], {"n": 9}, "9 items cannot be split"),
        (["gaussian"], {"n": 10**9}, "take 48 GB"),
        (["gaussian"], {"components": 4}, "have no 4 components"),
        (["gaussian"], {"classes": ("no", "yess")}, "no class 'yess'; did you mean"),
        (["gaussian"], {"classes": ("no", "no")}, "cannot show both bits"),
    ],
)
def test_bad_requests_are_named_before_anything_is_read(methods, changes, message, tmp_path: Path) -> None:
    settings = CalibrationSettings(**({"bits": 2, "truths": (0.5,)} | changes))
    with pytest.raises(InputError, match=message):
        run_calibration(features(4.0), methods, out=tmp_path, settings=settings)
    assert not list(tmp_path.iterdir())


def test_when_no_method_can_be_read_the_reasons_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self, x, y):
        raise InputError("not today")

    monkeypatch.setattr("mitools.estimators.classical.base.ClosedFormEstimator.fit", refuse)
    with pytest.raises(InputError, match="ksg: not today; gaussian: not today"):
        run_calibration(features(4.0), ["ksg", "gaussian"], out=tmp_path, settings=SETTINGS)
