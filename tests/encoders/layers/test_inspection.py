import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.encoders import Encoder, Preprocess, open_encoder
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.layers.inspection import inspect_layers
from mitools.encoders.layers.taps import layer_names, tap


def encoder(module, preprocess=None):
    return Encoder("python:x:y", "x", "python", "0" * 64, module, preprocess or Preprocess())


def test_layers_shapes_and_parameters_are_those_of_the_network():
    network = CifarResNet(20)
    found = inspect_layers(encoder(network))
    assert found.item == "an image of 3x32x32"
    layers = {layer.name: layer for layer in found.layers}
    assert tuple(layers) == layer_names(network)
    assert layers["conv1"].shape == (16, 32, 32)
    assert layers["layer2.0"].shape == (32, 16, 16)
    assert (layers["layer3.2"].kind, layers["layer3.2"].shape) == ("BasicBlock", (64, 8, 8))
    assert layers["layer3.2"].parameters == 2 * (64 * 64 * 9 + 2 * 64)
    assert layers["output"].shape == (64,)
    assert not any(module._forward_hooks for module in network.modules())


def test_the_size_is_that_of_the_preprocessing_or_of_the_data(image_tar):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten())
    assert inspect_layers(encoder(network, Preprocess(size=12))).layers[-1].shape == (200,)
    data = open_data(f"tar:{image_tar}")
    found = inspect_layers(encoder(network), data)
    assert found.item == "an image of 3x8x8"
    assert [layer.shape for layer in found.layers] == [(2, 6, 6), (72,)]


def test_tapped_encoders_show_the_network_behind_the_taps():
    plain, tapped = encoder(CifarResNet(20)), tap(encoder(CifarResNet(20)), ["layer1.0"])
    assert inspect_layers(plain) == inspect_layers(tapped)


def test_a_layer_that_does_not_run_has_no_shape():
    class Partly(nn.Module):
        def __init__(self):
            super().__init__()
            self.used = nn.Conv2d(3, 2, 3)
            self.idle = nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x).flatten(1)

    shapes = {layer.name: layer.shape for layer in inspect_layers(encoder(Partly())).layers}
    assert shapes == {"used": (2, 30, 30), "idle": None, "output": (1800,)}


def test_a_network_that_cannot_read_the_item_is_one_line():
    network = encoder(nn.Sequential(nn.Flatten(), nn.Linear(5, 2)))
    with pytest.raises(InputError, match=r"encoder x fails on an image of 3x32x32 \(.*mat1 and mat2"):
        inspect_layers(network)
    assert not any(module._forward_hooks for module in network.module.modules())


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_scripted_network_shows_its_output(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    torch.jit.save(torch.jit.script(network), tmp_path / "x.pt")
    (layer,) = inspect_layers(open_encoder(f"torchscript:{tmp_path}/x.pt?trust=yes")).layers
    assert (layer.name, layer.shape) == ("output", (4,))
