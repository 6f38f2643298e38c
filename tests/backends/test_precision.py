import pytest
import torch

from mitools.backends.precision import PRECISIONS, computing_in, require_precision
from mitools.core.errors import InputError

CPU = torch.device("cpu")


def test_bf16_computes_products_in_bf16_and_float32_changes_nothing():
    x = torch.ones(2, 2)
    for precision in ("float32", "bf16"):
        require_precision(precision, CPU)
        with computing_in(precision, CPU):
            assert (x @ x).dtype == PRECISIONS[precision]
    assert (x @ x).dtype == torch.float32


def test_an_unknown_precision_and_one_the_device_lacks_are_refused(monkeypatch):
    with pytest.raises(InputError, match="unknown precision 'half'; accepted: float32, bf16 or float16"):
        require_precision("half", CPU)
    monkeypatch.setitem(PRECISIONS, "float16", torch.complex64)
    with pytest.raises(InputError, match="device cpu does not compute in float16 here; take float32"):
        require_precision("float16", CPU)
