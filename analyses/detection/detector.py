"""Torchvision's Faster and Mask R-CNN on the backbone of any encoder."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from torch import Tensor, nn

from mitools.analyses.detection.stages import Stage, after, find_stages, maps_of
from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess

RATIOS = (0.5, 1.0, 2.0)
"""Height over width of the anchors."""

FPN_FROM_STRIDE = 4
"""The finest map of a pyramid, where the network has two stages from there on."""

MOST_LEVELS = 4

Count = Annotated[int, Field(ge=1)]


class DetectorRecipe(Recipe):
    """Which detector.

    Attributes
    ----------
    kind
        ``fpn``: a feature pyramid of the last stages (Lin et al. 2017), with two fully connected layers a
        box. ``c4``: boxes are proposed on the map before the last stage, and the last stage is applied to
        each box (He et al. 2017).
    masks
        Mask R-CNN; Faster R-CNN without.
    width
        Channels of the pyramid and of what predicts masks.
    head_width
        Of the two layers of ``fpn``.
    anchors
        Sizes in pixels: one a level of the pyramid and one more, coarser; of ``c4`` all on its one map. When
        None 8 times each stride, or 32 to 512.
    proposals
        Boxes a training image that the second part sees; in evaluation twice as many are kept.
    sides
        The shorter side of an image in pixels: of training images one of these by chance, in evaluation the
        last.
    longest
        No side gets longer.
    """

    kind: Literal["fpn", "c4"] = "fpn"
    masks: bool = False
    width: Count = 256
    head_width: Count = 1024
    anchors: tuple[Count, ...] | None = None
    proposals: Count = 512
    sides: Annotated[tuple[Count, ...], Field(min_length=1)] = (640, 672, 704, 736, 768, 800)
    longest: Count = 1333

    @field_validator("sides")
    @classmethod
    def _in_order(cls, sides: tuple[int, ...]) -> tuple[int, ...]:
        if sorted(sides) != list(sides):
            raise ValueError("sides go from small to large, since evaluation takes the last")
        return sides


def build_detector(encoder: Encoder, classes: int, recipe: DetectorRecipe) -> nn.Module:
    """Build a detector whose backbone is a copy of an encoder's network, all of it trainable.

    Batch norms go on learning their statistics, and the pyramid and the mask head have batch norms of their
    own, as in Tian et al. 2020 (InfoMin), section 4.2.

    Parameters
    ----------
    encoder
        A convolutional network of images; left as it is.
    classes
        Of objects, without the background.
    recipe
        The detector.

    Returns
    -------
    torch.nn.Module
        Of ``torchvision.models.detection``: maps a list of images (3, H, W) in [0, 1] to boxes, labels from
        1 on, scores and masks; in training, with targets, to a dictionary of losses.

    Raises
    ------
    InputError
        When the encoder is no convolutional network of images of any size, or the anchors are too many or
        too few.
    """
    from torchvision.models.detection import FasterRCNN, MaskRCNN
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
    from torchvision.models.detection.rpn import AnchorGenerator
    from torchvision.ops import MultiScaleRoIAlign

    if not isinstance(encoder.preprocess, Preprocess):
        raise InputError(
            f"encoder {encoder.name} does not read images alone, so it is no backbone of a detector"
        )
    stages = find_stages(encoder.module, encoder.name)
    if recipe.kind == "c4":
        last_stage = after(stages, encoder.name)
        levels: tuple[Stage, ...] = (stages.found[-2],)
        backbone: nn.Module = _OneMap(maps_of(stages, levels, encoder.name), levels[0].channels)
        box_head: nn.Module = nn.Sequential(last_stage, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        box_width, names, pooled = stages.found[-1].channels, ["0"], 14
    else:
        levels = _pyramid_levels(stages.found)
        backbone = _Pyramid(maps_of(stages, levels, encoder.name), levels, recipe.width)
        box_head, box_width, pooled = TwoMLPHead(recipe.width * 49, recipe.head_width), recipe.head_width, 7
        names = [str(number) for number in range(len(levels))]
    options: dict[str, Any] = {
        "rpn_anchor_generator": _anchors(AnchorGenerator, levels, recipe),
        "box_roi_pool": MultiScaleRoIAlign(names, pooled, sampling_ratio=0 if pooled == 14 else 2),
        "box_head": box_head,
        "box_predictor": FastRCNNPredictor(box_width, classes + 1),
        "min_size": list(recipe.sides),
        "max_size": recipe.longest,
        "image_mean": list(encoder.preprocess.mean),
        "image_std": list(encoder.preprocess.std),
        "box_batch_size_per_image": recipe.proposals,
        "rpn_post_nms_top_n_train": 2 * recipe.proposals,
        "rpn_post_nms_top_n_test": 2 * recipe.proposals,
    }
    if not recipe.masks:
        return FasterRCNN(backbone, **options)
    if recipe.kind == "c4":
        options["mask_head"], mask_width = last_stage, stages.found[-1].channels
    else:
        options["mask_head"] = MaskRCNNHeads(recipe.width, (recipe.width,) * 4, 1, nn.BatchNorm2d)
        mask_width = recipe.width
    options["mask_roi_pool"] = MultiScaleRoIAlign(names, 14, sampling_ratio=2)
    options["mask_predictor"] = MaskRCNNPredictor(mask_width, recipe.width, classes + 1)
    return MaskRCNN(backbone, **options)


def _pyramid_levels(found: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Take the stages from :data:`FPN_FROM_STRIDE` on, two at least and four at most."""
    coarse = tuple(stage for stage in found if stage.stride >= FPN_FROM_STRIDE)
    return (coarse if len(coarse) >= 2 else found[-2:])[-MOST_LEVELS:]


def _anchors(generator: Any, levels: tuple[Stage, ...], recipe: DetectorRecipe) -> nn.Module:
    if recipe.kind == "c4":
        sizes: tuple[tuple[int, ...], ...] = (recipe.anchors or (32, 64, 128, 256, 512),)
    else:
        strides = [level.stride for level in levels]
        wanted = recipe.anchors or tuple(8 * stride for stride in (*strides, 2 * strides[-1]))
        if len(wanted) != len(levels) + 1:
            raise InputError(
                f"anchors: {len(wanted)} sizes for {len(levels)} levels of the pyramid (strides"
                f" {', '.join(map(str, strides))}) and a coarser one; give {len(levels) + 1}"
            )
        sizes = tuple((size,) for size in wanted)
    made: nn.Module = generator(sizes, (RATIOS,) * len(sizes))
    return made


class _OneMap(nn.Module):
    """The map of one stage, as torchvision's detectors take it."""

    def __init__(self, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = body
        self.out_channels = channels

    def forward(self, images: Tensor) -> Tensor:
        maps: dict[str, Tensor] = self.body(images)
        return maps["0"]


class _Pyramid(nn.Module):
    """The maps of several stages and one coarser, all of one width."""

    def __init__(self, body: nn.Module, levels: tuple[Stage, ...], width: int) -> None:
        from torchvision.ops import FeaturePyramidNetwork
        from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

        super().__init__()
        self.body = body
        self.pyramid = FeaturePyramidNetwork(
            [level.channels for level in levels], width, LastLevelMaxPool(), nn.BatchNorm2d
        )
        self.out_channels = width

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = self.pyramid(self.body(images))
        return maps
