"""``mitools encoders``: every source, the load report, the untrained twin, and files for other libraries."""

import argparse
import json
import os

import numpy as np
import pytest
import torch
from torch import nn

from mitools.cli import main
from mitools.cli.encoders import app
from mitools.core.errors import InputError
from mitools.encoders.architectures import CifarResNet

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # torch.jit's own

NETWORK = """
from torch import nn

def tiny():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file for every source that opens one."""
    monkeypatch.chdir(tmp_path)
    network = CifarResNet(20)
    weights = {f"module.encoder_q.{name}": value for name, value in network.state_dict().items()}
    momentum = {f"module.encoder_k.{name}": value + 1 for name, value in network.state_dict().items()}
    content = {
        "state_dict": weights | momentum | {"module.queue": torch.ones(2, 2)},
        "args": argparse.Namespace(mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1]),
    }
    torch.save(content, "moco.pth")
    np.savez("rows.npz", features=np.random.default_rng(0).normal(size=(20, 3)), labels=np.arange(20) % 2)
    (tmp_path / "inspected_network.py").write_text(NETWORK)
    scripted = torch.jit.script(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    torch.jit.save(scripted, "scripted.pt")
    return tmp_path


def inspect(*arguments):
    app(["inspect", *map(str, arguments)], standalone_mode=False)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            "checkpoint:moco.pth?arch=cifar_resnet20",
            ["MoCo v1 or v2 (pickle)", "layer3.2 BasicBlock 64x8x8 73,984"],
        ),
        ("timm:test_resnet?pretrained=no", ["timm's data config", "layer4"]),
        ("torchvision:resnet18?pretrained=no&image_size=32", ["torchvision", "layer4.1"]),
        ("python:inspected_network:tiny", ["Conv2d 4x30x30", "output Sequential"]),
        ("torchscript:scripted.pt?trust=yes", ["native size", "output"]),
        ("features:rows.npz", ["rows 20", "dimensions 3"]),
        ("builtin:pixels", ["native size", "3072"]),
        ("builtin:pca?k=2", ["fitted", "dimensions 2"]),
        ("builtin:random_conv?width=2", ["8x8x8", "output"]),
    ],
)
def test_every_source_prints_what_applies(folder, capsys, spec, told):
    inspect(spec)
    printed = " ".join(capsys.readouterr().out.split())
    for words in told:
        assert words in printed
    inspect(spec, "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["spec"], len(document["digest"])) == (spec, 64)


def test_the_whole_load_report_is_printed(folder, capsys):
    inspect("checkpoint:moco.pth?arch=cifar_resnet20")
    printed = " ".join(capsys.readouterr().out.split())
    for words in (
        "weights under state_dict > module.encoder_q.",
        "weights online (default: its linear evaluation reads encoder_q; the file has online, ema)",
        "matched 95 of 95 tensors (100%), 270,448 of 270,448 numbers (100%)",
        "module.encoder_k. (the ema weights; weights=ema takes them); module.queue (queue of negatives)",
        "normalisation mean 0.5, 0.4, 0.3, std 0.2, 0.2, 0.1 (args.mean, args.std)",
    ):
        assert words in printed


def test_data_bring_the_untrained_twin(folder, image_tar, capsys):
    inspect("python:inspected_network:tiny", "--data", f"tar:{image_tar}", "--json")
    document = json.loads(capsys.readouterr().out)
    metrics = document["control"]["output"]["metrics"]
    assert metrics["control_gain_low"] < metrics["control_gain_bits"] < metrics["control_gain_high"]
    # Weights straight from their initialisation: the twin is as good, and that is said.
    assert document["control"]["output"]["warnings"]["control"] == ["no_better_than_untrained"]
    inspect("python:inspected_network:tiny", "--data", f"tar:{image_tar}")
    streams = capsys.readouterr()
    assert "control: output certifies" in streams.out
    assert "no better than untrained: output certifies no more than with random weights" in streams.err


def test_what_was_never_trained_has_no_control(image_tar, capsys):
    inspect("builtin:pixels", "--data", f"tar:{image_tar}")
    assert "control: none" in capsys.readouterr().out


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Canary:
        def __reduce__(self):
            return os.system, (f"touch '{tmp_path}/canary'",)

    torch.save({"state_dict": Canary()}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth: refused, since loading it would call posix\.system"):
        inspect(f"checkpoint:{tmp_path}/x.pth?arch=cifar_resnet20")
    assert not (tmp_path / "canary").exists()


def test_an_export_says_what_reads_it_and_how(folder, capsys):
    spec = "checkpoint:moco.pth?arch=cifar_resnet20&image_size=16"
    app(["export", spec, "--as", "torchscript", "--out", "net.pt"], standalone_mode=False)
    printed = " ".join(capsys.readouterr().out.split())
    for words in (
        "written net.pt", "as torchscript", "features 64, read back to within", "on images of 16x16",
        "mean 0.5,0.4,0.3", "read by torch.jit.load('net.pt')",
    ):  # fmt: skip
        assert words in printed
    app(["export", spec, "--as", "safetensors", "--out", "net.safetensors", "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert (document["path"], document["features"], document["difference"]) == ("net.safetensors", 64, 0.0)
    with pytest.raises(InputError, match=r"net\.pt: exists already; name a new file"):
        app(["export", spec, "--as", "torchscript", "--out", "net.pt"], standalone_mode=False)


def test_an_unknown_library_is_refused(folder, capsys):
    assert main.run(["encoders", "export", "builtin:pixels", "--as", "caffe", "--out", "net.pt"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "'caffe' is not one of" in told
    assert not (folder / "net.pt").exists()
