import importlib.util

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders import open_encoder
from mitools.encoders.sources.builtin import random_conv

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:")

# TorchScript reads source code, so the class must stand in a file.
EVIL = """
import torch
from torch import nn

class Evil(nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x):
        return x.flatten(1)

    @torch.jit.export
    def __getstate__(self):
        return (self.path, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]):
        self.path = state[0]
        self.training = state[1]
        torch.save(torch.zeros(1), self.path)
"""


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def traced(tmp_path):
    network = random_conv(2).eval()
    torch.jit.save(torch.jit.trace(network, torch.rand(1, 3, 8, 8)), tmp_path / "own.pt")
    return tmp_path / "own.pt", network


def test_a_trusted_file_gives_the_same_features(traced):
    path, network = traced
    encoder = open_encoder(f"torchscript:{path}?trust=yes&mean=0,0,0&std=1,1,1")
    x = torch.rand(5, 3, 12, 12)
    torch.testing.assert_close(encoder.module(x), network(x))
    assert (encoder.name, encoder.source) == ("own", "torchscript")
    assert encoder.preprocess_from == "assumed: ImageNet's mean and std; mean, std as the spec says"
    assert not encoder.module.training


def test_a_frozen_file_is_read_as_well(tmp_path):
    network = random_conv(2).eval()
    frozen = torch.jit.freeze(torch.jit.trace(network, torch.rand(1, 3, 8, 8)))
    torch.jit.save(frozen, tmp_path / "frozen.pt")
    x = torch.rand(2, 3, 8, 8)
    encoder = open_encoder(f"torchscript:{tmp_path}/frozen.pt?trust=yes")
    torch.testing.assert_close(encoder.module(x), network(x))


def test_nothing_runs_without_trust(tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "evil.pt"
    (tmp_path / "evil_network.py").write_text(EVIL)
    spec = importlib.util.spec_from_file_location("evil_network", tmp_path / "evil_network.py")
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    torch.jit.save(torch.jit.script(source.Evil(str(canary))), path)
    assert not canary.exists()
    for suffix in ("", "?trust=no"):
        message = refused(f"torchscript:{path}{suffix}")
        assert "holds code that runs when it is read, and nothing was run; add trust=yes" in message
        assert not canary.exists()
    open_encoder(f"torchscript:{path}?trust=yes")
    assert canary.exists(), "the file would not have run anything: the test shows nothing"


def test_what_is_no_torchscript_is_refused(tmp_path, traced):
    whole, _ = traced
    (tmp_path / "cut.pt").write_bytes(whole.read_bytes()[:-100])
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    for name in ("cut", "weights"):
        message = refused(f"torchscript:{tmp_path}/{name}.pt?trust=yes")
        assert f"{tmp_path}/{name}.pt: no readable TorchScript file" in message
        assert "checkpoint:" in message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchscript:nowhere.pt", "nowhere.pt: no such file"),
        ("torchscript:", "write for example torchscript:encoder.pt?trust=yes"),
        ("torchscript:x.pt?arch=y", "unknown option 'arch'"),
        ("torchscript:x.pt?layer=y", "torchscript gives its output alone; leave layer= out"),
    ],
)
def test_wrong_specs_are_refused(spec, message):
    assert message in refused(spec)
