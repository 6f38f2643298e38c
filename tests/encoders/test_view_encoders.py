"""Encoders side by side, each behind its own view: what they see, and released files of such."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.encoders import open_encoder
from mitools.encoders.architectures.half_alexnet import STL10, ViewConvNet
from mitools.encoders.architectures.width_resnet import WidthResNet
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities, resized
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.view_inputs import frames_as_channels
from mitools.encoders.layers.inspection import inspect_layers
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders, view_encoders
from mitools.views.registry import make_view


class Seen(nn.Module):
    """Gives back what it sees, as rows."""

    def forward(self, view: Tensor) -> Tensor:
        return view.flatten(1)


def images(count: int = 3, side: int = 8) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def seen(name: str, items: Any, shape: tuple[int, ...]) -> Tensor:
    view = make_view(name)
    return ViewEncoder(view, "seen", shape[0], Seen())(items).reshape(-1, *shape)


def test_each_encoder_sees_its_own_view_normalised() -> None:
    given = images()
    lab = (make_view("lab:ab")(given, torch.empty(3, 0)) - 0.5) / 0.5
    torch.testing.assert_close(seen("lab:ab", given, (2, 8, 8)), lab)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(seen("image", given, (3, 8, 8)), (given - mean) / std)


@pytest.mark.parametrize("name", ["simclr", "patch?size=4&distance=4#1"])
def test_of_what_is_random_in_rgb_the_whole_image_is_read(name: str) -> None:
    assert torch.equal(seen(name, images(), (3, 8, 8)), seen("image", images(), (3, 8, 8)))


def test_other_modalities_are_taken_by_name_and_frames_lie_side_by_side() -> None:
    items = {
        "depth": torch.full((2, 1, 4, 4), 5.0),
        "image": torch.full((2, 3, 4, 4), 255, dtype=torch.uint8),
    }
    assert torch.equal(seen("depth", items, (1, 4, 4)), torch.zeros(2, 1, 4, 4))
    assert torch.equal(seen("lab:l", items, (1, 4, 4)).round(decimals=4), torch.ones(2, 1, 4, 4))
    clip = torch.arange(2 * 3 * 3).reshape(1, 2, 3, 3, 1)
    assert torch.equal(frames_as_channels(clip), clip.reshape(1, 6, 3, 1))


def test_a_description_builds_them_again() -> None:
    description = [
        {"view": "lab:l", "encoder": "convnet", "channels": 1},
        {"view": "image", "encoder": "cifar_resnet8", "channels": 3},
    ]
    found = view_encoders(description).eval()
    assert found.description() == description
    assert found(images()).shape == (3, 512 + 64)
    assert found.of(["1", "lab:l"])(images()).shape == (3, 64 + 512)
    assert found.modalities == ("image",)
    assert found.identity != found.of(["1"]).identity
    with pytest.raises(InputError, match="no encoder of a view '2'; views: lab:l, image"):
        found.of(["2"])


class Rooms:
    """Two images of 6 x 4 with their depth."""

    name, classes, digest, labels = "rooms", ["a", "b"], "rooms", np.arange(2)
    modalities = ("depth",)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.fromarray(np.full((6, 4, 3), 10 * index, dtype=np.uint8)), index

    def modality(self, index: int, name: str) -> NDArray[np.float32]:
        return np.arange(24, dtype=np.float32).reshape(1, 6, 4) + 100 * index


def test_modalities_of_items_are_read_at_the_images_size() -> None:
    wanted = Modalities(("image", "depth"), Preprocess(size=2))
    batch = wanted.batch(Rooms(), [1, 0])
    assert batch["image"].shape == (2, 3, 2, 2)
    assert batch["image"].dtype == torch.uint8
    # The shorter side of 4 becomes 2 by the nearest pixel, and the centre of 3 rows is kept.
    assert batch["depth"][1, 0].tolist() == resized(torch.arange(24.0).reshape(1, 6, 4), 2)[0].tolist()
    assert set(batch["depth"].flatten().tolist()) <= set(range(24)) | set(range(100, 124))
    with pytest.raises(InputError, match="rooms has no normals; its views can be drawn from image, depth"):
        Modalities(("normals",), Preprocess()).batch(Rooms(), [0])


def test_resizing_keeps_values_and_the_centre() -> None:
    values = torch.arange(24).reshape(1, 4, 6).to(torch.uint8)
    assert resized(values, 4)[0].tolist() == values[0, :, 1:5].tolist()
    assert resized(values, 2).shape == (1, 2, 2)
    assert resized(values, 8).unique().tolist() == values[0, :, 1:5].unique().tolist()


def test_a_network_of_modalities_is_inspected_without_data() -> None:
    parts = [ViewEncoder(make_view(name), "seen", 1, Seen()) for name in ("lab:l", "depth")]
    network = ViewEncoders(parts)
    encoder = Encoder("x", "x", "run", "x", network, Modalities(("image", "depth"), Preprocess(size=4)))
    assert "depth of 1x4x4" in inspect_layers(encoder).item


def released(network: nn.Module, other: nn.Module) -> dict[str, Any]:
    """Lay out weights as the paper's code saves them."""
    state = {
        f"encoder.module.{name}.{key}": value
        for name, part in (("l_to_ab", network), ("ab_to_l", other))
        for key, value in part.state_dict().items()
    }
    return {"opt": {"lr": 0.03}, "model": state, "contrast": {"memory_l": torch.ones(4, 8)}, "epoch": 240}


@pytest.mark.parametrize("kind", ["alexnet_half_stl10", "resnet50_x0.5"])
def test_released_encoders_of_l_and_ab_open_side_by_side(kind: str, tmp_path: Path) -> None:
    last = {"alexnet_half_stl10": "fc8.0", "resnet50_x0.5": "fc"}[kind]
    parts = []
    for channels in (1, 2):
        network = ViewConvNet(STL10, channels) if "alexnet" in kind else WidthResNet(0.5, channels)
        head = nn.Linear(2048 if "alexnet" in kind else 1024, 64)
        parts.append((network.eval(), head))
    files = []
    for network, head in parts:
        holder = nn.Module()
        for name, child in network.named_children():
            holder.add_module(name, child)
        holder.add_module(last.partition(".")[0], nn.Sequential(head) if "." in last else head)
        files.append(holder)
    torch.save(released(*files), tmp_path / "cmc.pth")
    encoder = open_encoder(f"checkpoint:{tmp_path / 'cmc.pth'}?arch={kind}&views=lab:l,lab:ab")
    assert isinstance(encoder, Encoder)
    given = images(2, 64)
    views = [(make_view(name)(given, torch.empty(2, 0)) - 0.5) / 0.5 for name in ("lab:l", "lab:ab")]
    with torch.no_grad():
        expected = torch.cat([network(view) for (network, _), view in zip(parts, views, strict=True)], dim=1)
        torch.testing.assert_close(encoder.module(given), expected)
    assert encoder.load_report is not None
    assert encoder.load_report.matched_share == 1
    assert encoder.load_report.weights_choice == "online.l_to_ab and online.ab_to_l"
    with pytest.raises(InputError, match="3 views and 2 encoders; name as many"):
        open_encoder(f"checkpoint:{tmp_path / 'cmc.pth'}?arch={kind}&views=lab:l,lab:a,lab:b")
