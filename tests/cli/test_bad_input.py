"""Every wrong request ends with one line, exit code 2, and nothing written."""

import pickle

import numpy as np
import pytest
import torch

from mitools.cli.main import run
from mitools.encoders.architectures.build import build_architecture


@pytest.fixture
def check_refused(tmp_path, capsys):
    """Run a command that must be refused in one line that names these words; nothing may be written."""

    def check(arguments, *words):
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        assert run([str(argument) for argument in arguments]) == 2
        streams = capsys.readouterr()
        assert streams.out == ""
        assert streams.err.count("\n") == 1
        assert streams.err.startswith("error: ")
        for word in words:
            assert str(word) in streams.err
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == before

    return check


def audit_checkpoint(data, checkpoint, tmp_path, arch="cifar_resnet20"):
    return audit(f"tar:{data}", f"checkpoint:{checkpoint}?arch={arch}", tmp_path)


def audit(data, encoder, tmp_path):
    return ["audit", "--data", data, "--encoder", encoder, "--out", tmp_path / "out"]


class Canary:
    """A pickle that would make a file if it were let to run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_checkpoint_that_would_run_code(image_tar, tmp_path, check_refused):
    canary, checkpoint = tmp_path / "canary", tmp_path / "evil.pth"
    checkpoint.write_bytes(pickle.dumps({"state_dict": Canary(canary)}))
    check_refused(audit_checkpoint(image_tar, checkpoint, tmp_path), checkpoint)
    torch.save({"state_dict": Canary(canary)}, checkpoint)
    check_refused(audit_checkpoint(image_tar, checkpoint, tmp_path), checkpoint)
    assert not canary.exists()


def test_a_truncated_checkpoint(image_tar, tmp_path, check_refused):
    checkpoint = tmp_path / "short.pth"
    torch.save(build_architecture("cifar_resnet20").module.state_dict(), checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-2000])
    check_refused(audit_checkpoint(image_tar, checkpoint, tmp_path), checkpoint)


def test_weights_of_another_architecture(image_tar, tmp_path, check_refused):
    checkpoint = tmp_path / "other.pth"
    torch.save(build_architecture("cifar_resnet32").module.state_dict(), checkpoint)
    check_refused(audit_checkpoint(image_tar, checkpoint, tmp_path), checkpoint)
    check_refused(audit_checkpoint(image_tar, checkpoint, tmp_path, "cifar_resnet44"), checkpoint)


def test_a_tar_with_one_class(image_tar_writer, tmp_path, check_refused):
    images = image_tar_writer(tmp_path / "one.tar", [20])
    check_refused(audit(f"tar:{images}", "builtin:pixels", tmp_path), "1 class", "class0")


def test_a_class_with_one_image(image_tar_writer, tmp_path, check_refused):
    images = image_tar_writer(tmp_path / "lone.tar", [20, 1])
    check_refused(audit(f"tar:{images}", "builtin:pixels", tmp_path), "class1", "1 image")


def test_a_truncated_tar(image_tar, tmp_path, check_refused):
    image_tar.write_bytes(image_tar.read_bytes()[:20_000])
    check_refused(audit(f"tar:{image_tar}", "builtin:pixels", tmp_path), image_tar)


@pytest.fixture
def features(tmp_path):
    """Write a feature file and return its path."""

    def write(rows, labels, name="features.npz"):
        np.savez(tmp_path / name, features=rows, labels=labels)
        return tmp_path / name

    return write


def test_features_that_are_not_finite(features, check_refused, tmp_path):
    rows = np.zeros((20, 3))
    rows[7, 1] = np.nan
    path = features(rows, np.arange(20) % 2)
    check_refused(["same-class", path], path, "row 7")
    check_refused(["audit", "--encoder", f"features:{path}", "--out", tmp_path / "out"], path, "row 7")


def test_features_and_labels_of_different_length(features, check_refused):
    path = features(np.zeros((20, 3)), np.arange(19) % 2)
    check_refused(["same-class", path], path, "20", "19")


def test_features_of_other_items_than_the_data(features, image_tar, tmp_path, check_refused):
    path = features(np.zeros((20, 3)), np.arange(20) % 2)
    check_refused(audit(f"tar:{image_tar}", f"features:{path}", tmp_path), path, "20", "120")


def test_features_of_one_class(features, check_refused):
    check_refused(["same-class", features(np.zeros((20, 3)), np.zeros(20, int))], "one class")


def test_features_with_a_class_of_one(features, check_refused):
    check_refused(["same-class", features(np.zeros((20, 3)), [0] * 19 + [1])], "class 1", "1 item")


def test_features_as_python_objects(features, check_refused, tmp_path):
    path = features(np.array([Canary(tmp_path / "canary")] * 10, dtype=object), np.arange(10) % 2)
    check_refused(["same-class", path], path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("data", "encoder", "word"),
    [
        ("nothing:here", "builtin:pixels", "nothing"),
        ("tar:absent.tar", "builtin:pixels", "absent.tar"),
        ("digits?colour=red", "builtin:pixels", "colour"),
        ("digits", "foo:bar", "foo"),
        ("digits", "builtin:pixel", "pixels"),
        ("digits", "builtin:pca?k=0", "k=0"),
        ("digits", "checkpoint:absent.pth?arch=cifar_resnet20", "absent.pth"),
        ("digits", "checkpoint:absent.pth", "arch"),
    ],
)
def test_specs_that_cannot_be_read(data, encoder, word, tmp_path, check_refused):
    check_refused(audit(data, encoder, tmp_path), word)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--pairing", "other"], "other"),
        (["--prior", "flat"], "flat"),
        (["--device", "tpu"], "tpu"),
        (["--seed", "-1"], "seed"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_options_that_cannot_be_read(more, word, tmp_path, check_refused):
    check_refused([*audit("digits", "builtin:pixels", tmp_path), *more], word)


def test_no_data_named(tmp_path, check_refused):
    check_refused(["audit", "--encoder", "builtin:pixels", "--out", tmp_path / "out"], "--data")


def test_arrays_that_cannot_be_estimated(tmp_path, check_refused):
    x, y, short, text = (tmp_path / f"{name}.npy" for name in ("x", "y", "short", "text"))
    np.save(x, np.zeros((100, 2)))
    np.save(y, np.full(100, np.inf))
    np.save(short, np.zeros(90))
    text.write_text("no array")
    check_refused(["estimate", x, tmp_path / "absent.npy"], "absent.npy")
    check_refused(["estimate", x, y], "y", "infinite")
    check_refused(["estimate", x, short], "100", "90")
    check_refused(["estimate", x, text], text)
    check_refused(["estimate", x, x, "--method", "info"], "infonce")


def test_a_folder_that_cannot_be_written(image_tar, tmp_path, capsys):
    (tmp_path / "out").write_text("a file stands where the folder should be")
    assert run([str(word) for word in audit(f"tar:{image_tar}", "builtin:pixels", tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_is_no_wrong_request(image_tar, tmp_path, capsys, monkeypatch):
    import errno

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "cell.json")

    monkeypatch.setattr("mitools.core.result_store.write_text", full)
    assert run([str(word) for word in audit(f"tar:{image_tar}", "builtin:pixels", tmp_path)]) == 1
    assert capsys.readouterr().err == "error: No space left on device (cell.json)\n"
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_that_is_something_else_is_no_reason_to_load_it_unchecked(
    tmp_path, check_refused, capsys
):
    np.save(tmp_path / "x.npy", np.zeros(3))
    check_refused(audit("digits", f"checkpoint:{tmp_path / 'x.npy'}?arch=convnet", tmp_path), "no checkpoint")
    run(["encoders", "inspect", f"checkpoint:{tmp_path / 'x.npy'}?arch=convnet"])
    assert "weights_only" not in capsys.readouterr().err


def test_a_text_is_no_file_of_features(tmp_path, check_refused):
    (tmp_path / "notes.txt").write_text("hi\n")
    check_refused(["same-class", tmp_path / "notes.txt"], "no features", ".safetensors")


def test_a_config_that_is_no_yaml_is_told_with_its_line(tmp_path, check_refused):
    (tmp_path / "audit.yaml").write_text("data: digits\nencoder: [a\n")
    check_refused(["audit", "--config", tmp_path / "audit.yaml"], "line 3", "expected ',' or ']'")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["audit", "--encodr", "builtin:pixels"], "Did you mean '--encoder'?"),
        (["study", "stauts", "somewhere"], "Did you mean 'status'"),
        (["encoders", "inspect", "checkpoint:w.pth?arch=convnett"], "did you mean convnet?"),
    ],
)
def test_what_was_meant_is_named(arguments, meant, check_refused):
    check_refused(arguments, meant)
