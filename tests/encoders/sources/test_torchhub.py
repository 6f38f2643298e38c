import pytest
import torch

from mitools.core.errors import InputError
from mitools.encoders import open_encoder

HUBCONF = """
dependencies = ["torch"]
import pathlib
import torch
from networks import Pooled
pathlib.Path(__file__).with_name("canary").touch()

def own_encoder(pretrained=False, weights=None):
    print("words of the entry")
    network = Pooled(FACTOR)
    if pretrained:
        torch.nn.init.ones_(network.linear.weight)
    return network

def not_a_network():
    return 3

def broken():
    raise OSError("two\\nlines")

def _helper():
    pass
"""
NETWORKS = """
from torch import nn

class Pooled(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(3, width)

    def forward(self, x):
        return self.linear(x.mean(dim=(2, 3)))
"""


@pytest.fixture
def write(tmp_path):
    def write(name="repository", width=4, networks=NETWORKS):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "hubconf.py").write_text(HUBCONF.replace("FACTOR", str(width)))
        (folder / "networks.py").write_text(networks)
        return folder

    return write


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_entry_of_a_local_repository(write, capsys):
    folder = write()
    spec = f"torchhub:{folder}:own_encoder?source=local&trust=yes&pretrained=yes"
    encoder = open_encoder(spec)
    x = torch.rand(2, 3, 8, 8)
    expected = x.mean(dim=(2, 3)).sum(dim=1, keepdim=True) + encoder.module.linear.bias
    torch.testing.assert_close(encoder.module(x), expected)
    assert encoder.name == "own_encoder"
    assert capsys.readouterr().out == ""
    state = torch.get_rng_state()
    assert open_encoder(spec).digest == encoder.digest
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_runs_without_trust(write):
    folder = write()
    spec = f"torchhub:{folder}:own_encoder?source=local"
    assert "torchhub: runs the repository's code, and nothing was run; add trust=yes" in refused(spec)
    assert "add trust=yes" in refused(f"{spec}&trust=no")
    assert "add trust=yes" in refused("torchhub:org/repository:entry")
    assert not (folder / "canary").exists()
    open_encoder(f"{spec}&trust=yes")
    assert (folder / "canary").exists()


def test_two_repositories_keep_their_own_modules(write):
    other = NETWORKS.replace("self.linear(", "-self.linear(")
    first, second = write("first"), write("second", networks=other)
    encoders = [
        open_encoder(f"torchhub:{folder}:own_encoder?trust=yes&pretrained=yes") for folder in (first, second)
    ]
    x = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(encoders[1].module(x), -encoders[0].module(x))


def test_a_change_of_code_weights_or_entry_is_another_digest(write):
    folder = write()
    spec = f"torchhub:{folder}:own_encoder?source=local&trust=yes"
    digests = [open_encoder(spec).digest, open_encoder(f"{spec}&pretrained=yes").digest]
    write(networks=NETWORKS + "# changed\n")
    digests.append(open_encoder(spec).digest)
    write(width=5, networks=NETWORKS)
    digests.append(open_encoder(spec).digest)
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("own_encode", "has no entry 'own_encode' in hubconf.py; nearest: own_encoder"),
        ("not_a_network", "not_a_network returns int, not a torch.nn.Module"),
        ("broken", "broken cannot be had (OSError: two lines)"),
    ],
)
def test_entries_that_fail_are_one_line(write, entry, message):
    assert message in refused(f"torchhub:{write()}:{entry}?source=local&trust=yes")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchhub:", "write for example torchhub:facebookresearch/dino:main:dino_vits16"),
        ("torchhub:entry?trust=yes", "write torchhub:repository:entry"),
        ("torchhub:/nowhere:entry?trust=yes", "/nowhere: no folder with a hubconf.py"),
        ("torchhub:a/b:entry?source=gitlab", "source=gitlab; accepted: github or local"),
        ("torchhub:a/b:entry?arch=x", "unknown option 'arch'"),
    ],
)
def test_wrong_specs_are_refused(spec, message):
    assert message in refused(spec)
