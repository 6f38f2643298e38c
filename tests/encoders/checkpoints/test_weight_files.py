"""Reading weight files: what is let through, what is refused, and that nothing in them ever runs."""

import argparse
import json
import os
import pickle
import sys
from collections import OrderedDict, defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.weight_files import read_weight_file

WEIGHTS = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)).state_dict()


def save(path, content):
    torch.save(content, path)
    return path


def refused(path) -> str:
    with pytest.raises(InputError) as caught:
        read_weight_file(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(found, expected=WEIGHTS):
    return found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)


@pytest.mark.parametrize("kind", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path, kind, keep):
    path = tmp_path / kind
    save_file(WEIGHTS, path) if kind.endswith("safetensors") else torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    message = refused(path)
    assert str(path) in message
    assert "damaged" in message


def test_missing_files_and_folders_are_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "nowhere.pth")
    assert "no such file" in refused(tmp_path)


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize(
    "write",
    [
        lambda content, path: torch.save(content, path),
        lambda content, path: torch.save(content, path, _use_new_zipfile_serialization=False),
        lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2)),
        lambda content, path: path.write_bytes(pickle.dumps(content, protocol=5)),
    ],
    ids=["zip", "legacy", "pickle 2", "pickle 5"],
)
@pytest.mark.parametrize("depth", [0, 1])
def test_a_pickle_that_would_run_code_is_named_and_runs_nothing(tmp_path, write, depth):
    canary = tmp_path / "canary"
    content = Canary(canary) if depth == 0 else {"state_dict": {"x": Canary(canary), **WEIGHTS}}
    write(content, tmp_path / "x.pth")
    message = refused(tmp_path / "x.pth")
    assert "refused, since loading it would call posix.system; nothing was run" in message
    assert not canary.exists()


def test_a_whole_pickled_model_is_refused_with_the_remedy(tmp_path):
    message = refused(save(tmp_path / "x.pth", nn.Linear(2, 2)))
    assert "torch.nn.modules.linear.Linear" in message
    assert "torch.save(model.state_dict(), ...)" in message


def evil(tmp_path):
    return Canary(tmp_path / "canary")


LIGHTNING = {"pytorch-lightning_version": "2.1.0", "epoch": 3, "global_step": 7}


@pytest.mark.parametrize(
    "content",
    [
        lambda bad: {**LIGHTNING, "state_dict": WEIGHTS, "hyper_parameters": {"callback": bad}},
        lambda bad: {**LIGHTNING, "state_dict": WEIGHTS, "callbacks": {bad: 1}},
        lambda bad: {**LIGHTNING, "state_dict": WEIGHTS, "hyper_parameters": argparse.Namespace(x=[bad])},
        lambda bad: {"teacher": WEIGHTS, "args": argparse.Namespace(lr=0.1, arch=bad)},
        lambda bad: OrderedDict(WEIGHTS, last=bad),
    ],
    ids=["Lightning hyper-parameters", "Lightning callbacks", "Lightning Namespace", "DINO args", "last"],
)
def test_nothing_runs_wherever_in_a_checkpoint_it_hides(tmp_path, content):
    path = save(tmp_path / "x.ckpt", content(evil(tmp_path)))
    assert "refused, since loading it would call posix.system; nothing was run" in refused(path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("shard", ["x-00002.bin", "x-00002.safetensors", "x-00002.pth"])
def test_nothing_runs_in_a_shard(tmp_path, shard):
    index = shards(tmp_path, "x-00001.safetensors", shard)
    torch.save({"1.weight": evil(tmp_path)}, tmp_path / shard)
    assert str(tmp_path / shard) in refused(index)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["x.safetensors", "x.safetensors.index.json"])
def test_nothing_runs_in_a_pickle_by_another_name(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps({"weight_map": evil(tmp_path)}))
    assert "damaged" in refused(tmp_path / name)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "call",
    [(eval, ("1",)), (exec, ("1",)), (compile, ("1", "", "eval")), (__import__, ("os",)), (input, ("x",))],
)
def test_dangerous_builtins_are_refused_by_name(tmp_path, call):
    class Bad:
        def __reduce__(self):
            return call

    message = refused(save(tmp_path / "x.pth", {"state_dict": WEIGHTS, "args": Bad()}))
    assert f"would call {call[0].__name__}; nothing was run" in message


@pytest.fixture
def foreign():
    """Make classes under the names of packages that are not installed; gone again afterwards."""
    made = {}

    def make(module, name, base=object):
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            made.setdefault(".".join(parts[:depth]), ModuleType(".".join(parts[:depth])))
        sys.modules.update(made)
        made_class = type(name, (base,), {"__module__": module})
        setattr(made[module], name, made_class)
        return made_class

    kept = dict(sys.modules)
    yield make
    for name in made:
        sys.modules.pop(name, None)
    sys.modules.update({name: kept[name] for name in made if name in kept})


def test_what_trainers_leave_beside_weights_is_let_through_and_dropped(tmp_path, foreign):
    attributes = foreign("pytorch_lightning.utilities.parsing", "AttributeDict", dict)(mean=[0.5], lr=0.1)
    node = foreign("yacs.config", "CfgNode", dict)(SIZE=3)
    node.__dict__["__immutable__"] = True
    config = foreign("omegaconf.dictconfig", "DictConfig")()
    config.__dict__ = {"_content": {"kind": dict}, "_parent": None}
    kept_in = foreign("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    counts: defaultdict[str, Any] = defaultdict(list)
    counts["a"] = [1]
    content = {
        **LIGHTNING,
        "state_dict": OrderedDict(WEIGHTS),
        "hyper_parameters": attributes,
        "callbacks": {kept_in: {"best_model_path": Path("x"), "best": np.float64(0.3)}},
        "config": node,
        "cfg": config,
        "counts": counts,
        "history": np.arange(3),
        "args": argparse.Namespace(path=Path("x"), kind=float),
    }
    save(tmp_path / "x.ckpt", content)
    for name in ("pytorch_lightning", "yacs", "omegaconf"):
        sys.modules.pop(name)
    read, container, _, replaced = read_weight_file(tmp_path / "x.ckpt")
    assert container == "pickle"
    assert {"yacs.config.CfgNode", "collections.defaultdict", "omegaconf.dictconfig.DictConfig"} <= set(
        replaced
    )
    assert not any(name.startswith("torch.") or name == "collections.OrderedDict" for name in replaced)
    assert same(read["state_dict"])
    assert read["hyper_parameters"] == {"mean": [0.5], "lr": 0.1}
    assert read["config"] == {"SIZE": 3}
    assert read["counts"] == {"a": [1]}
    assert vars(read["cfg"]) == {}
    assert read.keys() == content.keys()


def shards(folder, first="x-00001-of-00002.safetensors", second="x-00002-of-00002.safetensors", **changes):
    """Write weights in two shards with their index; `changes` go into the index."""
    place = {name: first if name.startswith("0.") else second for name in WEIGHTS}
    for shard in (first, second):
        held = {name: value for name, value in WEIGHTS.items() if place[name] == shard}
        (save_file if shard.endswith(".safetensors") else torch.save)(held, folder / shard)
    kind = "safetensors" if first.endswith(".safetensors") else "bin"
    index = folder / f"x.{kind}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": place | changes}))
    return index


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards_give_the_weights_of_one_file(tmp_path, kind):
    read = read_weight_file(shards(tmp_path, f"x-1.{kind}", f"x-2.{kind}"))
    assert same(read.content)
    assert read.container == ("safetensors in 2 shards" if kind == "safetensors" else "pickle in 2 shards")


def test_the_digest_covers_every_shard(tmp_path):
    index = shards(tmp_path)
    digest = read_weight_file(index).digest
    changed = {name: value + 1 for name, value in WEIGHTS.items() if name.startswith("1.")}
    save_file(changed, tmp_path / "x-00002-of-00002.safetensors")
    assert read_weight_file(index).digest != digest


def test_shards_that_do_not_match_their_index_are_refused(tmp_path):
    message = refused(shards(tmp_path, **{"2.weight": "x-00002-of-00002.safetensors"}))
    assert "x-00002-of-00002.safetensors and the index differ in 1 tensors, '2.weight' for one" in message
    index = shards(tmp_path)
    (tmp_path / "x-00002-of-00002.safetensors").unlink()
    assert "x-00002-of-00002.safetensors: no such file" in refused(index)


@pytest.mark.parametrize("shard", ["../x.safetensors", "/etc/passwd", "y.index.json", ""])
def test_an_index_leads_nowhere_else(tmp_path, shard):
    assert "no shard beside it" in refused(shards(tmp_path, **{"0.weight": shard}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3, "b": "c"}}']
)
def test_a_damaged_index_is_refused(tmp_path, text):
    (tmp_path / "x.safetensors.index.json").write_text(text)
    assert "damaged, or no index of shards" in refused(tmp_path / "x.safetensors.index.json")
