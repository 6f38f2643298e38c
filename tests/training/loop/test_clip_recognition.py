"""Recognition of clips by fine-tuning from a layer: what is taken over, what is trained, what is read."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from mitools.encoders.view_encoders import ViewEncoder
from mitools.training.loop.clip_recognition import ClipRecognitionRecipe, FrameClassifier, recognise_clips
from mitools.views.registry import make_view

SIDE, LENGTH = 8, 12
SHORT = ClipRecognitionRecipe(hidden=(16,), dropout=0.1, epochs=30, batch_size=16, learning_rate=0.05)


class Clips:
    """Noise in three colours: the class of a clip is the colour that most of its frames are brighter in."""

    classes = ("red", "green", "blue")
    modalities = ("clip",)

    def __init__(self, n: int, seed: int, odd_frames: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.name = self.digest = f"clips {n} {seed} {odd_frames}"
        self.labels: NDArray[np.int64] = np.arange(n) % 3
        self.frames = rng.integers(0, 120, (n, LENGTH, 3, SIDE, SIDE)).astype(np.uint8)
        for item, label in enumerate(self.labels):
            self.frames[item, odd_frames:, label] += 100
            self.frames[item, :odd_frames, (label + 1) % 3] += 100

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.fromarray(self.frames[index, 0].transpose(1, 2, 0)), int(self.labels[index])

    def modality(self, index: int, name: str) -> NDArray[np.uint8]:
        return self.frames[index]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5)
    )


def encoder_of(view: str = "frame:any", channels: int = 3, inner: nn.Module | None = None) -> Encoder:
    part = ViewEncoder(make_view(view), "tiny", channels, network() if inner is None else inner)
    images = Preprocess(None, mean=(0.0,) * 3, std=(1.0,) * 3)
    return Encoder("run:x?view=0", "x@1", "run", "digest", part, Modalities(("clip",), images))


def test_clips_are_recognised_and_the_encoder_is_left_as_it_was() -> None:
    encoder = encoder_of()
    before = {name: weight.clone() for name, weight in encoder.module.state_dict().items()}
    right = recognise_clips(encoder, Clips(60, 0), Clips(30, 1), SHORT)
    assert right.shape == (30,)
    assert right.mean() > 0.9
    assert np.array_equal(right, recognise_clips(encoder, Clips(60, 0), Clips(30, 1), SHORT))
    for name, weight in encoder.module.state_dict().items():
        assert torch.equal(weight, before[name])


def test_labels_without_meaning_are_not_recognised() -> None:
    """150 clips whose labels are permuted: a third is right, within four standard errors."""
    test = Clips(150, 1)
    test.labels = np.random.default_rng(0).permutation(test.labels)
    right = recognise_clips(encoder_of(), Clips(60, 0), test, SHORT)
    assert abs(right.mean() - 1 / 3) < 4 * np.sqrt(2 / 9 / 150)


@pytest.mark.parametrize(
    ("odd_frames", "frames_read", "right"), [(2, 12, True), (10, 12, False), (6, 1, True), (7, 1, False)]
)
def test_evenly_spaced_frames_decide_together(odd_frames: int, frames_read: int, right: bool) -> None:
    """The first frames show another class; one frame that is read is the seventh of the twelve."""
    recipe = SHORT.model_copy(update={"frames_read": frames_read})
    found = recognise_clips(encoder_of(), Clips(60, 0), Clips(30, 1, odd_frames), recipe).mean()
    assert found > 0.8 if right else found < 0.2


@pytest.mark.parametrize("layer", ["1", None])
def test_new_layers_read_the_layer_named_and_all_before_it_is_trained(layer: str | None) -> None:
    inner, frames = network(), torch.rand(2, 3, SIDE, SIDE)
    classifier = FrameClassifier(inner, layer, frames, (7,), 0.5, 3)
    cut: Any = inner if layer is None else inner[:2]
    torch.testing.assert_close(classifier.features(frames), cut(frames).flatten(1))
    widths = [module.in_features for module in classifier.head if isinstance(module, nn.Linear)]
    assert widths == [5 if layer is None else 4 * 6 * 6, 7]
    with torch.no_grad():
        classifier.head[-1].weight.normal_()
    classifier(frames).sum().backward()
    trained = {name for name, weight in inner.named_parameters() if weight.grad is not None}
    assert trained == ({"0.weight", "0.bias"} | ({"4.weight", "4.bias"} if layer is None else set()))


def test_frames_are_normalised_as_in_training() -> None:
    seen: list[Tensor] = []

    class Watching(nn.Module):
        def forward(self, frames: Tensor) -> Tensor:
            seen.append(frames.detach().clone())
            return frames.mean(dim=(2, 3))

    clips = Clips(3, 0)
    recipe = SHORT.model_copy(update={"epochs": 1, "frames_read": LENGTH})
    recognise_clips(encoder_of(inner=Watching()), clips, clips, recipe)
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    torch.testing.assert_close(
        seen[-1].unflatten(0, (3, LENGTH)), (torch.from_numpy(clips.frames) / 255 - mean) / std
    )


@pytest.mark.parametrize(
    ("encoder", "changes", "said"),
    [
        (encoder_of("optical_flow:any", 20, nn.Flatten()), {}, "is not of one frame of a clip"),
        (encoder_of("lab:l", 1, nn.Flatten()), {}, "of one frame of a clip; name one that is, as run:"),
        (encoder_of("frames:1-2", 6, nn.Flatten()), {}, "is not of one frame of a clip"),
        (encoder_of(), {"layer": "6"}, "the encoder has no layer '6'; nearest"),
        (encoder_of(), {"learning_rate": 1e20}, r"recognition diverged at learning rate 1e\+20"),
    ],
)
def test_what_cannot_be_fine_tuned_is_one_line(encoder: Encoder, changes: dict[str, Any], said: str) -> None:
    pytest.importorskip("skimage")
    with pytest.raises(InputError, match=said) as caught:
        recognise_clips(encoder, Clips(9, 0), Clips(9, 1), SHORT.model_copy(update={"epochs": 3} | changes))
    assert "\n" not in str(caught.value)


def test_other_classes_are_one_line() -> None:
    test = Clips(9, 1)
    test.classes = ("red", "green", "grey")
    with pytest.raises(InputError, match="have other classes; name both alike"):
        recognise_clips(encoder_of(), Clips(9, 0), test, SHORT)
