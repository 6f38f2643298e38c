"""Complements of encoders that hold stated attributes, and what is said of pairs that cannot be compared."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mitools
from mitools.cli.main import run
from mitools.comparing import label_reading
from mitools.comparing.complement import ADDS, FALLS, NOT_TOLD, complement
from mitools.comparing.encoder_set import EncoderSet
from mitools.comparing.label_reading import read_label, together
from mitools.comparing.subset import best_subsets
from mitools.core.errors import InputError
from mitools.core.result_store import ResultStore
from mitools.datasets.open import open_data
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.class_information.certificate_folds import certificate_splits

SPEC = importlib.util.spec_from_file_location("known", Path(__file__).with_name("known.py"))
assert SPEC is not None
assert SPEC.loader is not None
known: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(known)


@pytest.fixture(scope="module")
def cdp() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Encoders that hold the colour, or the digit, of images whose class is both: 16 classes, 4 bits."""
    data = open_data("cdp?size=32&background=none&n=1200&shared=color,digit")
    colour, digit = data.labels // 4, data.labels % 4
    noise = 0.05 * np.random.default_rng(0).standard_normal((3, 1200, 4))
    return {
        "colour": np.eye(4)[colour] + noise[0],
        "digit": np.eye(4)[digit] + noise[1],
        "colour too": 2 * np.eye(4)[colour] + noise[2],
    }, data.labels


def test_colour_and_digit_complement_each_other_by_two_bits_and_colour_itself_by_none(cdp: Any) -> None:
    rows, labels = cdp
    found = complement(EncoderSet.of_arrays({**rows, "again": rows["colour"]}, labels))
    assert found.h_c_bits == pytest.approx(4, abs=0.02)
    table = found.complement.set_index(["encoder", "given"])
    for encoder, given, truth in [
        ("colour", "digit", 2), ("digit", "colour", 2), ("digit", "colour too", 2), ("colour too", "colour",
        0), ("colour", "colour too", 0), ("again", "colour", 0),
    ]:  # fmt: skip
        row = table.loc[(encoder, given)]
        assert row["low_bits"] <= truth <= row["high_bits"], (encoder, given)
        assert row["verdict"] == (ADDS if truth else NOT_TOLD)
        assert truth <= row["at_most_bits"] <= truth + (0.2 if truth else 2.2)
    assert table.loc[("again", "colour"), "complement_bits"] == 0, "the same columns are there once"
    shared = found.redundancy.set_index(["encoder_a", "encoder_b"])
    assert shared.loc[("colour", "colour too"), "redundancy_bits"] == pytest.approx(2, abs=0.05)
    assert shared.loc[("colour", "digit"), "redundancy_bits"] == pytest.approx(0, abs=0.05)
    assert shared.loc[("colour", "digit"), "gain_over_better_bits"] == pytest.approx(2, abs=0.05)


def test_a_complement_of_noisy_encoders_is_the_known_conditional_information() -> None:
    channels = known.noisy_channel(0.7), known.noisy_channel(0.6)
    (x, y), labels = known.draw(list(channels), 1500, 3)
    table = complement(EncoderSet.of_arrays({"a": x, "b": y}, labels)).complement.set_index("encoder")
    truths = {"a": known.complement_bits(*channels), "b": known.complement_bits(*channels[::-1])}
    for name, truth in truths.items():
        assert truth > 0.2
        assert table.loc[name, "low_bits"] <= truth <= table.loc[name, "high_bits"]


def test_an_exclusive_or_is_not_seen_by_a_linear_reader() -> None:
    one, other = np.random.default_rng(0).integers(0, 2, (2, 600))
    pair = EncoderSet.of_arrays({"one": np.eye(2)[one], "other": np.eye(2)[other]}, one ^ other)
    table = complement(pair).complement
    assert (table["complement_bits"].abs() < 0.02).all()
    assert (table["at_most_bits"] >= 1).all(), "one bit is there, and is not excluded"


def test_columns_of_noise_that_overfit_are_told() -> None:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(300) % 3)
    rows = {
        "good": np.eye(3)[labels] + 0.3 * rng.standard_normal((300, 3)),
        "noise": rng.standard_normal((300, 900)),
    }
    table = complement(EncoderSet.of_arrays(rows, labels)).complement.set_index("encoder")
    assert table.loc["noise", "verdict"] == FALLS
    assert table.loc["good", "verdict"] == ADDS


def test_a_reading_is_the_label_information_of_an_audit() -> None:
    (x, _), labels = known.draw([known.noisy_channel(0.7)] * 2, 400, 0)
    splits = certificate_splits(labels, 0)
    found = read_label(x, labels, splits, np.bincount(labels) / 400, 0)
    expected = LabelInformation().fit(x, labels, splits)
    assert found.nats == expected.estimate_.nats
    np.testing.assert_array_equal(found.influence, expected.influence_)


def test_groups_widen_the_interval() -> None:
    (x, y), labels = known.draw([known.noisy_channel(0.7), known.noisy_channel(0.6)], 300, 0)
    repeated = np.repeat(np.arange(300), 4)
    sets = [
        EncoderSet.of_arrays({"a": x[repeated], "b": y[repeated]}, labels[repeated], groups=groups)
        for groups in (None, repeated)
    ]
    alone, grouped = (complement(one).complement.iloc[0] for one in sets)
    ratio = (grouped["high_bits"] - grouped["low_bits"]) / (alone["high_bits"] - alone["low_bits"])
    assert ratio == pytest.approx(2, rel=0.25), "four copies of an item are one item"


def test_the_best_subset_is_chosen_on_select_and_reported_on_report(cdp: Any) -> None:
    rows, labels = cdp
    found = best_subsets(EncoderSet.of_arrays(rows, labels), k=3).set_index("chosen_as")
    assert set(found.loc["greedy 2", "encoders"].split(" + ")) >= {"digit"}
    assert found.loc["greedy 1", "report_bits"] == pytest.approx(2, abs=0.1)
    assert found.loc["best pair", "report_bits"] == pytest.approx(4, abs=0.15)
    assert found.loc["greedy 2", "gain_low_bits"] > 1.8
    assert found.loc["greedy 3", "gain_low_bits"] <= 0 <= found.loc["greedy 3", "gain_high_bits"]
    assert np.isnan(found.loc["greedy 1", "gain_bits"])


def test_the_choice_never_sees_the_report_items(cdp: Any) -> None:
    rows, labels = cdp
    whole = EncoderSet.of_arrays(rows, labels)
    spoilt = {name: one.copy() for name, one in rows.items()}
    for one in spoilt.values():
        one[whole.parts.report] = 0
    other = best_subsets(EncoderSet.of_arrays(spoilt, labels), k=2)
    found = best_subsets(whole, k=2)
    assert found["encoders"].tolist() == other["encoders"].tolist()
    assert found["select_bits"].tolist() == other["select_bits"].tolist()
    assert found["report_bits"].tolist() != other["report_bits"].tolist()


def test_copies_of_columns_and_constant_ones_are_there_once() -> None:
    x = np.random.default_rng(0).standard_normal((20, 70))
    joined = together([x, np.hstack([x[:, 5:9], np.ones((20, 2)), -x[:, :1]])])
    np.testing.assert_array_equal(joined, np.hstack([x, -x[:, :1]]).astype(np.float32))
    assert together([np.zeros((5, 3))]).shape == (5, 1)


def test_what_cannot_be_compared_is_one_line(cdp: Any) -> None:
    rows, labels = cdp
    fewer = {"colour": rows["colour"], "other": rows["digit"][:-7]}
    said = "other has features of 1193 items, and there are 1200 labels"
    with pytest.raises(InputError, match=said) as caught:
        complement(EncoderSet.of_arrays(fewer, labels))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="1 encoder is there; two or more are needed"):
        EncoderSet.of_arrays({"colour": rows["colour"]}, labels)
    with pytest.raises(InputError, match="k=4: a subset has 1 to 3"):
        best_subsets(EncoderSet.of_arrays(rows, labels), k=4)


def test_what_was_read_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (x, y), labels = known.draw([known.noisy_channel(0.7), known.noisy_channel(0.6)], 200, 0)
    pair, store = EncoderSet.of_arrays({"a": x, "b": y}, labels), ResultStore(tmp_path)
    found = complement(pair, store=store)
    assert found.complement.equals(complement(pair).complement)
    monkeypatch.setattr(label_reading, "read_label", None)
    assert complement(pair, store=store).complement.equals(found.complement)
    with pytest.raises(TypeError):
        complement(pair, seed=1, store=store)


@pytest.mark.slow
def test_the_interval_of_a_difference_covers_the_truth_in_nine_of_ten_samples() -> None:
    for keep_a, keep_b, n in ((0.7, 0.6, 2000), (0.3, 0.9, 1000)):
        channels = known.noisy_channel(keep_a), known.noisy_channel(keep_b)
        truth = {"a": known.complement_bits(*channels), "b": known.complement_bits(*channels[::-1])}
        held = {"a": 0, "b": 0}
        for seed in range(50):
            (x, y), labels = known.draw(list(channels), n, seed)
            found = complement(EncoderSet.of_arrays({"a": x, "b": y}, labels, seed=seed), seed=seed)
            for row in found.complement.to_dict("records"):
                held[row["encoder"]] += row["low_bits"] <= truth[row["encoder"]] <= row["high_bits"]
        assert min(held.values()) >= 45, held


def test_an_audit_in_memory_has_a_complement(cdp: Any) -> None:
    rows, labels = cdp
    data = (np.zeros((1200, 1), dtype=np.float32), labels)
    audit = mitools.audit(rows, data, critic=False, control=False, progress=False)
    by_hand = complement(EncoderSet.of_arrays(rows, labels)).complement
    found = audit.complement()
    assert found.table.equals(by_hand)
    readings = dict(zip(audit.table["encoder"], audit.table["label_information_bits"], strict=True))
    assert found.table.set_index("encoder")["encoder_bits"]["digit"].iloc[0] == readings["digit"]
    assert found.subsets(2)["chosen_as"].tolist() == ["greedy 1", "greedy 2", "best pair"]
    assert audit.similarity().table["value"].iloc[1] > 0.9  # colour beside colour
    with pytest.raises(InputError, match="two or more are needed"):
        mitools.audit({"one": rows["colour"]}, data, critic=False, control=False, progress=False).complement()
    broken = {"one": rows["colour"][:200], "other": np.full((200, 2), np.nan)}
    left = mitools.audit(broken, (data[0][:200], labels[:200]), critic=False, control=False, progress=False)
    with pytest.raises(InputError, match=r"1 encoder is there; .*; other failed: .*finite"):
        left.similarity()


def test_the_command_writes_tables_and_figures(tmp_path: Path, cdp: Any, capsys: Any) -> None:
    rows, labels = cdp
    specs = []
    for name in ("colour", "digit"):
        np.savez(tmp_path / f"{name}.npz", features=rows[name][:400], labels=labels[:400])
        specs += ["--encoder", f"features:{tmp_path / name}.npz"]
    command = ["audit", *specs, "--no-critic", "--no-control", "--out", str(tmp_path / "out"), "--complement"]
    assert run([*command, "--similarity", "linear_cka"]) == 0
    told = "In 2 of 2 ordered pairs an encoder adds class information to the other"
    assert told in " ".join(capsys.readouterr().out.split())
    names = {path.name for path in (tmp_path / "out").rglob("*.csv")}
    assert {"complement.csv", "redundancy.csv", "subsets.csv", "similarity.csv"} <= names
    assert (tmp_path / "out" / "figures" / "complement.png").exists()
    assert (tmp_path / "out" / "figures" / "linear_cka.svg").exists()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("colour beside digit") == 1
    for section in ("What is added", "How alike", "codes the label of new items"):
        assert section in page
    assert run([*command, "--similarity", "cka"]) == 2
    assert "unknown similarity 'cka'" in capsys.readouterr().err


def test_why_there_is_nothing_to_compare_is_told(tmp_path: Path, cdp: Any, capsys: Any) -> None:
    rows, labels = cdp
    specs = []
    for name, n in (("colour", 200), ("digit", 193)):
        np.savez(tmp_path / f"{name}.npz", features=rows[name][:n], labels=labels[:n])
        specs += ["--encoder", f"features:{tmp_path / name}.npz"]
    command = ["audit", "--no-critic", "--no-control", "--out", str(tmp_path / "out")]
    assert run([*command, *specs, "--complement"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "1 encoder is there; two or more are needed to compare them" in line
    assert "193 rows for the 200 items" in line
    for option in (["--complement"], ["--similarity", "svcca"]):
        one = [*command[:-1], str(tmp_path / "one"), *specs[:2], *option]
        assert run(one) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert f"{option[0][2:]} compares two encoders or more, and 1 is given" in line
        assert not (tmp_path / "one").exists(), "nothing was measured"
