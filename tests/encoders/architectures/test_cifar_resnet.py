from pathlib import Path

import numpy as np
import pytest
import torch

from mitools.datasets import open_data
from mitools.encoders import open_encoder
from mitools.encoders.architectures import CifarResNet
from mitools.features import FeatureStore, extract

SHARED = Path(__file__).parents[4] / "shared"
CHECKPOINTS = {
    20: ("resnet20-12fca82f.th", 0.810),
    32: ("resnet32-d509ac18.th", 0.826),
    44: ("resnet44-014dd654.th", 0.827),
    56: ("resnet56-4bfd9763.th", 0.832),
}
needs_shared = pytest.mark.skipif(
    not (SHARED / "checkpoints").is_dir(), reason="the CIFAR-10 checkpoints are not beside the repository"
)


def head_accuracy(depth, store, limit):
    path = SHARED / "checkpoints" / CHECKPOINTS[depth][0]
    encoder = open_encoder(f"checkpoint:{path}?arch=cifar_resnet{depth}")
    data = open_data(f"tar:{SHARED}/data/cifar10-test.tar.gz?limit={limit}")
    features = torch.from_numpy(extract(encoder, data, store=FeatureStore(store)).values[:, 0])
    weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    logits = features @ weights["module.linear.weight"].T + weights["module.linear.bias"]
    return float((logits.argmax(dim=1).numpy() == data.labels).mean())


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_parameter_counts_are_those_of_the_paper(depth, millions):
    """He et al., table 6; the paper counts the classifier's 650 as well."""
    count = sum(parameter.numel() for parameter in CifarResNet(depth).parameters()) + 650
    assert count / 1e6 == pytest.approx(millions, abs=0.05 if depth == 110 else 0.01)


def test_depth_is_6n_plus_2():
    with pytest.raises(ValueError, match="6 n \\+ 2"):
        CifarResNet(18)


def test_a_shortcut_keeps_every_second_pixel_and_pads_channels_on_both_sides():
    block = CifarResNet(20).eval().layer2[0]
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(2, 16, 8, 8)
    y = block(x)
    torch.testing.assert_close(y[:, 8:24], x[:, :, ::2, ::2])
    assert not y[:, :8].any()
    assert not y[:, 24:].any()


@needs_shared
def test_published_head_on_our_features_of_resnet20(tmp_path):
    accuracy, published = head_accuracy(20, tmp_path, 1000), CHECKPOINTS[20][1]
    assert abs(accuracy - published) < 3 * np.sqrt(published * (1 - published) / 1000)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("depth", CHECKPOINTS)
def test_published_heads_on_our_features(tmp_path, depth):
    assert head_accuracy(depth, tmp_path, 10_000) == pytest.approx(CHECKPOINTS[depth][1], abs=5.1e-4)
