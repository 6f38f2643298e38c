"""Rows that depend on each other, through every door: told where nobody named them, else silent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mitools
from mitools.cli.main import run


class Case(NamedTuple):
    """Features of items that depend on each other, random labels of their groups, and what is to be said."""

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    word: str


def copied_images(jitter: float = 0.0) -> Case:
    """300 images, each stored ten times."""
    rng = np.random.default_rng(2)
    images, labels = rng.standard_normal((300, 64)), rng.integers(0, 3, 300)
    group = rng.permutation(np.repeat(np.arange(300), 10))
    rows = images[group] + jitter * rng.standard_normal((3000, 64))
    return Case(rows, labels[group], group, "near_copies" if jitter else "copies")


def subjects() -> Case:
    """200 subjects, ten recordings of each, one after another."""
    rng = np.random.default_rng(0)
    own, labels, group = (
        rng.standard_normal((200, 64)),
        rng.integers(0, 2, 200),
        np.repeat(np.arange(200), 10),
    )
    return Case(own[group] + 0.01 * rng.standard_normal((2000, 64)), labels[group], group, "near_copies")


def crops() -> Case:
    """300 photographs, five crops of each: a random tenth of the columns shows something else."""
    rng = np.random.default_rng(3)
    group = rng.permutation(np.repeat(np.arange(300), 5))
    photographs, labels = rng.standard_normal((300, 64)), rng.integers(0, 3, 300)
    changed = rng.random((1500, 64)) < 0.1
    rows = np.where(changed, rng.standard_normal((1500, 64)), photographs[group])
    return Case(rows, labels[group], group, "near_copies")


def mirrored() -> Case:
    """150 images, each stored twice as it is and twice with the order of its columns reversed."""
    rng = np.random.default_rng(4)
    images, labels = rng.standard_normal((250, 32)), rng.integers(0, 2, 250)
    group = rng.permutation(np.repeat(np.arange(250), 4))
    flipped = rng.random(1000) < 0.5
    return Case(
        np.where(flipped[:, None], images[group, ::-1], images[group]), labels[group], group, "copies"
    )


CASES: dict[str, Callable[[], Case]] = {
    "copied images": copied_images,
    "jittered images": lambda: copied_images(0.01),
    "subjects": subjects,
    "crops": crops,
    "mirrored images": mirrored,
}


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def says(estimate: Any, word: str) -> bool:
    """Whether an estimate warns, or claims nothing."""
    return bool(estimate.has_warning(word) or estimate.has_warning("indistinguishable_from_zero"))


def reads_nothing(estimate: Any) -> bool:
    low, high, _ = estimate.interval_nats
    return bool(low <= 0 <= high)


def test_certify(case: Case) -> None:
    assert mitools.certify(case.features, case.labels).estimate.has_warning(case.word)
    named = mitools.certify(case.features, case.labels, groups=case.groups)
    assert reads_nothing(named.estimate)
    assert reads_nothing(named.label_information)
    assert not named.estimate.has_warning(case.word)


def test_audit(case: Case) -> None:
    options: dict[str, Any] = {"critic": False, "control": False, "progress": False}
    alone = mitools.audit(case.features, (case.features, case.labels), **options)
    (name,) = alone.estimates
    assert says(alone.estimates[name]["i_class"], case.word)
    named = mitools.audit(case.features, (case.features, case.labels), groups=case.groups, **options)
    assert reads_nothing(named.estimates[name]["i_class"])


def test_mutual_information(case: Case) -> None:
    assert says(mitools.mutual_information(case.features, case.labels, "label_information"), case.word)
    named = mitools.mutual_information(case.features, case.labels, "label_information", groups=case.groups)
    assert reads_nothing(named)


def test_auto_with_labels() -> None:
    case = subjects()
    assert mitools.mutual_information(case.features, case.labels).has_warning("near_copies")
    named = mitools.mutual_information(case.features, case.labels, groups=case.groups)
    assert named.has_warning("indistinguishable_from_zero")
    assert not named.has_warning("near_copies")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    case = copied_images(0.01)
    np.savez(tmp_path / "f.npz", features=case.features.astype(np.float32), labels=case.labels)
    np.save(tmp_path / "x.npy", case.features)
    np.save(tmp_path / "y.npy", case.labels)
    np.save(tmp_path / "g.npy", case.groups)
    (tmp_path / "g.csv").write_text("clip,group\n" + "".join(f"a,{one}\n" for one in case.groups))
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def words(estimate: dict[str, Any]) -> set[str]:
    return {warning["word"] for warning in estimate["warnings"]}


@pytest.mark.parametrize("groups", ["g.npy", "g.csv"])
def test_same_class_command(files: Path, capsys: pytest.CaptureFixture[str], groups: str) -> None:
    assert "near_copies" in words(printed(capsys, "same-class", str(files / "f.npz"))["i_class"])
    named = printed(capsys, "same-class", str(files / "f.npz"), "--groups", str(files / groups))["i_class"]
    assert named["low_bits"] <= 0 <= named["high_bits"]
    assert "near_copies" not in words(named)


def test_estimate_command(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = "estimate", str(files / "x.npy"), str(files / "y.npy"), "--method", "class_posterior"
    found = printed(capsys, *arrays)
    assert "near_copies" in {warning["word"] for warning in found["dependent_rows"]}
    named = printed(capsys, *arrays, "--groups", str(files / "g.npy"))
    assert named["dependent_rows"] == []
    assert named["estimates"][0]["low_bits"] <= 0 <= named["estimates"][0]["high_bits"]


def test_audit_command_and_spec_give_one_number(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"features:{files / 'f.npz'}"
    options = ["--no-critic", "--no-control", "--seed", "1"]
    rows = []
    for k, asked in enumerate([["--data", spec, "--groups", str(files / "g.npy")],
                               ["--data", f"{spec}?groups={files / 'g.npy'}"]]):  # fmt: skip
        out = str(files / f"audit{k}")
        rows.append(printed(capsys, "audit", "--encoder", spec, *asked, *options, "--out", out)["results"][0])
    assert rows[0]["i_class_bits"] == rows[1]["i_class_bits"]
    assert rows[0]["i_class_low"] <= 0 <= rows[0]["i_class_high"]


def test_study_says_and_takes_groups_of_a_spec(files: Path) -> None:
    spec = f"features:{files / 'f.npz'}"
    asked = {"encoders": [spec], "estimators": ["class_posterior"]}
    alone, named = (
        mitools.study({**asked, "data": [data]}, progress=False)
        for data in (spec, f"{spec}?groups={files / 'g.npy'}")
    )
    assert "near_copies" in str(alone.cells["warnings"].tolist())
    assert alone.table["same_class:class_posterior"].iloc[0] > 0.02
    assert abs(named.table["same_class:class_posterior"].iloc[0]) < 0.01


def test_calibrate_says_and_takes_groups(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = copied_images(0.01)
    options: dict[str, Any] = {"bits": 2, "truths": [1.0], "progress": False}
    alone = mitools.calibrate(case.features, case.labels, "class_posterior", **options)
    assert "near_copies" in str(alone.table["warnings"].iloc[0])
    named = mitools.calibrate(case.features, case.labels, "class_posterior", groups=case.groups, **options)
    assert "near_copies" not in str(named.table["warnings"].iloc[0])
    # Rows of random labels show no bit: what is read of the composites is nothing.
    assert alone.table["reading_bits"].iloc[0] > 0.1
    assert named.table["reading_bits"].iloc[0] < 0.05


def test_series_are_told_and_read_by_block() -> None:
    """Random walks of seeds that no other test uses; more seeds are in the guide."""
    for seed in range(3):
        x, y = np.cumsum(np.random.default_rng([7, seed]).standard_normal((2, 1000)), axis=1)
        assert mitools.mutual_information(x, y).has_warning("serial_dependence")
        series = mitools.mutual_information(x, y, block=50)
        assert series.has_warning("indistinguishable_from_zero")
        assert not series.has_warning("serial_dependence")


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.9, 0.99, 1.0])
def test_forty_pairs_of_independent_series(phi: float) -> None:
    claimed = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).standard_normal((2, 1000))
        pair = np.zeros((2, 1000))
        for t in range(1, 1000):
            pair[:, t] = phi * pair[:, t - 1] + noise[:, t]
        assert mitools.mutual_information(*pair, "gaussian").has_warning("serial_dependence")
        series = mitools.mutual_information(*pair, block=50)
        claimed += not series.has_warning("indistinguishable_from_zero")
    assert claimed <= 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [0, 1]}, "groups has 2 rows"),
        ({"groups": np.zeros(200)}, "all 200 rows belong to the one group"),
        ({"groups": np.arange(200) // 25}, "8 groups"),
        ({"block": 300}, "block is 300 rows, but the series has 200"),
        ({"block": 0}, "at least 1"),
        ({"groups": np.arange(200), "block": 5}, "block and groups are both given"),
        ({"block": 5, "method": "infonce"}, "takes no block"),
        ({"groups": np.arange(200), "method": "nsb"}, "takes no groups"),
    ],
)
def test_bad_groups_and_blocks_are_one_line(options: dict[str, Any], message: str) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 200))
    # Of auto's methods those that read all rows take eight groups as well.
    holds_out = "block" not in options and len(options.get("groups", [])) == 200
    method = options.pop("method", "adaptive" if holds_out else "ksg")
    with pytest.raises(mitools.InputError, match=message) as caught:
        mitools.mutual_information(x, y, method, **options)
    assert "\n" not in str(caught.value)
