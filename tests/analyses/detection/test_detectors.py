"""Detectors on any backbone, their schedules, and average precision against counts by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mitools.analyses.detection.average_precision import average_precision
from mitools.analyses.detection.detector import DetectorRecipe, build_detector
from mitools.analyses.detection.fine_tuning import fine_tune, mirrored, target_of
from mitools.analyses.detection.schedules import SCHEDULES, ScheduleRecipe
from mitools.analyses.detection.stages import after, find_stages, maps_of
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.datasets.detection import open_detection
from mitools.datasets.detection.base import Objects
from mitools.encoders import open_encoder
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.architectures.convnet import ConvNet
from mitools.encoders.encoder import Encoder

SMALL = {"width": 8, "head_width": 16, "proposals": 8, "sides": [48], "longest": 48}


def encoder_of(network: nn.Module) -> Encoder:
    convnet = build_architecture("convnet")
    return Encoder("own", "own", "python", "0" * 64, network, convnet.preprocess)


def detector_recipe(**keys: Any) -> DetectorRecipe:
    return make_recipe(SMALL | keys, DetectorRecipe, "detector")


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("convnet", [("layers.2", 1), ("layers.5", 2), ("layers.8", 4), ("layers", 8)]),
        ("cifar_resnet8", [("layer1", 1), ("layer2", 2), ("layer3", 4)]),
        ("timm:resnet18", [("act1", 2), ("layer1", 4), ("layer2", 8), ("layer3", 16), ("layer4", 32)]),
        pytest.param(
            "resnet50_x0.5",
            [("relu", 2), ("layer1", 4), ("layer2", 8), ("layer3", 16), ("layer4", 32)],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_stages_are_the_networks_own(name: str, stages: list[tuple[str, int]]) -> None:
    network = build_architecture(name).module
    found = find_stages(network, name)
    assert [(stage.name, stage.stride) for stage in found.found] == stages
    # The maps are what the network itself computes, by hooks on its modules.
    images, seen = torch.randn(2, 3, 64, 96), {}
    for stage in found.found:
        network.get_submodule(stage.name).register_forward_hook(
            lambda module, given, output, title=stage.name: seen.setdefault(title, output.clone())
        )
    with torch.no_grad():
        network.eval()(images)
        maps = maps_of(found, found.found, name).eval()(images)
    for number, stage in enumerate(found.found):
        assert maps[str(number)].shape == (2, stage.channels, 64 // stage.stride, 96 // stage.stride)
        torch.testing.assert_close(maps[str(number)], seen[stage.name])
    last = after(found, name).eval()
    with torch.no_grad():
        torch.testing.assert_close(last(seen[stages[-2][0]]), seen[stages[-1][0]])


def test_what_is_no_convolutional_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"fails on an image of 128x128 pixels \(.*\); a detector needs"):
        find_stages(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 8)), "mlp")
    with pytest.raises(
        InputError, match="encoder pooled does not end in maps; a detector needs a convolutional"
    ):
        find_stages(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 3)), "pooled")
    tokens = nn.Sequential(nn.Conv2d(3, 4, 16, 16), nn.Flatten(2), nn.Linear(64, 64), nn.Flatten())
    with pytest.raises(InputError, match="encoder tokens does not end in maps"):
        find_stages(tokens, "tokens")
    flat = find_stages(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "flat"
    )
    with pytest.raises(InputError, match="maps of one resolution alone; c4 needs two, so take fpn"):
        after(flat, "flat")


@pytest.mark.parametrize(("kind", "masks"), [("fpn", True), ("c4", True), ("fpn", False)])
def test_a_detector_trains_its_backbone_and_leaves_the_encoder(kind: str, masks: bool) -> None:
    torch.manual_seed(0)
    encoder = encoder_of(ConvNet(8))
    before = {name: weight.clone() for name, weight in encoder.module.state_dict().items()}
    anchors = [12, 16, 24] if kind == "fpn" else [12, 24]
    detector: Any = build_detector(encoder, 4, detector_recipe(kind=kind, masks=masks, anchors=anchors))
    data = open_detection("scenes?n=4&size=48")
    schedule = ScheduleRecipe(iterations=2, batch_size=2, learning_rate=0.02, warmup=0)
    start = {name: weight.clone() for name, weight in detector.named_parameters()}
    trained: Any = fine_tune(detector, data, schedule, 0, Runtime())
    moved = {name for name, weight in trained.named_parameters() if not torch.equal(weight, start[name])}
    assert {part.split(".")[0] for part in moved} == {"backbone", "rpn", "roi_heads"}
    backbone = {name for name in start if name.startswith("backbone.body.") and "weight" in name}
    assert backbone
    assert backbone <= moved
    assert all(torch.equal(weight, before[name]) for name, weight in encoder.module.state_dict().items())
    assert all(torch.equal(weight, start[name]) for name, weight in detector.named_parameters())
    with torch.no_grad():
        (found,) = trained([torch.rand(3, 48, 48)])
    assert set(found) == {"boxes", "scores", "labels"} | ({"masks"} if masks else set())
    again: Any = fine_tune(detector, data, schedule, 0, Runtime())
    assert all(
        torch.equal(one, other)
        for one, other in zip(trained.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_a_published_cifar_network_is_a_backbone(shared: Any) -> None:
    spec = f"checkpoint:{shared}/checkpoints/resnet20-12fca82f.th?arch=cifar_resnet20"
    encoder = open_encoder(spec)
    assert isinstance(encoder, Encoder)
    detector: Any = build_detector(encoder, 4, detector_recipe(anchors=[12, 16, 24]))
    body = detector.backbone.body.state_dict()
    assert torch.equal(body["layer3.2.conv2.weight"], encoder.module.state_dict()["layer3.2.conv2.weight"])
    assert detector.transform.image_mean == list(encoder.preprocess.mean)
    data = open_detection("scenes?n=2&size=48")
    schedule = ScheduleRecipe(iterations=1, batch_size=2, learning_rate=0.01, warmup=0)
    trained = fine_tune(detector, data, schedule, 0, Runtime())
    with torch.no_grad():
        (found,) = trained([torch.rand(3, 48, 48)])
    assert torch.isfinite(found["boxes"]).all()


def test_what_detectors_refuse() -> None:
    encoder = encoder_of(ConvNet(8))
    with pytest.raises(InputError, match=r"2 sizes for 2 levels of the pyramid \(strides 4, 8\)"):
        build_detector(encoder, 4, detector_recipe(anchors=[12, 24]))
    with pytest.raises(InputError, match="sides go from small to large"):
        detector_recipe(sides=[64, 48])
    with pytest.raises(InputError, match=r"drops .* must rise and lie below iterations 10"):
        make_recipe({"iterations": 10, "drops": [12]}, ScheduleRecipe, "schedule")


class _Listed:
    """Images of one grey level with given objects."""

    name, digest = "listed", "0" * 64

    def __init__(self, objects: list[Objects]) -> None:
        self.objects, self.classes = objects, ["one", "two"]
        self.has_masks = all(one.masks is not None for one in objects)

    def __len__(self) -> int:
        return len(self.objects)

    def objects_in(self, index: int) -> int:
        return int((~self.objects[index].ignored).sum())

    def __getitem__(self, index: int) -> Any:
        from PIL import Image

        return Image.new("RGB", (20, 20)), self.objects[index]


def boxes_of(boxes: list[list[float]], labels: list[int], ignored: list[bool]) -> Objects:
    return Objects(
        np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels), np.array(ignored, dtype=bool)
    )


def test_masks_are_asked_of_data_that_have_them_and_objects_of_data_at_all() -> None:
    schedule = ScheduleRecipe(iterations=1, batch_size=1)
    detector = build_detector(encoder_of(ConvNet(8)), 2, detector_recipe(masks=True, anchors=[12, 16, 24]))
    none = _Listed([boxes_of([[2, 2, 9, 9]], [0], [False])])
    with pytest.raises(InputError, match="has boxes and no masks; take masks: false"):
        fine_tune(detector, none, schedule, 0, Runtime())
    ignored = _Listed([boxes_of([[2, 2, 9, 9]], [0], [True])])
    plain = build_detector(encoder_of(ConvNet(8)), 2, detector_recipe(anchors=[12, 16, 24]))
    with pytest.raises(InputError, match="has no image with an object"):
        fine_tune(plain, ignored, schedule, 0, Runtime())


def test_ignored_objects_are_not_trained_on_and_a_mirror_exchanges_left_and_right() -> None:
    masks = np.zeros((2, 6, 10), dtype=bool)
    masks[0, 1:3, 2:5] = True
    objects = replace(boxes_of([[2, 1, 5, 3], [0, 0, 1, 1]], [1, 0], [False, True]), masks=masks)
    target = target_of(objects)
    assert target["boxes"].tolist() == [[2, 1, 5, 3]]
    assert target["labels"].tolist() == [2]
    image = torch.arange(60.0).reshape(1, 6, 10).expand(3, 6, 10)
    flipped, moved = mirrored(image, target)
    assert moved["boxes"].tolist() == [[5, 1, 8, 3]]
    assert moved["masks"].nonzero()[:, 2].unique().tolist() == [5, 6, 7]
    assert torch.equal(flipped[..., 0], image[..., 9])


def test_the_papers_schedules() -> None:
    assert {name: (one.iterations, one.drops, one.learning_rate) for name, one in SCHEDULES.items()} == {
        "1x": (90_000, (60_000, 80_000), 0.02),
        "2x": (180_000, (120_000, 160_000), 0.02),
        "6x": (540_000, (480_000, 520_000), 0.02),
        "1x_ctc": (180_000, (120_000, 160_000), 0.02),
        "1x_imsvd": (90_000, (60_000, 80_000), 0.1),
        "voc_24k": (24_000, (18_000, 22_000), 0.02),
    }
    assert all(one.batch_size == 16 for one in SCHEDULES.values())


class _Told(nn.Module):
    """Finds what it is told to."""

    def __init__(self, found: list[dict[str, torch.Tensor]]) -> None:
        super().__init__()
        self.found = iter(found)

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        assert images[0].shape == (3, 20, 20)
        return [next(self.found)]


def told(boxes: list[list[float]], labels: list[int], scores: list[float]) -> dict[str, torch.Tensor]:
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels) + 1,
        "scores": torch.tensor(scores),
        "masks": torch.stack([_square(box) for box in boxes])[:, None]
        if boxes
        else torch.zeros(0, 1, 20, 20),
    }


def _square(box: list[float]) -> torch.Tensor:
    left, top, right, bottom = map(int, box)
    mask = torch.zeros(20, 20)
    mask[top:bottom, left:right] = 0.9
    return mask


def test_average_precision_is_that_of_a_count_by_hand() -> None:
    pytest.importorskip("pycocotools", reason='average precision needs pip install "mitools[detection]"')
    pytest.importorskip("torchmetrics")
    box, other = [0.0, 0.0, 10.0, 10.0], [10.0, 10.0, 20.0, 20.0]
    # Of class one, two objects: one is found exactly, one with an overlap of 0.81: precision is 1 at every
    # recall up to an overlap of 0.8 (7 of the 10 levels from 0.5 to 0.95), and above it half of the recalls
    # (51 of 101) are reached. What is found of an ignored object counts neither way.
    objects = [
        boxes_of([box], [0], [False]),
        boxes_of([box, other], [0, 0], [False, True]),
    ]
    masked = [
        replace(one, masks=np.stack([_square(list(b)).numpy() > 0 for b in one.boxes])) for one in objects
    ]
    found = [told([box], [0], [0.9]), told([[0.0, 0.0, 9.0, 9.0], other], [0, 0], [0.8, 0.95])]
    values = average_precision(_Told(found), _Listed(masked), True, Runtime())
    expected = 100 * (7 * 1 + 3 * 51 / 101) / 10
    exact = {f"{kind}_ap{ending}": 100.0 for kind in ("box", "mask") for ending in ("50", "75")}
    assert values == pytest.approx(exact | {"box_ap": expected, "mask_ap": expected})
    found = [told([], [], []), told([box], [1], [0.5])]
    values = average_precision(_Told(found), _Listed(objects), False, Runtime())
    assert values == {"box_ap": 0.0, "box_ap50": 0.0, "box_ap75": 0.0}
