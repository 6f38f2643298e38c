"""What lies in a checkpoint beside tensors is replaced, and nothing of it is imported or run."""

import collections
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import random
import sys
import types
import uuid

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.weight_files import read_weight_file

WEIGHTS = nn.Linear(3, 2).state_dict()


class Colour(enum.Enum):
    RED = 1


class Settings(dict):
    """Takes attributes as well as items."""


Point = collections.namedtuple("Point", "x y")


def settings_with_a_state():
    settings = Settings(lr=0.1)
    settings.frozen = True
    return settings


def schedule():
    return torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1), 3)


METADATA = {
    "torch version": lambda: torch.torch_version.TorchVersion("2.1.0"),
    "date": lambda: datetime.datetime(2024, 1, 1),
    "namespace": lambda: types.SimpleNamespace(lr=0.1),
    "deque": lambda: collections.deque([1.0]),
    "range": lambda: range(3),
    "loss": nn.CrossEntropyLoss,
    "optimizer": lambda: torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1),
    "enumeration": lambda: Colour.RED,
    "named tuple": lambda: Point(1, 2),
    "fraction and decimal": lambda: [fractions.Fraction(1, 3), decimal.Decimal("0.1")],
    "partial": lambda: functools.partial(max, 1),
    "deque in a deque": lambda: collections.deque([collections.deque([datetime.date(2024, 1, 1)])]),
    "identifier": lambda: uuid.UUID(int=7),
    "frozen set and slice": lambda: {frozenset({1}): slice(1, 2)},
    "a class itself": lambda: {nn.ReLU: nn.Tanh},
    "method of an object": lambda: [1, 2].count,
    "dictionary with a state": settings_with_a_state,
    "module list": lambda: nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.ReLU())]),
    "random states": lambda: [torch.get_rng_state(), random.getstate()],
    "schedule": schedule,
}


def assert_whole(read):
    assert all(torch.equal(read.content["state_dict"][key], value) for key, value in WEIGHTS.items())


# The files of torch before 1.6 have the source code of a module's class beside it.
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", METADATA)
def test_metadata_of_any_class_are_no_obstacle(tmp_path, name, zipped):
    content = {"state_dict": WEIGHTS, "meta": METADATA[name](), "epoch": 3}
    torch.save(content, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    read = read_weight_file(tmp_path / "x.pth")
    assert_whole(read)
    assert (read.content["epoch"], list(read.content)) == (3, list(content))


# Each place in which a stand-in is made: called, made anew, handed a state, filled as a list and as a
# dictionary, looked up as an attribute, named alone, a key of a dictionary.
CANARIES = """
import argparse
from pathlib import Path

import torch

HERE = Path(__file__).parent
(HERE / "imported").touch()

def touch(*arguments, **options):
    (HERE / "called").touch()

class Called:
    def __reduce__(self):
        return touch, (1,)

class New:
    def __new__(cls, *arguments):
        touch()
        return object.__new__(cls)
    def __getnewargs__(self):
        return (1,)

class State:
    def __getstate__(self):
        return {"a": 1}
    def __setstate__(self, state):
        touch()

class Filled(list):
    def append(self, item):
        touch()
    def extend(self, items):
        touch()

class Items(dict):
    def __setitem__(self, key, value):
        touch()

class Both(list):
    def __setstate__(self, state):
        touch()

class Hashed:
    def __hash__(self):
        touch()
        return 1

class Outer:
    class Inner:
        def __setstate__(self, state):
            touch()
        def method(self):
            touch()

class Net(torch.nn.Module):
    def __setstate__(self, state):
        touch()
        super().__setstate__(state)

class Loss(Net):
    pass

def state(made):
    made.a = 1
    return made

PLACES = {
    "called": Called(), "made": New(), "state": State(), "list": Filled([1, 2]), "dictionary": Items(a=1),
    "list with a state": state(Both([1])), "key": {Hashed(): 1}, "nested class": state(Outer.Inner()),
    "module": Net(), "module in a module": torch.nn.Sequential(torch.nn.ReLU(), Net(), Loss()),
    "module twice": [Net(), Net(), Loss()],
    "method": Outer.Inner().method, "named": touch, "in a namespace": argparse.Namespace(x=[Called()]),
}
"""
PLACES = (
    "module", "module in a module", "module twice", "called", "made", "state", "list", "dictionary",
    "list with a state", "key", "nested class", "method", "named", "in a namespace",
)  # fmt: skip
SILENT = ("method", "named")  # only named in the pickle: even an ordinary unpickler does not call them


@pytest.fixture(scope="module")
def canaries(tmp_path_factory):
    """Give a module that leaves a file when it is imported, and another when anything of it is called."""
    folder = tmp_path_factory.mktemp("canaries")
    (folder / "canaries_of_a_test.py").write_text(CANARIES)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("canaries_of_a_test"), folder
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("canaries_of_a_test", None)


def forget(folder):
    for left in ("imported", "called"):
        (folder / left).unlink(missing_ok=True)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_imported_or_run_where_a_stand_in_is_made(tmp_path, canaries, place, zipped):
    module, folder = canaries
    sys.modules["canaries_of_a_test"] = module
    content = {"state_dict": WEIGHTS, "meta": module.PLACES[place]}
    torch.save(content, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    forget(folder)
    if place not in SILENT:  # the canary sings where it is unpickled
        torch.load(tmp_path / "x.pth", weights_only=False)
        assert (folder / "called").exists()
    sys.modules.pop("canaries_of_a_test")
    forget(folder)
    # What the program itself has allowed torch to make is not made here either.
    allowed = {module.touch, module.New, module.State}
    torch.serialization.add_safe_globals(list(allowed))
    try:
        read = read_weight_file(tmp_path / "x.pth")
        assert allowed <= set(torch.serialization.get_safe_globals())
    finally:
        torch.serialization.clear_safe_globals()
    assert_whole(read)
    assert any(name.startswith("canaries_of_a_test.") for name in read.replaced)
    assert "canaries_of_a_test" not in sys.modules
    assert not (folder / "imported").exists()
    assert not (folder / "called").exists()


def legacy(path, content):
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return path


def test_a_whole_module_in_a_file_of_old_torch_is_set_aside(tmp_path):
    """Texts and tuples that look like the note of a module's class stay what they are."""
    kept = {"module": torch.nn.CrossEntropyLoss(), "like": ("module", 1, None, None), "name": "module"}
    read = read_weight_file(legacy(tmp_path / "x.pth", {"state_dict": WEIGHTS} | kept))
    assert_whole(read)
    assert "torch.nn.modules.loss.CrossEntropyLoss" in read.replaced
    assert (read.content["like"], read.content["name"]) == (kept["like"], "module")


def test_a_file_of_old_torch_that_is_a_module_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"holds an object of torch\.nn\.modules\.linear\.Linear, not weights"
    ):
        read_weight_file(legacy(tmp_path / "x.pth", torch.nn.Linear(2, 2)))


def test_a_forged_note_of_a_module_makes_nothing(tmp_path):
    """The class in a note may be a function that runs code: it is a stand-in that does nothing."""
    content = {"state_dict": WEIGHTS, "loss": torch.nn.CrossEntropyLoss()}
    path = legacy(tmp_path / "x.pth", content)
    whole = path.read_bytes()
    noted = b"ctorch.nn.modules.loss\nCrossEntropyLoss\n"
    assert whole.count(noted) == 1
    forged = {"ctest_canary_of_forgery\nrun\n": None, "cbuiltins\nprint\n": None, "cos\nsystem\n": "system"}
    for name, attack in forged.items():
        path.write_bytes(whole.replace(noted, name.encode()))
        if attack:
            with pytest.raises(InputError, match=r"refused, since loading it would call os\.system"):
                read_weight_file(path)
        else:
            assert_whole(read_weight_file(path))
    assert "test_canary_of_forgery" not in sys.modules
