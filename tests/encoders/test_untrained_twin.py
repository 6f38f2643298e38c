from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from mitools.encoders import Encoder, Preprocess, open_encoder
from mitools.encoders.layers.taps import tap
from mitools.encoders.untrained_twin import untrained_twin

IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def trained(module, source="checkpoint", spec="checkpoint:x.pth?arch=y"):
    """Stand in for a trained network: every number is 2."""
    for value in module.state_dict().values():
        value.fill_(2)
    return Encoder(spec, "net", source, "0" * 64, module, Preprocess())


def resnet():
    return timm.create_model("resnet18", layers=[1, 1, 1, 1], channels=[8, 8, 8, 16], num_classes=0)


def test_nothing_that_was_learnt_is_left():
    encoder = trained(resnet())
    twin = untrained_twin(encoder)
    for name, value in twin.module.state_dict().items():
        assert not (value == 2).any(), name
    assert all((value == 2).all() for value in encoder.module.state_dict().values())
    for layer in twin.module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert not layer.running_mean.any()
            assert (layer.running_var == 1).all()


def test_fresh_weights_are_those_that_the_layers_draw():
    fresh = untrained_twin(trained(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()))).module[0].weight
    bound = 27**-0.5  # torch's own: uniform up to 1 / sqrt(fan in)
    assert fresh.abs().max() <= bound
    assert fresh.std() == pytest.approx(bound / 3**0.5, rel=0.2)


def test_a_parameter_that_no_layer_draws_keeps_its_size_and_loses_its_order():
    class Token(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.arange(50.0))

    encoder = Encoder("checkpoint:x", "net", "checkpoint", "0" * 64, Token(), Preprocess())
    token = untrained_twin(encoder).module.token
    assert not torch.equal(token, encoder.module.token)
    assert torch.equal(token.sort().values, encoder.module.token)


def test_the_seed_alone_decides_and_the_twin_is_another_encoder():
    encoder = trained(resnet())
    state = torch.get_rng_state()
    first, again, other = (untrained_twin(encoder, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.module(IMAGES), again.module(IMAGES))
    assert not torch.equal(first.module(IMAGES), other.module(IMAGES))
    assert first.digest == again.digest
    assert len({encoder.digest, first.digest, other.digest}) == 3
    assert (first.name, first.load_report) == ("net-untrained", None)
    assert first.preprocess == encoder.preprocess
    assert not any(parameter.requires_grad for parameter in first.module.parameters())


def test_the_twin_of_inner_layers_gives_inner_layers_of_the_twin():
    encoder = trained(resnet())
    twin = untrained_twin(tap(encoder, ["layer1.0", "output"]))
    rows = twin.module(IMAGES)
    assert list(rows) == ["layer1.0", "output"]
    torch.testing.assert_close(rows["output"], untrained_twin(encoder).module(IMAGES))
    assert not torch.equal(rows["layer1.0"], tap(encoder, ["layer1.0"]).module(IMAGES)["layer1.0"])


@pytest.mark.parametrize("spec", ["builtin:pixels", "builtin:pca?k=2", "builtin:random_conv?width=2"])
def test_what_was_never_trained_has_no_twin(spec):
    assert untrained_twin(open_encoder(spec)) is None


def test_networks_that_are_untrained_already_or_have_no_weights_have_no_twin():
    assert untrained_twin(open_encoder("timm:test_resnet?pretrained=no")) is None
    assert untrained_twin(trained(nn.Flatten())) is None
    assert untrained_twin(replace(trained(resnet()), source="builtin")) is None


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_network_in_torchscript_has_a_twin(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network[1].running_mean.fill_(3)
    torch.jit.save(torch.jit.script(network), tmp_path / "x.pt")
    encoder = open_encoder(f"torchscript:{tmp_path}/x.pt?trust=yes")
    twin = untrained_twin(encoder)
    state, fresh = encoder.module.state_dict(), twin.module.state_dict()
    (weight,) = (name for name in state if name.endswith("0.weight"))
    (mean,) = (name for name in state if name.endswith("1.running_mean"))
    assert not torch.equal(state[weight], fresh[weight])
    assert torch.equal(state[weight].flatten().sort().values, fresh[weight].flatten().sort().values)
    assert (state[mean] == 3).all()
    assert not fresh[mean].any()
