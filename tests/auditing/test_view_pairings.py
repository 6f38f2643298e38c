"""Pairs of views by the names of their views, in an audit and in a study: one number, whoever asks."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mitools
from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.features.store import FeatureStore
from mitools.studies.definition import Cell, cells, left_out, read_study
from mitools.studies.folder import StudyFolder
from mitools.studies.worker import Worker

WEAK = "simclr?strength=0.5"
DATA = "digits?limit=200"


@pytest.fixture(autouse=True)
def short_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    def briefly(*arguments: Any, **settings: Any) -> VariationalEstimator:
        return VariationalEstimator(*arguments, **settings, max_steps=20)

    monkeypatch.setattr("mitools.measures.critics.VariationalEstimator", briefly)


def audited(pairing: str, out: Path, encoders: int = 1) -> pd.DataFrame:
    specs = ["builtin:pixels", "builtin:random_conv?width=4", "builtin:pca?k=4"][:encoders]
    arguments = ["audit", "--data", DATA, "--out", str(out), "--pairing", pairing, "--device", "cpu"]
    assert run([*arguments, *(word for spec in specs for word in ("--encoder", spec))]) == 0
    return pd.read_csv(out / "results.csv")


def test_each_view_has_columns_of_its_own_name_and_leaves_the_others_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = audited(f"same_class,simclr,{WEAK}", tmp_path / "both", encoders=3)
    assert f"I of {WEAK}"[:8] in capsys.readouterr().out
    own = [f"i_{WEAK}_bits", f"i_{WEAK}_low", f"i_{WEAK}_high", f"alignment_{WEAK}"]
    assert set(own) | {"i_simclr_bits", "alignment_simclr"} <= set(both.columns)
    assert (both["alignment_simclr"] != both[f"alignment_{WEAK}"]).all()
    plain = audited("same_class", tmp_path / "plain", encoders=3)
    paired = [column for column in both if "simclr" in column]
    same = both.drop(columns=[*paired, "seconds", "warnings"])
    pd.testing.assert_frame_equal(same, plain.drop(columns=["seconds", "warnings"]))
    alone = audited(WEAK, tmp_path / "alone")
    pd.testing.assert_frame_equal(alone[own], both[own][:1])
    correlated = pd.read_csv(tmp_path / "both" / "correlation.csv")["column"]
    assert {"i_simclr_bits", own[0], "alignment_simclr", own[3]} <= set(correlated)


def test_every_step_is_counted_so_that_none_begins_when_all_is_done() -> None:
    told: list[tuple[str, int, int]] = []
    mitools.audit(
        ["builtin:pixels"], DATA, pairing="same_class,simclr", critic=False,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    steps = [step for step in told if ": " in step[0]]
    assert [done for _, done, _ in steps] == list(range(4))
    assert {total for _, _, total in steps} == {4}
    assert steps[-1][0] == "pixels: pairs of views (simclr)"


def write_study(folder: Path, pairings: str, estimators: str = "infonce", metrics: str = "[]") -> Path:
    path = folder / "study.yaml"
    path.write_text(
        f"data: ['{DATA}']\nencoders: [builtin:pixels]\npairings: {pairings}\n"
        f"estimators: [{estimators}]\nmetrics: {metrics}\n"
    )
    return path


def test_a_study_reads_the_numbers_of_an_audit(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, f"[simclr, '{WEAK}']", metrics="[alignment_simclr]"))
    folder = StudyFolder(study, tmp_path / "out")
    Worker(folder, FeatureStore(tmp_path / "features")).run()
    found = {one.cell.column: one.values for one in folder.found()}
    row = audited(f"simclr,{WEAK}", tmp_path / "audit").iloc[0]
    assert found["simclr:infonce"]["estimate"]["bits"] == pytest.approx(row["i_simclr_bits"], abs=1e-12)
    assert found[f"{WEAK}:infonce"]["estimate"]["bits"] == pytest.approx(row[f"i_{WEAK}_bits"], abs=1e-12)
    assert found["alignment_simclr"]["value"] == pytest.approx(row["alignment_simclr"], abs=1e-12)


def test_a_view_is_read_by_what_reads_pairs_of_views(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, f"[same_class, '{WEAK}']", "infonce, class_posterior"))
    assert list(cells(study)) == [
        Cell(DATA, "builtin:pixels", "same_class", "infonce", 0),
        Cell(DATA, "builtin:pixels", "same_class", "class_posterior", 0),
        Cell(DATA, "builtin:pixels", WEAK, "infonce", 0),
    ]
    assert left_out(study) == {}, "each is read beside one of the others"
    assert [cell.view for cell in cells(study)] == [None, None, WEAK]


@pytest.mark.parametrize(
    ("pairings", "said"),
    [
        ("[simcrl]", "there is no 'simcrl'; did you mean .*simclr"),
        ("['simclr?strenth=1']", "unknown option 'strenth'"),
        ("['simclr?strength=9']", "less than or equal to 1.25, not 9"),
        ("[image]", "pairing 'image': nothing in this view is random"),
        ("[simclr, 'simclr?strength=1']", "pairings names 'simclr' twice"),
        ("['same_class?x=1']", "pairing 'same_class.x=1': same_class takes no options"),
    ],
)
def test_a_wrong_pairing_of_a_study_is_one_line(tmp_path: Path, pairings: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_study(write_study(tmp_path, pairings))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pairing", "said"),
    [
        ("same_clas", "unknown pairing 'same_clas'; did you mean same_class"),
        ("same_class,simclr?strenth=1", "unknown option 'strenth'"),
        ("same_class,image", "nothing in this view is random"),
        ("simclr,simclr?strength=1", "name one view twice"),
    ],
)
def test_a_wrong_pairing_of_an_audit_is_one_line(
    tmp_path: Path, pairing: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["audit", "--data", DATA, "--encoder", "builtin:pixels", "--out", str(tmp_path / "out")]
    assert run([*arguments, "--pairing", pairing]) == 2
    message = capsys.readouterr().err
    assert said in " ".join(message.split())
    assert message.count("error:") == 1
