"""Two audits into one folder: one table, as if both had been one audit."""

import json

import numpy as np
import pandas as pd
import pytest

import mitools
from mitools.auditing.audit import Audit, AuditedEncoder
from mitools.auditing.auditor import run_audit
from mitools.auditing.kept import CLASS_ROWS, TARGET_ROWS, critic_meant, require_same_rows
from mitools.auditing.kept_rows import named_views, shared_by_rows, with_kept_rows
from mitools.auditing.kept_target_rows import with_kept_target_rows
from mitools.auditing.requests import as_requests
from mitools.auditing.settings import AuditSettings
from mitools.auditing.target_audit import TargetAudit, run_target_audit, shared_by_target_rows
from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.datasets.open import open_data
from mitools.datasets.selection import Selection
from mitools.datasets.targets import Targets
from mitools.features.store import FeatureStore


@pytest.fixture(scope="module")
def rows():
    """Labels, and features that say more and more of them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 150)
    signal = np.eye(3)[labels]
    return labels, {
        name: scale * signal + rng.standard_normal((150, 3))
        for name, scale in (("weak", 0.5), ("middle", 1.5), ("strong", 3.0))
    }


def test_two_audits_into_one_folder_are_one_table(rows, tmp_path):
    labels, features = rows
    data = (features["weak"], labels)

    def one(encoders, folder):
        return mitools.audit(encoders, data, folder=folder, critic=False, progress=False)

    one({name: features[name] for name in ("weak", "middle")}, tmp_path / "two")
    second = one({"strong": features["strong"]}, tmp_path / "two")
    together = one(features, tmp_path / "one")
    assert second.table["encoder"].tolist() == ["weak", "middle", "strong"]
    same = ["encoder", "i_class_bits", "i_class_low", "i_class_high", "linear_acc", "knn20_acc", "digest"]
    pd.testing.assert_frame_equal(second.table[same], together.table[same])
    pd.testing.assert_frame_equal(second.comparisons, together.comparisons, rtol=1e-9)
    written = pd.read_csv(tmp_path / "two" / "results.csv")
    assert written["encoder"].tolist() == ["weak", "middle", "strong"]
    record = json.loads((tmp_path / "two" / "run.json").read_text())
    assert record["encoders"].keys() == features.keys()


@pytest.mark.parametrize("target", ["class", "continuous"])
def test_one_network_read_at_two_sizes_has_two_rows(tmp_path, target):
    """The second audit leaves the row of the first; the same encoder again takes the place of its own."""
    data = open_data("digits?limit=60")
    if target == "continuous":
        brightness = np.array([np.asarray(data[k][0]).mean() for k in range(60)])[:, None]
        data = SomeTargets(data, Targets("continuous", ("brightness",), brightness))
    requests = as_requests(["builtin:pixels?image_size=4", "builtin:pixels?image_size=2"])
    settings = AuditSettings(critic=False, control=False)
    store = FeatureStore(tmp_path / "cache")
    for request in (requests[0], requests[1], requests[0]):
        if target == "class":
            found = run_audit(data, [request], out=tmp_path, store=store, settings=settings)
            kept = with_kept_rows(found, tmp_path, ON)
        else:
            found = run_target_audit(data, [request], out=tmp_path, store=store, settings=settings)
            kept = with_kept_target_rows(found, tmp_path, ON)
    assert [(one.row["encoder"], one.row["dim"]) for one in kept.encoders] == [
        ("pixels", 48),
        ("pixels#2", 12),
    ]


class SomeTargets(Selection):
    """Data whose items have other targets than classes."""

    def __init__(self, data, targets):
        n = len(data)
        super().__init__(data, np.arange(n), np.zeros(n, np.int64), ["any"])
        self.targets = targets


ON = {"data": "abc", "seed": 0}


def audited(**digests):
    """An audit of encoders with these digests, without its figures."""
    estimate = Estimate("class_posterior", "lower bound", 0.5)
    return Audit(
        "rows",
        [
            AuditedEncoder(
                {"encoder": f"{name}@last", "network": name, "digest": digest, "nmi": float("nan")},
                {"i_class": estimate},
                np.arange(3.0),
                None,
            )
            for name, digest in digests.items()
        ],
        {},
    )


def names(audit):
    return [(one.row["encoder"], one.row["digest"]) for one in audit.encoders]


def test_another_encoder_of_the_same_name_gets_a_number(tmp_path):
    with_kept_rows(audited(net="a", other="b"), tmp_path, ON)
    found = with_kept_rows(audited(net="c"), tmp_path, ON)
    assert names(found) == [("net@last", "a"), ("other@last", "b"), ("net#2@last", "c")]
    assert names(with_kept_rows(audited(net="c"), tmp_path, ON)) == names(found), "its row is replaced"
    assert found.encoders[0].estimates["i_class"].nats == pytest.approx(0.5)
    assert found.encoders[0].influence_nats.tolist() == [0, 1, 2]


def test_an_encoder_is_found_again_under_the_number_it_has_in_the_folder(tmp_path):
    """Numbers go by the order in an audit, which another audit may turn."""
    with_kept_rows(audited(net="a"), tmp_path, ON)
    found = with_kept_rows(audited(**{"net": "b", "net#2": "a"}), tmp_path, ON)
    assert names(found) == [("net@last", "a"), ("net#2@last", "b")]
    twice = with_kept_rows(audited(**{"net": "a", "net#2": "a", "net#3": "c"}), tmp_path, ON)
    assert names(twice) == [("net@last", "a"), ("net#2@last", "b"), ("net#3@last", "a"), ("net#4@last", "c")]


def test_rows_of_other_data_do_not_go_into_one_table(tmp_path):
    require_same_rows(tmp_path, CLASS_ROWS, ON)
    with_kept_rows(audited(net="a"), tmp_path, ON)
    require_same_rows(tmp_path, CLASS_ROWS, ON)
    with pytest.raises(InputError, match="an audit of rows with another seed: one table cannot hold both"):
        require_same_rows(tmp_path, CLASS_ROWS, {**ON, "seed": 1})
    assert names(with_kept_rows(audited(other="b"), tmp_path, {**ON, "seed": 1})) == [("other@last", "b")]


@pytest.fixture(scope="module")
def digits():
    """Data with classes, and the same with a brightness for a target."""
    data = open_data("digits?limit=60")
    brightness = np.array([np.asarray(data[k][0]).mean() for k in range(60)])[:, None]
    return data, SomeTargets(data, Targets("continuous", ("brightness",), brightness))


@pytest.mark.parametrize("other", [{"precision": "bf16"}, {"kept_as": "float16"}, {"seed": 1}])
def test_rows_of_another_precision_or_seed_do_not_go_into_one_table(digits, tmp_path, other):
    (said,) = other
    with_kept_rows(audited(net="a"), tmp_path / "class", shared_by_rows(digits[0], AuditSettings()))
    kept = TargetAudit("rows", [], {}, "continuous", ["brightness"])
    with_kept_target_rows(kept, tmp_path / "target", shared_by_target_rows(digits[1], AuditSettings()))
    for settings in (AuditSettings(), AuditSettings(batch_size=8, workers=1)):
        require_same_rows(tmp_path / "class", CLASS_ROWS, shared_by_rows(digits[0], settings))
        require_same_rows(tmp_path / "target", TARGET_ROWS, shared_by_target_rows(digits[1], settings))
    changed = AuditSettings(**other)
    with pytest.raises(InputError, match=f"another {said}: one table cannot hold both"):
        require_same_rows(tmp_path / "class", CLASS_ROWS, shared_by_rows(digits[0], changed))
    with pytest.raises(InputError, match=f"another {said}: one table cannot hold both"):
        require_same_rows(tmp_path / "target", TARGET_ROWS, shared_by_target_rows(digits[1], changed))
    found = with_kept_rows(audited(other="b"), tmp_path / "class", shared_by_rows(digits[0], changed))
    assert names(found) == [("other@last", "b")], "rows of two precisions are never shown together"


def test_the_way_back_to_the_default_precision_is_refused_too(digits, tmp_path):
    with_kept_rows(audited(net="a"), tmp_path, shared_by_rows(digits[0], AuditSettings(precision="bf16")))
    with pytest.raises(InputError, match="another precision"):
        require_same_rows(tmp_path, CLASS_ROWS, shared_by_rows(digits[0], AuditSettings()))


COLUMNS = {
    "draws": (
        {"view_pairings": ("simclr",)},
        {"views": 4},
        "of the full critic on 2 draws an item",
    ),
    "critic of views": (
        {"view_pairings": ("simclr",)},
        {"quick_critic": True},
        "not of the quick critic",
    ),
    "critic": ({"critic": True}, {"quick_critic": True}, "infonce is of the full critic, not of the quick"),
}


@pytest.mark.parametrize(("settings", "other", "said"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_holds_one_thing_in_all_rows(tmp_path, settings, other, said):
    one = AuditSettings(**({"critic": False} | settings))
    with_kept_rows(audited(net="a"), tmp_path, ON, named_views(one))
    require_same_rows(tmp_path, CLASS_ROWS, ON, named_views(one))
    require_same_rows(tmp_path, CLASS_ROWS, ON, named_views(AuditSettings(critic=False)))
    another = named_views(AuditSettings(**({"critic": False} | settings | other)))
    with pytest.raises(InputError, match=said):
        require_same_rows(tmp_path, CLASS_ROWS, ON, another)
    assert names(with_kept_rows(audited(other="b"), tmp_path, ON, another)) == [("other@last", "b")]


def test_accuracies_on_two_test_parts_are_not_one_column(digits, tmp_path):
    with_kept_rows(audited(net="a"), tmp_path, ON, named_views(AuditSettings(), digits[0]))
    require_same_rows(tmp_path, CLASS_ROWS, ON, named_views(AuditSettings()))
    with pytest.raises(InputError, match="linear_test_acc is on the test items digits"):
        require_same_rows(
            tmp_path, CLASS_ROWS, ON, named_views(AuditSettings(), open_data("digits?limit=50"))
        )


def test_the_critic_of_targets_is_one_too(tmp_path):
    kept = TargetAudit("rows", [], {}, "continuous", ["brightness"])
    with_kept_target_rows(kept, tmp_path, ON, critic_meant(AuditSettings()))
    require_same_rows(tmp_path, TARGET_ROWS, ON, critic_meant(AuditSettings(critic=False)))
    with pytest.raises(InputError, match="infonce is of the full critic, not of the quick critic"):
        require_same_rows(tmp_path, TARGET_ROWS, ON, critic_meant(AuditSettings(quick_critic=True)))


def test_classes_and_other_targets_have_folders_of_their_own(tmp_path):
    targets = TargetAudit("rows", [], {}, "continuous", ["brightness"])
    with_kept_rows(audited(net="a"), tmp_path, ON)
    with pytest.raises(InputError, match="holds an audit of classes: one table cannot hold both"):
        require_same_rows(tmp_path, TARGET_ROWS, ON)
    with_kept_target_rows(targets, tmp_path, ON)  # as --overwrite does
    require_same_rows(tmp_path, TARGET_ROWS, ON)
    with pytest.raises(InputError, match="holds an audit of targets that are no classes"):
        require_same_rows(tmp_path, CLASS_ROWS, ON)


@pytest.mark.parametrize(("was", "now"), [('"digest": "a"', '"digest": "z"'), ("0.5", "0.6"), ("[", "{")])
def test_rows_that_were_changed_on_disk_are_no_rows(tmp_path, was, now):
    with_kept_rows(audited(net="a"), tmp_path, ON)
    path = tmp_path / "rows" / "audit.json"
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now, 1))
    assert names(with_kept_rows(audited(other="b"), tmp_path, ON)) == [("other@last", "b")]


def test_damaged_rows_are_no_rows(tmp_path):
    with_kept_rows(audited(net="a"), tmp_path, ON)
    (tmp_path / "rows" / "audit.npz").write_bytes(b"PK")
    assert names(with_kept_rows(audited(other="b"), tmp_path, ON)) == [("other@last", "b")]


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(rows, tmp_path, capsys):
    labels, features = rows
    np.savez(tmp_path / "weak.npz", features=features["weak"], labels=labels)
    mine = tmp_path / "paper"
    mine.mkdir()
    (mine / "results.csv").write_text("my own results\n")
    command = ["audit", "--encoder", f"features:{tmp_path / 'weak.npz'}", "--no-critic", "--out", str(mine)]
    assert run(command) == 2
    assert "name another --out, or add --overwrite" in capsys.readouterr().err
    assert (mine / "results.csv").read_text() == "my own results\n"
    assert [path.name for path in mine.iterdir()] == ["results.csv"]
    assert run([*command, "--overwrite"]) == 0
    assert "i_class_bits" in (mine / "results.csv").read_text()


@pytest.mark.slow
def test_options_come_from_a_file_and_the_command_line_goes_before_it(rows, tmp_path, capsys):
    labels, features = rows
    np.savez(tmp_path / "weak.npz", features=features["weak"], labels=labels)
    config = tmp_path / "audit.yaml"
    config.write_text(
        f'encoder: ["features:{tmp_path / "weak.npz"}?name=mine", builtin:pixels]\n'
        f"critic: false\nout: {tmp_path / 'out'}\nseed: 4\n"
    )
    only = f"features:{tmp_path / 'weak.npz'}?name=other"
    assert run(["audit", "--config", str(config), "--encoder", only, "--json"]) == 0
    assert [row["encoder"] for row in json.loads(capsys.readouterr().out)["results"]] == ["other"]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["seed"], record["settings"]["critic"]) == (4, False)
    config.write_text("sead: 4\n")
    assert run(["audit", "--config", str(config)]) == 2
    assert "there is no option 'sead'; accepted: seed" in capsys.readouterr().err
