"""Segmentation on a frozen encoder: which maps are read, what is trained, and what a decoder can see."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders
from mitools.metrics.segmentation import pixel_accuracy
from mitools.training.loop.segmentation import SegmentationRecipe, segmentation_confusion
from mitools.training.networks.unet import UNet, feature_maps
from mitools.views.registry import make_view

SHORT = SegmentationRecipe(epochs=4, batch_size=8, learning_rate=1e-2, width=8)


class Brightness(nn.Module):
    """A 1x1 convolution of RGB: a map of every pixel's colours, or of none of them."""

    def __init__(self, sees: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        self.conv.weight = nn.Parameter(torch.eye(3)[:, :, None, None] * float(sees))

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).mean(dim=(2, 3))


def encoder_of(module: nn.Module) -> Encoder:
    return Encoder("test", "test", "test", "digest", module, Preprocess())


@pytest.mark.parametrize(
    ("name", "side", "sizes"),
    [("convnet_half", 32, [4, 8, 16, 32]), ("cifar_resnet8", 32, [8, 16, 32]),
     ("alexnet_half_stl10", 64, [15, 31, 64]), ("nyu_conv5", 128, [4, 8, 16, 64])],
)  # fmt: skip
def test_maps_are_those_of_convolutions_the_smallest_first(name: str, side: int, sizes: list[int]) -> None:
    """Table 12: conv1 gives 64, its pool 32 and conv2 16; what the pool gives alone is no map."""
    network = build_architecture(name, channels=1).module.eval()
    with torch.no_grad():
        maps = feature_maps(network, torch.zeros(1, 1, side, side))
    assert [found.shape[-1] for found in maps] == sizes


def test_a_map_is_the_last_of_its_size() -> None:
    network = build_architecture("convnet_half").module.eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        maps = feature_maps(network, images)
        layers: Any = network.layers
        torch.testing.assert_close(maps[-1], layers[:3](images))  # convolution, norm and ReLU
        torch.testing.assert_close(maps[0], layers(images))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_encoder_gets_no_gradient_and_keeps_its_statistics(frozen: bool) -> None:
    encoder = build_architecture("cifar_resnet8").module
    images = torch.rand(4, 3, 32, 32)
    network = UNet(encoder, images, (32, 32), 6, 8, frozen).train()
    before = encoder.get_buffer("bn1.running_mean").clone()
    network(images).sum().backward()
    assert network(images).shape == (4, 6, 32, 32)
    assert (encoder.get_parameter("conv1.weight").grad is None) == frozen
    assert torch.equal(encoder.get_buffer("bn1.running_mean"), before) == frozen
    assert network.last.weight.grad is not None


def test_a_decoder_finds_what_the_encoder_shows_and_nothing_else() -> None:
    """Blind to the image, it can at best name the most frequent class of each place."""
    data, test = (open_data(f"scenes?n=48&size=16{part}") for part in ("", "&part=test"))
    seeing, blind = (
        segmentation_confusion(encoder_of(Brightness(sees)), data, test, SHORT) for sees in (True, False)
    )
    pixels = 48 * 16 * 16
    assert seeing.sum() == blind.sum() == pixels
    true = np.stack([test.modality(item, "segmentation")[0] for item in range(48)])  # type: ignore[attr-defined]
    by_place = np.stack([(true == number).sum(axis=0) for number in range(6)]).max(axis=0).sum() / pixels
    assert pixel_accuracy(blind) <= by_place
    assert pixel_accuracy(seeing) > pixel_accuracy(blind) + 0.02


def test_the_encoder_given_stays_as_it_is_and_a_seed_gives_one_number() -> None:
    data, module = open_data("scenes?n=16&size=16"), Brightness(True)
    weight = module.conv.weight.clone()
    one, same = (
        segmentation_confusion(encoder_of(module), data, data, SHORT, frozen=False, seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(one, same)
    assert torch.equal(module.conv.weight, weight)
    assert not module.conv.weight.requires_grad


def test_what_cannot_be_segmented_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    data, module = open_data("scenes?n=16&size=16"), Brightness(True)

    def refuse(encoder: Encoder, train: Any, test: Any, said: str) -> None:
        with pytest.raises(InputError, match=said):
            segmentation_confusion(encoder, train, test, SHORT)

    refuse(encoder_of(module), open_data("cdp?n=16&size=28"), data, "cdp has no segmentation")
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    refuse(encoder_of(flat), data, data, "has no convolutions")
    parts = [ViewEncoder(make_view(name), "tiny", 1, module) for name in ("lab:l", "ydbdr:y")]
    refuse(encoder_of(ViewEncoders(parts)), data, data, "take one of them by view=")
    other = open_data("scenes?n=16&size=16&part=test")
    monkeypatch.setattr(other, "segments", ("floor", "wall"))
    refuse(encoder_of(module), data, other, "have other classes")
    wild = SHORT.model_copy(update={"learning_rate": float("inf")})
    with pytest.raises(InputError, match="diverged"):
        segmentation_confusion(encoder_of(module), data, data, wild)
