"""The networks of Contrastive Multiview Coding, against its paper's tables and torchvision's ResNet-50."""

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.architectures import build_architecture
from mitools.training.networks.build import build_network

TABLES = {
    "alexnet_half_stl10": (64, [(48, 64), (96, 31), (192, 15), (192, 15), (96, 15)], [2048, 2048], (96, 7)),
    "alexnet_half": (224, [(48, 55), (128, 27), (192, 13), (192, 13), (128, 13)], [2048, 2048], (128, 6)),
    "nyu_conv5": (128, [(64, 64), (128, 16), (256, 8), (256, 8), (512, 4)], [512], (512, 4)),
}
"""Tables 10, 11, 12: the input's side, channels and side of conv1 to conv5, fc6 and fc7, what fc6 reads."""


@pytest.mark.parametrize("name", TABLES)
def test_layers_are_those_of_the_papers_tables(name: str) -> None:
    side, convolutions, connected, (wide, last) = TABLES[name]
    network = build_architecture(name, channels=2).module.eval()
    seen: list[tuple[int, int]] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda m, i, output: seen.append(tuple(output.shape[1:3])))
    with torch.no_grad():
        assert network(torch.zeros(1, 2, side, side)).shape == (1, connected[-1])
    assert seen == convolutions
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert [module.out_features for module in linear] == connected
    assert linear[0].in_features == wide * last * last
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d)]
    assert len(norms) == len(convolutions) + len(connected)


def test_another_size_is_one_line_with_the_remedy() -> None:
    with pytest.raises(InputError, match="it reads images of 64x64; take image_size: 64") as caught:
        build_network("alexnet_half_stl10", (1, 32, 32), lambda width: nn.Linear(width, 64))
    assert "\n" not in str(caught.value)


def test_at_width_1_it_is_torchvisions_resnet_50() -> None:
    resnet50 = pytest.importorskip("torchvision.models").resnet50
    theirs = resnet50(weights=None).eval()
    theirs.fc = nn.Identity()
    ours = build_architecture("resnet50_x1").module.eval()
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize(("width", "output"), [("0.5", 1024), ("2", 4096)])
def test_other_widths_are_as_many_times_as_wide(width: str, output: int) -> None:
    with torch.device("meta"):
        network = build_architecture(f"resnet50_x{width}", channels=1).module
        assert network(torch.zeros(2, 1, 64, 64)).shape == (2, output)
    assert network.conv1.weight.shape == (64, 1, 7, 7)


def test_two_halves_of_width_a_half_have_the_12_million_parameters_of_table_9() -> None:
    with torch.device("meta"):
        halves = [build_architecture("resnet50_x0.5", channels=channels).module for channels in (1, 2)]
    count = sum(weight.numel() for half in halves for weight in half.parameters())
    assert round((count + 2 * (1024 * 128 + 128)) / 1e6) == 12


@pytest.mark.parametrize(
    "name",
    ["convnet", "cifar_resnet8", "wrn28_4", "resnet18_small", "shufflenetv2_small", "resnext32_16x4d"],
)
def test_small_networks_are_built_for_other_channels_too(name: str) -> None:
    network = build_architecture(name, channels=2).module.eval()
    with torch.no_grad():
        rows = network(torch.rand(2, 2, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert rows.ndim == 2
    assert (rows[0] - rows[1]).abs().max() > 0.01 * rows.abs().max()


def test_networks_of_timm_and_of_ones_own_are_asked_for_the_channels(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_network.py").write_text(
        "from torch import nn\ndef any_channels(channels=3):\n    return nn.Conv2d(channels, 4, 3)\n"
        "def rgb():\n    return nn.Conv2d(3, 4, 3)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert build_architecture("python:own_network:any_channels", channels=2).module.in_channels == 2
    assert build_architecture("python:own_network:rgb").module.in_channels == 3
    with pytest.raises(InputError, match=r"'python:own_network:rgb' cannot be built .*'channels'"):
        build_architecture("python:own_network:rgb", channels=2)
    assert build_architecture("timm:resnet18", channels=5).module.conv1.in_channels == 5


def test_a_crop_is_read_alone_and_its_place_is_its_own() -> None:
    """16 x 16 crops with an overlap of 8, as Appendix D.1 has them: 7 x 7 of an image of 64 x 64."""
    network = build_architecture("strided_crops:convnet_half", channels=2).module.eval()
    images = torch.rand(2, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network.crops(images)
        assert found.shape == (2, 256, 7, 7)
        torch.testing.assert_close(network(images), found.mean(dim=(2, 3)))
        for row, column in ((0, 0), (2, 5), (6, 6)):
            crop = images[:, :, 8 * row : 8 * row + 16, 8 * column : 8 * column + 16]
            torch.testing.assert_close(found[:, :, row, column], network.crops.network(crop))


def test_size_and_stride_of_crops_are_options_and_part_of_what_it_is() -> None:
    inner = build_architecture("convnet_half", seed=3)
    found = build_architecture("strided_crops:convnet_half?size=8&stride=4", seed=3)
    assert found.module.crops(torch.zeros(1, 3, 16, 16)).shape == (1, 256, 3, 3)
    assert build_architecture(found.identity).identity == found.identity != inner.identity
    for name, weight in inner.module.state_dict().items():
        assert torch.equal(found.module.state_dict()[f"crops.network.{name}"], weight)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("strided_crops", "nothing behind 'strided_crops'; write for example strided_crops:convnet_half"),
        ("strided_crops:convnet?width=4", "unknown option 'width'; accepted: size or stride"),
        ("strided_crops:convnet?stride=0", "stride=0 must be a whole number of at least 1"),
        ("strided_crops:convnot", "unknown arch 'convnot'"),
    ],
)
def test_crops_of_no_network_are_one_line(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        build_architecture(name)
    assert "\n" not in str(caught.value)


def test_images_smaller_than_a_crop_are_one_line() -> None:
    with pytest.raises(InputError, match="images of 12x12 hold no crop of 16x16; take a smaller size="):
        build_network("strided_crops:convnet_half", (1, 12, 12), lambda width: nn.Linear(width, 4))


def test_caffenet_ends_at_its_fc6() -> None:
    with torch.device("meta"):
        network = build_architecture("caffenet").module
        assert network(torch.zeros(2, 3, 224, 224)).shape == (2, 4096)
    widths = [module.out_channels for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert widths == [96, 256, 384, 384, 256]
