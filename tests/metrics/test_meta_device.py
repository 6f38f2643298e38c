"""The pure tensor functions of the metrics, once on the meta device: no tensor is left on the CPU.

A metric is a number, which waits for the device; what returns a tensor is listed here, whole.
"""

import inspect
import typing
from importlib import import_module
from pathlib import Path

import pytest
import torch

import mitools.metrics
from mitools.metrics.nearest_rows import BANK_ROWS, nearest_rows
from mitools.metrics.sphere import unit_rows

META = torch.device("meta")

WAIT_FOR_THE_DEVICE = {unit_rows}
"""They return a tensor, but look at its values first, to refuse those that are not finite."""


def functions_that_return_tensors():
    found = set()
    for path in Path(mitools.metrics.__path__[0]).glob("[!_]*.py"):
        module = import_module(f"mitools.metrics.{path.stem}")
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                returned = typing.get_type_hints(function).get("return")
                if not function.__name__.startswith("_") and "Tensor" in str(returned):
                    found.add(function)
    return found


def test_no_tensor_function_is_forgotten():
    assert functions_that_return_tensors() == {nearest_rows} | WAIT_FOR_THE_DEVICE


@pytest.mark.parametrize("bank", [7, BANK_ROWS + 5], ids=["one block", "two blocks"])
def test_nearest_rows_stay_on_their_device(bank):
    similarity, index = nearest_rows(torch.empty(3, 4, device=META), torch.empty(bank, 4, device=META), 5)
    assert similarity.device == index.device == META
    assert similarity.shape == index.shape == (3, 5)
    assert index.dtype == torch.int64
