"""Recognising what a clip shows from its frames, by fine-tuning a pretrained encoder of frames."""

import math
from copy import deepcopy
from typing import Annotated, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.view_inputs import normalised_view
from mitools.encoders.view_encoders import ViewEncoder
from mitools.metrics.transfer import Right, blind_classifier
from mitools.training.loop.modalities_in_memory import load_modality
from mitools.training.recipes import Count, Positive
from mitools.views.base import is_rgb
from mitools.views.recipes import Augmentation
from mitools.views.registry import make_view

CLIP = "clip"
"""The modality that frames are read from."""

CLIPS_AT_ONCE = 16
"""Clips of which the frames pass the network together when they are recognised."""


class ClipRecognitionRecipe(Recipe):
    """How a network is fine-tuned: SGD on random frames, its rate falling to 0 by a cosine.

    The defaults are those of the spatial network of Simonyan and Zisserman (2014), which Tian et al. (2020,
    Contrastive multiview coding, Sec. 4.2) follow.

    Attributes
    ----------
    layer
        The module of the encoder up to which weights are taken over, as ``conv_block_5``: its output is what
        the new layers read. The whole encoder when None.
    hidden
        Widths of the new fully connected layers before the classifier.
    dropout
        Before each of them, and before the classifier.
    epochs, batch_size
        Passes over the clips, one random frame of each; clips a step, all of them where there are fewer.
    learning_rate, momentum, weight_decay
        Of SGD.
    augmentation
        Of the frames trained on; None for the frames as they are.
    frames_read
        Frames of a clip, evenly spaced, whose class probabilities are averaged when it is recognised.
    """

    layer: str | None = None
    hidden: tuple[Count, ...] = (4096, 4096)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.9
    epochs: Count = 100
    batch_size: Count = 256
    learning_rate: Positive = 1e-2
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    augmentation: Augmentation = None
    frames_read: Count = 25


class FrameClassifier(nn.Module):
    """An encoder up to one of its layers, and new layers on it.

    Parameters
    ----------
    encoder
        Maps frames (B, 3, h, w) to rows.
    layer
        Whose output the new layers read; the encoder's own output when None.
    example
        Some frames, by which the width of that output is found.
    hidden, dropout
        As in :class:`ClipRecognitionRecipe`.
    classes
        Of a clip.

    Raises
    ------
    InputError
        When the encoder has no such layer.
    """

    def __init__(
        self,
        encoder: nn.Module,
        layer: str | None,
        example: Tensor,
        hidden: tuple[int, ...],
        dropout: float,
        classes: int,
    ) -> None:
        super().__init__()
        names = [name for name, _ in encoder.named_modules() if name]
        if layer is not None and layer not in names:
            raise InputError(f"the encoder has no layer {layer!r}; nearest: {nearest(layer, names)}")
        self.encoder = encoder
        self.layer = layer
        with torch.no_grad():
            width = self.features(example).shape[1]
        layers: list[nn.Module] = []
        for wide in hidden:
            layers += [nn.Dropout(dropout), nn.Linear(width, wide), nn.ReLU()]
            width = wide
        self.head = nn.Sequential(*layers, nn.Dropout(dropout), blind_classifier(width, classes))

    def features(self, frames: Tensor) -> Tensor:
        """Map frames to what the new layers read, (B, d)."""
        if self.layer is None:
            rows: Tensor = self.encoder(frames)
            return rows
        found: list[Tensor] = []
        module = self.encoder.get_submodule(self.layer)
        handle = module.register_forward_hook(lambda _, inputs, output: found.append(output))
        try:
            self.encoder(frames)
        finally:
            handle.remove()
        return found[-1].flatten(1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (B, 3, h, w) to logits (B, classes)."""
        logits: Tensor = self.head(self.features(frames))
        return logits


class _Clips(NamedTuple):
    """Shape (n, T, 3, h, w), uint8, and (n,), int64."""

    frames: Tensor
    labels: Tensor


def recognise_clips(
    encoder: Encoder,
    train: LabelledData,
    test: LabelledData,
    recipe: ClipRecognitionRecipe | None = None,
    seed: int = 0,
    runtime: Runtime | None = None,
    advance: Advance | None = None,
) -> Right:
    """Fine-tune a copy of an encoder of frames on clips, and recognise others by it.

    Weights up to the recipe's layer are taken over, and all of them are trained. The network of the last
    step is the one that counts: nothing is chosen by *test*.

    Parameters
    ----------
    encoder
        Of one view, a frame of a clip: ``run:DIR?view=0``.
    train, test
        Data with clips, of the same classes: the two parts of an official split.
    recipe
        See :class:`ClipRecognitionRecipe`.
    seed
        Of the new weights, the batches and the frames.
    runtime
        One process: device and precision; a CPU when None.
    advance
        Called with how many epochs are done.

    Returns
    -------
    Right
        Shape (n_test,): which clips of *test* are recognised.

    Raises
    ------
    InputError
        When the encoder is not of one frame, the data have no clips or other classes than each other, or the
        loss is not finite.
    """
    recipe, runtime = recipe or ClipRecognitionRecipe(), runtime or Runtime()
    part, size = _frame_encoder(encoder)
    if list(train.classes) != list(test.classes):
        raise InputError(f"the clips of {train.name} and {test.name} have other classes; name both alike")
    known, asked = _clips(train, size, advance), _clips(test, size, advance)
    device = runtime.device
    part = deepcopy(part).to(device)
    with seeded(derive_seed(seed, 0)):
        network = FrameClassifier(
            part.network.eval().requires_grad_(True),
            recipe.layer,
            _input(part, known.frames[:1, 0].float().to(device) / 255),
            recipe.hidden,
            recipe.dropout,
            len(train.classes),
        ).to(device)
    # Dropout draws from torch's own generator.
    with seeded(derive_seed(seed, 1)):
        _fit(network, part, known, recipe, seed, runtime, advance)
    decided = _decide(network, part, asked.frames, recipe.frames_read, runtime)
    return (decided == asked.labels).numpy()


def _frame_encoder(encoder: Encoder) -> tuple[ViewEncoder, int | None]:
    part, preprocess = encoder.module, encoder.preprocess
    if not (isinstance(part, ViewEncoder) and part.modality == CLIP and is_rgb(part.view)) or (
        part.channels != part.view.channels or not isinstance(preprocess, Modalities)
    ):
        raise InputError(
            f"encoder {encoder.name} is not of one frame of a clip; name one that is, as run:DIR?view=0 of a"
            " run on frame:any"
        )
    return part, preprocess.size


def _clips(data: LabelledData, size: int | None, advance: Advance | None) -> _Clips:
    frames, present = load_modality(data, CLIP, size, advance)
    if not bool(present.all()):
        raise InputError(f"item {int((~present).nonzero()[0])} of {data.name} lacks its clip; leave it out")
    return _Clips(frames, torch.from_numpy(np.asarray(data.labels, dtype=np.int64)))


def _input(part: ViewEncoder, frames: Tensor) -> Tensor:
    """Normalise frames, in [0, 1], as the encoder's view is."""
    return normalised_view(part.view, frames, part.mean, part.std)


def _fit(
    network: FrameClassifier,
    part: ViewEncoder,
    clips: _Clips,
    recipe: ClipRecognitionRecipe,
    seed: int,
    runtime: Runtime,
    advance: Advance | None,
) -> None:
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    view, device = make_view(recipe.augmentation or "image"), runtime.device
    size = min(recipe.batch_size, len(clips.labels))
    steps_per_epoch = len(clips.labels) // size
    steps = recipe.epochs * steps_per_epoch
    network.train()
    for epoch in range(recipe.epochs):
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(clips.labels)))
        for position in range(steps_per_epoch):
            step, rows = epoch * steps_per_epoch + position, order[position * size : (position + 1) * size]
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
            generator = torch.Generator().manual_seed(derive_seed(seed, 2, step))
            shown = torch.randint(clips.frames.shape[1], (size,), generator=generator)
            draws = torch.rand((size, view.draws), generator=generator).to(device)
            frames = view(clips.frames[rows, shown].to(device).float() / 255, draws)
            optimiser.zero_grad(set_to_none=True)
            with runtime.autocast():
                logits = network(_input(part, frames))
            loss = functional.cross_entropy(logits.float(), clips.labels[rows].to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if not math.isfinite(float(loss.detach())):
            raise InputError(
                f"recognition diverged at learning rate {recipe.learning_rate:g}; take a smaller one"
            )
        if advance:
            advance("recognising clips", epoch + 1, recipe.epochs)


@torch.no_grad()
def _decide(
    network: FrameClassifier, part: ViewEncoder, clips: Tensor, frames_read: int, runtime: Runtime
) -> Tensor:
    """Give the most probable class of every clip, shape (n,), by the mean over evenly spaced frames."""
    network.eval()
    count = min(frames_read, clips.shape[1])
    places = ((torch.arange(count) + 0.5) * clips.shape[1] / count).long()
    decided = []
    for some in clips.split(CLIPS_AT_ONCE):
        frames = some[:, places].flatten(0, 1).to(runtime.device).float() / 255
        with runtime.autocast():
            logits = network(_input(part, frames))
        probabilities = logits.float().softmax(dim=1).unflatten(0, (-1, count)).mean(dim=1)
        decided.append(probabilities.argmax(dim=1).cpu())
    return torch.cat(decided)
