"""No reader runs what is hidden in a file: a canary in every place of every source."""

import io
import json
import os
import pickle
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from mitools.core.errors import InputError
from mitools.core.recipes import read_recipe
from mitools.datasets.open import open_data
from mitools.datasets.sources import DATA_SOURCES
from mitools.encoders.open import SOURCES, open_encoder
from mitools.studies.definition import Study
from mitools.training.recipes import TrainingRecipe

RECIPE = {"encoder": "convnet", "data": "digits", "method": "simclr", "epochs": 1, "batch_size": 8}
CODE = "open({!r}, 'w')\n"


class Canary:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.path}'",)


def _objects(canary: Canary) -> np.ndarray[Any, Any]:
    return np.array([canary] * 12, dtype=object)


def _checkpoint(folder: Path, canary: Canary) -> list[str]:
    torch.save({"state_dict": canary}, folder / "zip.pth")
    torch.save({"state_dict": canary}, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    pickled = pickle.dumps({"model": canary})
    for name in ("plain.pkl", "x.safetensors", "x.safetensors.index.json", "x.npz"):
        (folder / name).write_bytes(pickled)
    np.savez(folder / "objects.npz", **{"conv1.weight": _objects(canary)})
    return [f"checkpoint:{path}?arch=cifar_resnet20" for path in sorted(folder.iterdir())]


def _run(folder: Path, canary: Canary) -> list[str]:
    """Write a canary into every file of a run in turn, the code that a recipe names included."""
    specs = []
    files = ("encoder.safetensors", "training.pt", "head.safetensors", "views.json", "state.json")
    for name in (*files, "recipe.yaml"):
        run = folder / f"bad_{name.partition('.')[0]}"
        checkpoint = run / "checkpoints" / "epoch-0001"
        checkpoint.mkdir(parents=True)
        (run / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
        place = run if name == "recipe.yaml" else checkpoint
        (place / name).write_bytes(pickle.dumps({"x": canary}))
        if name == "training.pt":
            torch.save({"x": canary}, place / name)
        specs.append(f"run:{run}")
    named = folder / "names_code" / "checkpoints" / "epoch-0001"
    named.mkdir(parents=True)
    (folder / "canary_code.py").write_text(CODE.format(str(canary.path)))
    recipe = RECIPE | {"encoder": "python:canary_code:network"}
    (folder / "names_code" / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    apply = f"encoder: !!python/object/apply:os.system ['touch {canary.path}']\n"
    (folder / "runs_code" / "checkpoints" / "epoch-0001").mkdir(parents=True)
    (folder / "runs_code" / "recipe.yaml").write_text(apply)
    return [*specs, f"run:{folder}/names_code", f"run:{folder}/runs_code"]


def _hugging_face(folder: Path, canary: Canary) -> list[str]:
    pytest.importorskip("transformers")
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    bert = {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    configs = {"code": own, "weights": bert, "tokenizer": bert | {"tokenizer_class": "own.T"}}
    for name, config in configs.items():
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(config))
        (folder / name / "own.py").write_text(CODE.format(str(canary.path)))
        auto = {"auto_map": {"AutoTokenizer": ["own.T", None], "AutoImageProcessor": "own.P"}}
        (folder / name / "tokenizer_config.json").write_text(json.dumps(auto))
        torch.save({"embeddings.word_embeddings.weight": canary}, folder / name / "pytorch_model.bin")
    return [f"hf:{folder}/{name}" for name in configs]


def _timm(folder: Path, canary: Canary) -> list[str]:
    (folder / "config.json").write_text(json.dumps({"architecture": "resnet10t", "num_classes": 0}))
    torch.save({"weight": canary}, folder / "pytorch_model.bin")
    return [f"timm:local-dir:{folder}"]


def _torch_hub(folder: Path, canary: Canary) -> list[str]:
    (folder / "hubconf.py").write_text(CODE.format(str(canary.path)))
    return [f"torchhub:{folder}:entry?source=local", f"torchhub:{folder}:entry?source=local&trust=no"]


def _torch_script(folder: Path, canary: Canary) -> list[str]:
    torch.save({"x": canary}, folder / "a.pt")
    (folder / "b.pt").write_bytes(pickle.dumps(canary))
    return [f"torchscript:{folder}/{name}.pt{end}" for name in "ab" for end in ("", "?trust=yes")]


def _onnx(folder: Path, canary: Canary) -> list[str]:
    (folder / "x.onnx").write_bytes(pickle.dumps(canary))
    return [f"onnx:{folder}/x.onnx"]


def _features(folder: Path, canary: Canary) -> list[str]:
    rows, labels = np.ones((12, 3), np.float32), np.arange(12) % 2
    np.save(folder / "rows.npy", rows)
    np.save(folder / "objects.npy", _objects(canary))
    np.savez(folder / "a.npz", features=_objects(canary), labels=labels)
    np.savez(folder / "b.npz", features=rows, labels=_objects(canary))
    for name in ("c.npz", "c.safetensors", "c.parquet", "c.npy"):
        (folder / name).write_bytes(pickle.dumps(canary))
    pairs = [("objects", "rows"), ("rows", "objects"), ("rows", "c"), ("c", "rows")]
    specs = [f"features:{folder}/{rows}.npy?labels={folder}/{labels}.npy" for rows, labels in pairs]
    files = ("a.npz", "b.npz", "c.npz", "c.safetensors", "c.parquet")
    return specs + [f"features:{folder}/{name}" for name in files]


def _folder(folder: Path, canary: Canary) -> list[str]:
    for label in "ab":
        (folder / label).mkdir()
        (folder / label / "x.png").write_bytes(pickle.dumps(canary))
        np.save(folder / label / "x.tif", _objects(canary))
    return [f"folder:{folder}"]


def _clips(folder: Path, canary: Canary) -> list[str]:
    for label in "ab":
        (folder / label).mkdir()
        (folder / label / "x.avi").write_bytes(pickle.dumps(canary))
    return [f"clips:{folder}"]


def _tar(folder: Path, canary: Canary) -> list[str]:
    content = pickle.dumps(canary)
    (folder / "pickle.tar").write_bytes(content)
    with tarfile.open(folder / "images.tar", "w") as archive:
        for name in ("a/x.png", "b/x.png", "b/x.pkl"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return [f"tar:{folder}/pickle.tar", f"tar:{folder}/images.tar"]


def _mnist(folder: Path, canary: Canary) -> list[str]:
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte.gz"):
        (folder / name).write_bytes(pickle.dumps(canary))
    return [f"mnist:{folder}?part=test", f"mnist:{folder}?part=train"]


def _nyu_depth(folder: Path, canary: Canary) -> list[str]:
    (folder / "x.mat").write_bytes(pickle.dumps(canary))
    return [f"nyu_depth:{folder}/x.mat"]


def _text(folder: Path, canary: Canary) -> list[str]:
    for name in ("x.csv", "x.parquet"):
        (folder / name).write_bytes(pickle.dumps(canary))
    return [f"text:{folder}/{name}?text=text&label=label" for name in ("x.csv", "x.parquet")]


def _csv(folder: Path, canary: Canary) -> list[str]:
    (folder / "x.png").write_bytes(pickle.dumps(canary))
    (folder / "named.csv").write_text("path,label\nx.png,a\nx.png,b\n")
    (folder / "x.csv").write_bytes(pickle.dumps(canary))
    return [f"csv:{folder}/named.csv?image=path&label=label", f"csv:{folder}/x.csv?image=path&label=label"]


def _hdf5(folder: Path, canary: Canary) -> list[str]:
    (folder / "x.h5").write_bytes(pickle.dumps(canary))
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "y.h5", "w") as file:
        file["images"] = np.array([pickle.dumps(canary)] * 4)
        file["labels"] = [0, 1, 0, 1]
    return [f"hdf5:{folder}/{name}.h5?image=images&label=labels" for name in "xy"]


def _hf_datasets(folder: Path, canary: Canary) -> list[str]:
    for name in ("script", "arrow"):
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(CODE.format(str(canary.path)))
        (folder / name / "dataset_info.json").write_bytes(pickle.dumps(canary))
        (folder / name / "state.json").write_text(json.dumps({"_data_files": [{"filename": "x.arrow"}]}))
        (folder / name / "x.arrow").write_bytes(pickle.dumps(canary))
    (folder / "script" / "state.json").unlink()
    specs = [f"hf-datasets:{folder}/{name}?image=image&label=label" for name in ("script", "arrow")]
    return [*specs, f"hf-datasets:{folder}/script/script.py?image=image&label=label"]


def _lmdb(folder: Path, canary: Canary) -> list[str]:
    (folder / "x").mkdir()
    for path in (folder / "x" / "data.mdb", folder / "x.lmdb", folder / "labels.csv"):
        path.write_bytes(pickle.dumps(canary))
    return [f"lmdb:{folder}/x", f"lmdb:{folder}/x.lmdb", f"lmdb:{folder}/x?labels={folder}/labels.csv"]


def _parquet(folder: Path, canary: Canary) -> list[str]:
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "x.parquet").write_bytes(pickle.dumps(canary))
    rows = pa.table({"image": [pickle.dumps(canary)] * 4, "label": [0, 1, 0, 1]})
    parquet.write_table(rows, folder / "y.parquet")
    return [f"parquet:{folder}/{name}.parquet?image=image&label=label" for name in "xy"]


def _torchvision(folder: Path, canary: Canary) -> list[str]:
    """Put it where torchvision itself unpickles: the batches of CIFAR."""
    for name, files in {
        "cifar-10-batches-py": ("data_batch_1", "test_batch", "batches.meta"),
        "cifar-100-python": ("train", "test", "meta"),
    }.items():
        (folder / name).mkdir()
        for file in files:
            (folder / name / file).write_bytes(pickle.dumps(canary))
    return [
        f"torchvision:{name}?root={folder}&split={split}"
        for name in ("CIFAR10", "CIFAR100")
        for split in ("train", "test")
    ]


def _web_dataset(folder: Path, canary: Canary) -> list[str]:
    content = pickle.dumps(canary)
    (folder / "bytes.tar").write_bytes(content)
    for ending in ("pkl", "pyd", "npy", "pth", "png"):
        with tarfile.open(folder / f"{ending}.tar", "w") as archive:
            for name in (f"0.{ending}", "0.cls", f"1.{ending}", "1.cls"):
                member = tarfile.TarInfo(name)
                member.size = 1 if name.endswith("cls") else len(content)
                archive.addfile(member, io.BytesIO(name[:1].encode() if name.endswith("cls") else content))
    return [f"webdataset:{path}?label=cls" for path in sorted(folder.iterdir())]


Plant = Callable[[Path, Canary], list[str]]

ENCODERS: dict[str, Plant] = {
    "checkpoint": _checkpoint,
    "features": _features,
    "hf": _hugging_face,
    "onnx": _onnx,
    "run": _run,
    "timm": _timm,
    "torchhub": _torch_hub,
    "torchscript": _torch_script,
}
DATA: dict[str, Plant] = {
    "clips": _clips,
    "csv": _csv,
    "features": _features,
    "folder": _folder,
    "hdf5": _hdf5,
    "hf-datasets": _hf_datasets,
    "lmdb": _lmdb,
    "mnist": _mnist,
    "nyu_depth": _nyu_depth,
    "parquet": _parquet,
    "tar": _tar,
    "text": _text,
    "torchvision": _torchvision,
    "webdataset": _web_dataset,
}
READ_NO_FILE = {"builtin", "cdp", "colorful_moving_mnist", "digits", "scenes"}
OPENED_BY_ANOTHER = {"hf-hub", "torchvision"}
"""``hf-hub:`` is read as ``timm:`` is; torchvision fetches the weights of its own list alone."""
CODE_BY_THE_USERS_WORD = {"python"}


def test_every_source_has_a_canary() -> None:
    """A new source wants a canary here, or its place among those that have no file to hide one in."""
    assert set(SOURCES) - READ_NO_FILE - OPENED_BY_ANOTHER - CODE_BY_THE_USERS_WORD == set(ENCODERS)
    assert set(DATA_SOURCES) - READ_NO_FILE == set(DATA)


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Canary:
    monkeypatch.chdir(tmp_path)
    return Canary(tmp_path / "canary")


def test_the_canary_sings(canary: Canary) -> None:
    pickle.loads(pickle.dumps(canary))
    assert canary.path.exists()


@pytest.mark.parametrize("source", ENCODERS)
def test_encoders_run_nothing(source: str, tmp_path: Path, canary: Canary) -> None:
    (tmp_path / "files").mkdir()
    for spec in ENCODERS[source](tmp_path / "files", canary):
        with pytest.raises(InputError) as caught:
            open_encoder(spec)
        assert "\n" not in str(caught.value), spec
        assert not canary.path.exists(), spec


@pytest.mark.parametrize("source", DATA)
def test_data_run_nothing(source: str, tmp_path: Path, canary: Canary) -> None:
    (tmp_path / "files").mkdir()
    for spec in DATA[source](tmp_path / "files", canary):
        with pytest.raises(InputError) as caught:
            open_data(spec)[0]
        assert "\n" not in str(caught.value), spec
        assert not canary.path.exists(), spec


@pytest.mark.parametrize("kind", [TrainingRecipe, Study])
@pytest.mark.parametrize("tag", ["apply:os.system", "new:os.system", "name:os.system", "module:canary_code"])
def test_recipes_run_nothing(kind: Any, tag: str, tmp_path: Path, canary: Canary) -> None:
    (tmp_path / "canary_code.py").write_text(CODE.format(str(canary.path)))
    tagged = tag if tag.startswith(("name", "module")) else f"object/{tag} ['touch {canary.path}']"
    (tmp_path / "recipe.yaml").write_text(f"encoder: !!python/{tagged}\n")
    with suppress(InputError):
        read_recipe(tmp_path / "recipe.yaml", kind)
    assert not canary.path.exists()
