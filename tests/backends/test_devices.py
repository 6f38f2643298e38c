import pytest
import torch

from mitools.backends import resolve_device
from mitools.core.errors import InputError


def test_cpu_is_always_there():
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("gpus", "expected"), [(0, "cpu"), (2, "cuda")])
def test_auto_takes_the_first_that_is_there(monkeypatch, gpus, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto").type == expected


def test_the_second_of_two_gpus_can_be_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(InputError, match="device 'cuda:2' is not available here"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "cpu:1", "cuda:x", "auto:0", "cuda:-1"])
def test_an_unknown_name_lists_the_known(name):
    with pytest.raises(InputError, match="accepted: auto, cpu, cuda or mps"):
        resolve_device(name)


def test_a_missing_device_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(InputError, match="device 'cuda' is not available here; use cpu or auto"):
        resolve_device("cuda")
