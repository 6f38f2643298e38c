import subprocess
import sys

import pytest
import timm
import torch

from mitools.core.errors import InputError
from mitools.encoders import Preprocess, open_encoder
from mitools.encoders.architectures import CifarResNet, build_architecture
from mitools.encoders.in_memory import encoder_of_module

FACTORY = """
from torch import nn

def tiny():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def linear():
    return nn.Linear(5, 3)

def number():
    return 3

def broken():
    raise OSError("two\\nlines")
"""


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "run.7.pth.tar"
    torch.save({"state_dict": CifarResNet(20).state_dict()}, path)
    return path


def test_an_untrained_timm_network_depends_on_its_seed_alone():
    state = torch.get_rng_state()
    first, again, other = (open_encoder(f"timm:test_resnet?pretrained=no&seed={seed}") for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.digest == again.digest != other.digest
    assert first.name == "test_resnet-untrained-seed3"
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(first.module(x), again.module(x))
    assert first.module(x).ndim == 2
    assert not first.module.training


def test_a_timm_network_brings_its_preprocessing():
    config = timm.data.resolve_model_data_config(timm.create_model("test_resnet", num_classes=0))
    preprocess = open_encoder("timm:test_resnet?pretrained=no").preprocess
    assert preprocess.size == config["input_size"][1]
    assert (preprocess.mean, preprocess.std) == (config["mean"], config["std"])
    assert open_encoder("timm:test_resnet?pretrained=no&image_size=32").preprocess.size == 32


def test_a_failed_download_is_one_line(monkeypatch):
    def fail(*arguments, **options):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(timm, "create_model", fail)
    message = refused("timm:resnet18")
    assert "timm model 'resnet18' cannot be had (ConnectionError: no route to host)" in message
    assert "pretrained=no" in message


def test_a_checkpoint_of_a_timm_network(tmp_path):
    source = open_encoder("timm:test_resnet?pretrained=no&seed=5")
    torch.save({"model": source.module.state_dict()}, tmp_path / "x.pth")
    loaded = open_encoder(f"checkpoint:{tmp_path}/x.pth?arch=timm:test_resnet&image_size=64")
    assert loaded.network_digest == source.network_digest
    assert loaded.preprocess.size == 64
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(loaded.module(x), source.module(x))


def test_a_checkpoint_is_named_after_its_file_and_reports_its_loading(weights):
    encoder = open_encoder(f"checkpoint:{weights}?arch=cifar_resnet20")
    assert (encoder.name, encoder.source) == ("run.7", "checkpoint")
    assert encoder.preprocess == Preprocess()
    assert encoder.load_report.nesting == ("state_dict",)
    assert not any(parameter.requires_grad for parameter in encoder.module.parameters())


def test_the_architecture_is_part_of_the_digest(weights, monkeypatch):
    from mitools.encoders.architectures import build

    digest = open_encoder(f"checkpoint:{weights}?arch=cifar_resnet20").digest
    monkeypatch.setitem(build.NETWORKS, "renamed", lambda: CifarResNet(20))
    assert open_encoder(f"checkpoint:{weights}?arch=renamed").digest != digest


def test_a_network_from_the_users_own_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_networks.py").write_text(FACTORY)
    network = build_architecture("python:own_networks:tiny")
    torch.save(network.module.state_dict(), "x.pth")
    encoder = open_encoder("checkpoint:x.pth?arch=python:own_networks:tiny&mean=0,0,0&std=1,1,1")
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(encoder.module(x), network.module.eval()(x))
    assert encoder.preprocess.mean == (0.0, 0.0, 0.0)
    (tmp_path / "own_networks.py").write_text(FACTORY + "# changed\n")
    changed = open_encoder("checkpoint:x.pth?arch=python:own_networks:tiny&mean=0,0,0&std=1,1,1")
    assert changed.digest != encoder.digest


def test_own_code_may_be_the_encoder_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_encoders.py").write_text(FACTORY)
    encoder = open_encoder("python:own_encoders:tiny?mean=0,0,0")
    assert (encoder.name, encoder.source, encoder.reads_rows) == ("tiny", "python", False)
    assert encoder.module(torch.rand(2, 3, 8, 8)).shape == (2, 4)
    assert encoder.preprocess.mean == (0.0, 0.0, 0.0)
    assert encoder.preprocess_from == "assumed: ImageNet's mean and std; mean as the spec says"
    rows = open_encoder("python:own_encoders:linear?items=rows")
    assert rows.reads_rows
    assert rows.module(torch.rand(2, 5)).shape == (2, 3)


def test_packages_that_a_source_needs_wait_for_it():
    optional = "{'onnxruntime', 'pyarrow', 'timm', 'torchvision', 'transformers'}"
    code = f"import sys, mitools.encoders, mitools.datasets; print(sorted({optional} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_layers_of_a_network_are_handed_on():
    x = torch.rand(2, 3, 8, 8)
    whole = open_encoder("builtin:random_conv?width=2")
    single = open_encoder("builtin:random_conv?width=2&layer=2&pool=flatten")
    (rows,) = single.module(x).values()
    torch.testing.assert_close(rows, whole.module[:3](x).flatten(1))
    both = open_encoder("builtin:random_conv?width=2&layers=2,output")
    assert len(both.layers) == len(both.module(x)) == 2
    everything = open_encoder("builtin:random_conv?width=2&layers=all")
    torch.testing.assert_close(everything.module(x)["output"], whole.module(x))
    assert whole.layers == ("output",)


def test_a_normalisation_in_the_checkpoint_is_taken_unless_overridden(tmp_path):
    state = CifarResNet(20).state_dict()
    own = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    torch.save({"state_dict": state, "config": own}, tmp_path / "x.pth")
    spec = f"checkpoint:{tmp_path}/x.pth?arch=cifar_resnet20"
    encoder = open_encoder(spec)
    assert (encoder.preprocess.mean, encoder.preprocess.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert encoder.preprocess_from == "mean and std in the checkpoint's config.mean, config.std"
    assert open_encoder(f"{spec}&std=1,1,1").preprocess.std == (1.0, 1.0, 1.0)
    torch.save({"state_dict": state}, tmp_path / "x.pth")
    assert open_encoder(spec).preprocess_from == "assumed: ImageNet's mean and std"


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        ("python:own_networks_2:number", "returns int, not a torch.nn.Module"),
        ("python:own_networks_2:broken", "cannot be built (OSError: two lines)"),
        ("python:own_networks_2:absent", "cannot be built (AttributeError:"),
        ("python:nowhere_at_all:tiny", "cannot be built (ModuleNotFoundError:"),
        ("python:own_networks_2", "names no factory"),
    ],
)
def test_own_code_that_fails_is_one_line(tmp_path, monkeypatch, weights, arch, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_networks_2.py").write_text(FACTORY)
    assert message in refused(f"checkpoint:{weights}?arch={arch}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet18", "unknown source 'resnet18'; did you mean timm:resnet18? accepted: builtin"),
        ("timm:", "write for example timm:resnet18.a1_in1k"),
        ("timm:resne18", "timm has no model 'resne18'; nearest: resnet18"),
        ("timm:resnet18?pretrained=maybe", "pretrained=maybe; accepted: yes or no"),
        ("timm:resnet18?seed=3", "seed= is for untrained weights; add pretrained=no"),
        ("timm:resnet18?pretraine=no", "unknown option 'pretraine'; accepted:"),
        ("checkpoint:x.pth", "name the network of the weights, as ?arch=cifar_resnet20"),
        (
            "checkpoint:x.pth?arch=resnet20",
            "unknown arch 'resnet20'; did you mean cifar_resnet20? accepted: ",
        ),
        ("checkpoint:x.pth?arch=timm:resne18", "timm has no model 'resne18'"),
        ("checkpoint:nowhere.pth?arch=cifar_resnet20", "nowhere.pth: no such file"),
        ("checkpoint:x.pth?arch=cifar_resnet20&pool=mean", "unknown option 'pool'"),
        ("builtin:random_conv?layer=3.conv", "encoder random_conv64 has no layer '3.conv'"),
        ("builtin:random_conv?layer=0&layers=all", "layer= and layers= exclude each other"),
        ("builtin:random_conv?layer=0&pool=max", "pool=max; accepted:"),
        ("builtin:pca?layer=0", "pca16 has no layers; leave layer= out"),
        ("features:nowhere.npz?layer=0", "features gives its output alone; leave layer= out"),
        ("python:own", "names no factory; write python:module:factory"),
        ("python:own:encoder?items=texts", "items=texts; accepted: images or rows"),
        ("python:nowhere_at_all:encoder", "cannot be built (ModuleNotFoundError:"),
        ("features:nowhere.npz", "nowhere.npz: no such file"),
        ("features:nowhere.npz?k=1", "unknown option 'k'; accepted: features, label or labels"),
    ],
)
def test_wrong_specs_are_refused(spec, message):
    assert message in refused(spec)


def test_one_network_read_otherwise_has_another_digest_and_the_same_network():
    changes = ["image_size=32", "resize=squash", "crop=0.5", "interpolation=nearest", "mean=0,0,0",
               "std=1,1,1", "layer=layer1", "layer=layer2", "layer=layer2&pool=flatten",
               "layers=layer1,layer2"]  # fmt: skip
    specs = ["timm:test_resnet?pretrained=no", *(f"timm:test_resnet?pretrained=no&{one}" for one in changes)]
    encoders = [open_encoder(spec) for spec in specs]
    assert len({encoder.digest for encoder in encoders}) == len(specs)
    assert len({encoder.network_digest for encoder in encoders}) == 1


def test_a_function_that_prepares_images_does_not_change_the_digest_from_run_to_run():
    """Its ``repr`` holds an address, by which two runs would differ."""
    net = torch.nn.Flatten()
    functions = [lambda image: torch.zeros(3, 8, 8) for _ in range(2)]
    assert len({encoder_of_module(net, "net", one).digest for one in functions}) == 1
    prepared = encoder_of_module(net, "net", {"image_size": 4})
    assert prepared.digest != encoder_of_module(net, "net").digest


@pytest.mark.parametrize("spec", ["builtin:pixels", "builtin:pca?k=2", "builtin:random_conv?width=4&layer=0"])
def test_a_name_of_ones_own_changes_nothing_else(spec):
    plain = open_encoder(spec)
    named = open_encoder(f"{spec}{'&' if '?' in spec else '?'}name=mine")
    assert (named.name, named.digest, named.source) == ("mine", plain.digest, plain.source)
