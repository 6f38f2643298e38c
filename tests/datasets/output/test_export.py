import csv
import json

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.output.export import export_folder, export_safetensors
from mitools.datasets.synthetic.cdp import CDP
from mitools.datasets.synthetic.scenes.scenes import Scenes


class Progress:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        self.seen.append((done, total))


def test_a_folder_holds_every_image_under_its_class(tmp_path):
    data = CDP(n=300, shared=("color", "digit"), seed=3)
    progress = Progress()
    export_folder(data, tmp_path / "out", progress)
    with (tmp_path / "out" / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["file", "label", "class", "color", "digit", "position"]
    images = data.compose(np.arange(300)).numpy()
    for item, row in enumerate(rows):
        assert np.array_equal(
            np.asarray(Image.open(tmp_path / "out" / row["file"])), images[item].transpose(1, 2, 0)
        )
        assert int(row["label"]) == data.labels[item]
        assert row["class"] == data.classes[data.labels[item]] == f"{row['color']} {row['digit']}"
    assert len(rows) == 300
    assert progress.seen[-1] == (300, 300)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing temporary is left"


def test_an_exported_folder_reads_back_as_data(tmp_path):
    data = CDP(n=60, shared=("position",), background="none")
    export_folder(data, tmp_path / "out", Progress())
    back = open_data(f"folder:{tmp_path}/out")
    assert back.classes == sorted(data.classes)
    assert len(back) == 60


def test_exported_scenes_read_back_with_every_attribute_in_the_table(tmp_path):
    data = Scenes(n=12, size=16, label=("colour", "light"))
    export_folder(data, tmp_path / "out", Progress())
    with (tmp_path / "out" / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[3:] == ["shape", "colour", "material", "pose", "light", "camera"]
    for item, row in enumerate(rows):
        assert np.array_equal(
            np.asarray(Image.open(tmp_path / "out" / row["file"])), np.asarray(data[item][0])
        )
        assert row["class"] == data.classes[data.labels[item]] == f"{row['colour']} {row['light']}"
    assert len(open_data(f"folder:{tmp_path}/out")) == 12


def test_safetensors_hold_images_labels_attributes_and_names(tmp_path):
    data = CDP(n=300, shared=("color",))
    progress = Progress()
    export_safetensors(data, tmp_path / "cdp.safetensors", progress)
    with safe_open(tmp_path / "cdp.safetensors", "np") as file:
        assert np.array_equal(file.get_tensor("images"), data.compose(np.arange(300)).numpy())
        assert np.array_equal(file.get_tensor("labels"), data.labels)
        assert np.array_equal(file.get_tensor("attributes"), data.attributes)
        assert json.loads(file.metadata()["classes"]) == ["red", "green", "blue", "white"]
        assert json.loads(file.metadata()["attributes"])["digit"] == ["2", "3", "4", "5"]
        assert file.metadata()["digest"] == data.digest
    assert progress.seen == [(256, 300), (300, 300)]


def test_safetensors_hold_the_modalities_asked_for(tmp_path, capsys):
    out = tmp_path / "scenes.safetensors"
    command = ["datasets", "export", "scenes?n=9&size=16", "--out", str(out)]
    assert run([*command, "--modalities", "depth,segmentation"]) == 0
    data = Scenes(n=9, size=16)
    with safe_open(out, "np") as file:
        assert set(file.keys()) == {"images", "labels", "attributes", "depth", "segmentation"}
        assert np.array_equal(file.get_tensor("images"), data.compose(np.arange(9)))
        for name in ("depth", "segmentation"):
            expected = np.stack([data.modality(item, name) for item in range(9)])
            assert file.get_tensor(name).dtype == expected.dtype
            assert np.array_equal(file.get_tensor(name), expected)
    for wrong, message in (
        ([*command, "--modalities", "clip"], "unknown modality of scenes 'clip'"),
        ([*command[:-1], str(tmp_path / "folder"), "--modalities", "depth"], "a folder holds images alone"),
        ([*command[:2], "digits", *command[3:], "--modalities", "depth"], "digits has images alone"),
    ):
        capsys.readouterr()
        assert run(wrong) == 2
        told = capsys.readouterr().err
        assert message in told
        assert told.count("\n") == 1
    assert not (tmp_path / "folder").exists()


def test_other_data_can_be_exported_too(tmp_path):
    data = open_data("digits?limit=30")
    export_safetensors(data, tmp_path / "digits.safetensors", Progress())
    with safe_open(tmp_path / "digits.safetensors", "np") as file:
        images = file.get_tensor("images")
    assert images.shape == (30, 3, 8, 8)
    assert np.array_equal(images[4].transpose(1, 2, 0), np.asarray(data[4][0]))


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        export_folder(CDP(n=5, background="none"), tmp_path, Progress())
    assert (tmp_path / "kept.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["out", "out.safetensors"])
def test_an_interrupted_export_leaves_nothing(tmp_path, name):
    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    write = export_safetensors if "." in name else export_folder
    with pytest.raises(KeyboardInterrupt):
        write(CDP(n=5, background="none"), tmp_path / name, stop)
    assert list(tmp_path.iterdir()) == []


def test_rows_of_numbers_are_no_images(tmp_path):
    np.savez(tmp_path / "f.npz", features=np.zeros((4, 2), np.float32), labels=np.array([0, 1, 0, 1]))
    for out in ("folder", "file.safetensors"):
        write = export_safetensors if "." in out else export_folder
        with pytest.raises(InputError, match="not images"):
            write(open_data(f"features:{tmp_path}/f.npz"), tmp_path / out, Progress())
        assert not (tmp_path / out).exists()


def test_command(tmp_path, capsys):
    spec = "cdp?n=8&background=none"
    assert run(["datasets", "export", spec, "--out", f"{tmp_path}/cdp.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 8
    assert run(["datasets", "export", spec, "--out", f"{tmp_path}/cdp"]) == 0
    assert "8 images of 64 classes" in capsys.readouterr().out
    assert run(["datasets", "export", spec, "--out", f"{tmp_path}/cdp"]) == 2
    assert "cdp: exists already" in capsys.readouterr().err
