"""Further faults of each kind that an audit tool must not have; the first are tested where they arose.

What is changed is another key; nothing outside is read; one bad encoder ends itself alone; names stay names.
"""

import io
import json
import os
import re
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from safetensors.torch import save_file

from mitools.cli.main import run
from mitools.core.claims import ClaimFolder
from mitools.core.errors import DataNote, InputError
from mitools.core.result_store import ResultStore
from mitools.datasets.detection.base import path_inside
from mitools.datasets.images import known_contents
from mitools.datasets.open import open_data
from mitools.datasets.opened_files import require_unchanged
from mitools.datasets.readers.features import read_features
from mitools.encoders.open import open_encoder
from mitools.encoders.view_encoders import view_encoders
from mitools.report.card import card
from mitools.report.figures.brackets import bracket_chart

h5py = pytest.importorskip("h5py")
lmdb = pytest.importorskip("lmdb")


def _png(path: Path, grey: int = 0) -> bytes:
    Image.new("L", (2, 2), grey).save(path)
    return path.read_bytes()


# 1. Identity by content.


def test_the_views_of_a_run_are_part_of_its_encoder(tmp_path: Path) -> None:
    """The same weights behind another view are another encoder."""
    described = [{"view": "rgb:r", "encoder": "convnet", "channels": 1}]
    checkpoint = tmp_path / "run" / "checkpoints" / "epoch-0001"
    checkpoint.mkdir(parents=True)
    recipe = {"encoder": "convnet", "data": "digits", "method": "cmc", "epochs": 1, "batch_size": 8}
    (tmp_path / "run" / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    torch.manual_seed(0)
    save_file(view_encoders(described).state_dict(), checkpoint / "encoder.safetensors")
    digests = []
    for view in ("rgb:r", "rgb:g"):
        (checkpoint / "views.json").write_text(json.dumps([described[0] | {"view": view}]))
        digests.append(open_encoder(f"run:{tmp_path}/run").digest)
    assert digests[0] != digests[1]


def test_two_arrays_of_images_in_one_large_file_are_two_data_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a note in the cache says of one array is not taken for the other."""
    monkeypatch.setattr(known_contents, "REMEMBERED_FROM", 1)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, grey in (("photographs", 10), ("drawings", 200)):
            stored = file.create_dataset(name, (4,), h5py.vlen_dtype(np.uint8))
            for item in range(4):
                stored[item] = np.frombuffer(_png(tmp_path / "x.png", grey + item), np.uint8)
        file["labels"] = [0, 1, 0, 1]
    digests = [
        open_data(f"hdf5:{tmp_path}/x.h5?image={name}").digest for name in ("photographs", "drawings") * 2
    ]
    assert digests[0] == digests[2]
    assert digests[1] == digests[3]
    assert digests[0] != digests[1]


def _lmdb(folder: Path) -> tuple[str, Path]:
    with lmdb.open(str(folder / "x.lmdb"), map_size=1 << 20) as made, made.begin(write=True) as writing:
        for item in range(4):
            writing.put(b"%d/%d" % (item % 2, item), _png(folder / "x.png", item))
    return f"lmdb:{folder}/x.lmdb", folder / "x.lmdb" / "data.mdb"


def _arrow(folder: Path) -> tuple[str, Path]:
    table = pa.table({"image": [_png(folder / "x.png", item) for item in range(4)], "label": [0, 1, 0, 1]})
    (folder / "saved").mkdir()
    with pa.ipc.new_stream(str(folder / "saved" / "data.arrow"), table.schema) as sink:
        sink.write_table(table)
    (folder / "saved" / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    return f"hf-datasets:{folder}/saved", folder / "saved" / "data.arrow"


@pytest.mark.parametrize("write", [_lmdb, _arrow])
def test_a_database_that_changes_while_it_is_read_is_noticed(
    tmp_path: Path, write: Callable[[Path], tuple[str, Path]]
) -> None:
    spec, file = write(tmp_path)
    data = open_data(spec)
    require_unchanged(data)
    os.utime(file, ns=(0, 0))
    with pytest.raises(InputError, match="changed while it was read"):
        require_unchanged(data)


@pytest.mark.parametrize("changed", ["{}", '{"request": 1}', "null"])
def test_a_cell_of_another_shape_counts_as_absent(tmp_path: Path, changed: str) -> None:
    store = ResultStore(tmp_path)
    assert store.cell("nmi", {"x": 1}, lambda: {"value": 1.0})["value"] == 1.0
    store.path("nmi", {"x": 1}).write_text(changed)
    assert store.cell("nmi", {"x": 1}, lambda: {"value": 2.0})["value"] == 2.0


# 3. Nothing outside.


@pytest.mark.parametrize("name", ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg", 7, None])
def test_annotations_name_images_of_their_folder_alone(tmp_path: Path, name: object) -> None:
    with pytest.raises(InputError, match="is no image in"):
        path_inside(tmp_path, name, tmp_path / "x.json")


def test_a_table_of_paths_reads_no_devices_and_tells_what_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    for item in range(2):
        _png(tmp_path / f"{item}.png")
    (tmp_path / "lists" / "x.csv").write_text("path,label\n../0.png,a\n../1.png,b\n")
    with pytest.warns(DataNote, match=r"2 of its paths lead out of .*lists: \.\./0\.png"):
        assert len(open_data(f"csv:{tmp_path}/lists/x.csv")) == 2
    (tmp_path / "lists" / "x.csv").write_text(f"path,label\n{tmp_path}/0.png,a\n{tmp_path}/1.png,b\n")
    with pytest.warns(DataNote, match="2 of its paths lead out of .*lists"):
        open_data(f"csv:{tmp_path}/lists/x.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_data(f"csv:{tmp_path}/lists/x.csv?root={tmp_path}")
    os.mkfifo(tmp_path / "lists" / "waits.png")
    for endless in ("/dev/zero", "waits.png"):
        (tmp_path / "lists" / "x.csv").write_text(f"path,label\n{endless},a\n{endless},b\n")
        with pytest.raises(InputError, match="is no file"):
            open_data(f"csv:{tmp_path}/lists/x.csv")


def test_pipes_are_no_clips_and_no_frames(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label / "clip").mkdir(parents=True)
        _png(tmp_path / label / "clip" / "0.png")
        os.mkfifo(tmp_path / label / "waits.avi")
        os.mkfifo(tmp_path / label / "clip" / "1.png")
    data = open_data(f"clips:{tmp_path}?frames=1")
    assert len([data[item] for item in range(len(data))]) == 2


# 4. and 6. Code that ends the program, and other bad encoders, end themselves alone.

CODE = """
from torch import nn

class Ends(nn.Module):
    def forward(self, images):
        raise SystemExit(7)

class Recurs(nn.Module):
    def forward(self, images):
        return self(images)
"""


@pytest.mark.slow
def test_bad_encoders_of_every_kind_leave_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad_code.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    bad = [
        "python:bad_code:Ends", "python:bad_code:Recurs", f"checkpoint:/{'x' * 5000}.pth?arch=cifar_resnet20",
        f"run:/{'y/' * 3000}", "builtin:random_conv?width=0",
    ]  # fmt: skip
    encoders = [word for spec in (*bad, "builtin:pixels") for word in ("--encoder", spec)]
    command = [
        "audit",
        "--data",
        "digits?limit=60",
        *encoders,
        "--out",
        str(tmp_path / "out"),
        "--no-html",
        "--no-critic",
        "--no-control",
    ]
    assert run(command) == 1
    table = pd.read_csv(tmp_path / "out" / "results.csv")
    assert table["encoder"].tolist() == ["pixels"]
    failures = json.loads((tmp_path / "out" / "estimates.json").read_text())["failures"]
    assert len(failures) == len(bad)
    assert not [said for said in failures.values() if "\n" in said or "Traceback" in said]
    assert "Traceback" not in capsys.readouterr().err


# 7. Bounded.


def test_an_array_is_read_as_far_as_its_header_says(tmp_path: Path) -> None:
    """A member of an npz file that holds 30 MB more than its header says, packed into 30 kB."""
    np.savez(tmp_path / "x.npz", features=np.eye(4, dtype=np.float32), labels=[0, 1, 0, 1])
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, one in content.items():
            archive.writestr(name, one + bytes(30_000_000 if name.startswith("features") else 0))
    tracemalloc.start()
    try:
        assert read_features(tmp_path / "x.npz").features.shape == (4, 4)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_label_of_a_shard_is_no_longer_than_a_label(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, content in (("0.png", _png(tmp_path / "x.png")), ("0.cls", b"a" * 2_000_000)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(InputError, match="cls is no label, it has more than a million bytes"):
        open_data(f"webdataset:{tmp_path}/x.tar")


# 8. Claims.


def test_a_claim_that_holds_no_owner_is_one_all_the_same(tmp_path: Path) -> None:
    claims = ClaimFolder(tmp_path, heartbeat_seconds=0.02, stale_seconds=0.1)
    (tmp_path / "x.claim").write_bytes(b"\xff\xfe garbage")
    granted: list[bool] = []
    while not any(granted) and len(granted) < 500:
        with claims.claim("x") as is_granted:
            granted.append(is_granted)
        time.sleep(0.005)
    assert not granted[0]
    assert granted[-1]


# 9. Output is escaped.


def test_a_card_shows_a_name_and_runs_nothing_of_it() -> None:
    row = {
        "n": 10,
        "i_class_bits": 1.0,
        "i_class_low": 0.5,
        "i_class_high": 1.5,
        "h_c_bits": 2.0,
        "warnings": "",
    }
    text = card(row | {"encoder": "a\n# b <script>x</script> ![c](d) \x1b[2J"}, "<b>e</b>")
    assert not re.search(r"(?<!\\)[<>\[]", text.split("---\n")[2].splitlines()[0])
    assert "\x1b" not in text
    assert len([line for line in text.splitlines() if line.startswith("# ")]) == 1


@pytest.mark.parametrize("name", ["$\\frac{$", "a$b$c", "\\", "{0}", "%s"])
def test_a_figure_draws_names_as_they_are(name: str) -> None:
    row = {"encoder": name, "h_c_bits": 2.0, "i_class_bits": 1.0, "i_class_low": 0.5}
    figure = Figure()
    bracket_chart(pd.DataFrame([row | {"i_class_identified": False}]), figure=figure, title=name)
    FigureCanvasAgg(figure).draw()
    assert name in {text.get_text() for text in figure.findobj(Text)}
