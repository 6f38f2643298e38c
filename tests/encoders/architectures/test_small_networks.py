"""The networks of the transferability paper: their sizes against published ones, shapes, and blocks."""

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.architectures import build_architecture
from mitools.encoders.architectures.cifar_resnext import CifarResNeXt, ResNeXtBlock
from mitools.encoders.architectures.wide_resnet import WideBlock, WideResNet

WIDTHS = {"resnet18_small": 512, "wrn28_4": 256, "shufflenetv2_small": 1024, "resnext32_16x4d": 512}


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("depth", "width", "millions"),
    [(40, 1, 0.6), (40, 2, 2.2), (40, 4, 8.9), (16, 8, 11.0), (22, 8, 17.2), (28, 10, 36.5)],
)
def test_wide_resnets_are_as_large_as_published(depth: int, width: int, millions: float) -> None:
    """Zagoruyko & Komodakis, table 4; they count the classifier of ten classes."""
    with torch.device("meta"):
        count = size(WideResNet(depth, width)) + 10 * (64 * width + 1)
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize(("groups", "millions"), [(8, 34.4), (16, 68.1)])
def test_resnext_29_is_as_large_as_published(groups: int, millions: float) -> None:
    """Xie et al., table 7: 8x64d and 16x64d, with the classifier of ten classes."""
    with torch.device("meta"):
        count = size(CifarResNeXt(3, groups, 64)) + 10 * (1024 + 1)
    assert count / 1e6 == pytest.approx(millions, abs=0.06)


def test_resnext32_16x4d_is_five_blocks_a_stage_counted_out() -> None:
    """Stages of 128, 256 and 512 channels, 16 groups of 2, 4 and 8 channels inside; biases are norms'."""
    total = 3 * 32 * 9 + 2 * 32
    inputs = 32
    for inner, outputs in ((32, 128), (64, 256), (128, 512)):
        for block in range(5):
            total += inputs * inner + inner * (inner // 16) * 9 + inner * outputs + 4 * inner + 2 * outputs
            if block == 0:
                total += inputs * outputs + 2 * outputs
            inputs = outputs
    assert size(build_architecture("resnext32_16x4d").module) == total


def test_resnet18_small_is_resnet_18_but_for_its_stem() -> None:
    """ResNet-18 has 11,689,512 parameters, of which stem and classifier are 7x7 x 64 and 513,000."""
    small = size(build_architecture("resnet18_small").module)
    assert small == 11_689_512 - 513_000 - 3 * 64 * 49 + 3 * 64 * 9


def test_shufflenetv2_small_is_shufflenet_v2_without_its_classifier() -> None:
    """Ma et al., table 8: 2.3 million for width 1 and 1,000 classes; the stem's stride has no parameter."""
    count = size(build_architecture("shufflenetv2_small").module) + 1000 * (1024 + 1)
    assert round(count / 1e6, 1) == 2.3


@pytest.mark.parametrize(("name", "width"), WIDTHS.items())
def test_images_become_one_row_each(name: str, width: int) -> None:
    network = build_architecture(name, seed=1).module.eval()
    images = torch.rand(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rows = network(images)
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, width)
        assert rows.shape == (2, width)
        assert torch.isfinite(rows).all()
        assert (rows[0] - rows[1]).abs().max() > 0.01 * rows.abs().max()
        again = build_architecture(name, seed=1).module.eval()(images)
    assert torch.equal(rows, again)


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("resnet18_small", 4), ("wrn28_4", 8), ("shufflenetv2_small", 4), ("resnext32_16x4d", 8)],
)
def test_the_stem_keeps_the_resolution(name: str, smallest: int) -> None:
    """Nothing before the first stage halves a 32x32 image: the last maps are 4x4, or 8x8 of three stages."""
    seen: list[int] = []
    network = build_architecture(name).module.eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _, __, output: seen.append(output.shape[-1]))
    with torch.no_grad():
        network(torch.rand(1, 3, 32, 32))
    assert seen[0] == 32
    assert min(seen) == smallest


def test_a_wide_block_is_its_equation() -> None:
    block = WideBlock(4, 6, stride=2).eval()
    assert block.shortcut is not None
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    active = block.bn1(x).clamp(min=0)
    expected = block.conv2(block.bn2(block.conv1(active)).clamp(min=0)) + block.shortcut(active)
    torch.testing.assert_close(block(x), expected)
    same = WideBlock(4, 4, stride=1).eval()
    nn.init.zeros_(same.conv2.weight)
    assert torch.equal(same(x), x), "without a residual the input passes unchanged"


def test_a_resnext_block_is_a_sum_over_its_groups() -> None:
    """Xie et al., Eq. 2: the grouped form equals a sum of as many separate paths."""
    block = ResNeXtBlock(8, 6, 8, groups=3, stride=1).eval()
    x = torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    inner = block.bn1(block.reduce(x)).clamp(min=0)
    paths = torch.zeros(2, 8, 5, 5)
    for group in range(3):
        part = slice(2 * group, 2 * group + 2)
        convolved = nn.functional.conv2d(inner[:, part], block.grouped.weight[part], padding=1)
        scale = block.bn2.weight[part] / (block.bn2.running_var[part] + block.bn2.eps).sqrt()
        active = (convolved * scale[:, None, None]).clamp(min=0)
        paths += nn.functional.conv2d(active, block.expand.weight[:, part])
    expected = (block.bn3(paths) + x).clamp(min=0)
    torch.testing.assert_close(block(x), expected, atol=1e-6, rtol=1e-5)


def test_depths_and_names_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="6 n \\+ 4"):
        WideResNet(30, 4)
    with pytest.raises(InputError, match=r"unknown arch 'wrn28_5'.*wrn28_4"):
        build_architecture("wrn28_5")
