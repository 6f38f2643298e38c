"""Segmentation by a UNet's decoder on a frozen encoder, or by the whole UNet trained (Tian et al. 2020)."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mitools.backends.runtime import Runtime
from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import segments_of
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities, require_modality, resized
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.read import Inputs, finish_inputs, inputs_to, read_inputs
from mitools.encoders.view_encoders import ViewEncoders
from mitools.metrics.segmentation import confusion_counts
from mitools.training.networks.unet import UNet
from mitools.views.modality import UNKNOWN

READ_AT_ONCE = 256
"""Items whose inputs and segmentation are read together: of data that are rendered, in one rendering."""


class SegmentationRecipe(Recipe):
    """How a decoder is trained: Adam with the paper's momenta (E.4), its rate falling to 0 by a cosine.

    Attributes
    ----------
    epochs, batch_size
        Passes over the training items; items a step, all of them where there are fewer.
    learning_rate
        At first.
    width
        Channels of the decoder's maps.
    """

    epochs: Annotated[int, Field(ge=1)] = 200
    batch_size: Annotated[int, Field(ge=1)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    width: Annotated[int, Field(ge=8, multiple_of=8)] = 64


def segmentation_confusion(
    encoder: Encoder,
    train: LabelledData,
    test: LabelledData,
    recipe: SegmentationRecipe | None = None,
    *,
    frozen: bool = True,
    seed: int = 0,
    runtime: Runtime | None = None,
    advance: Advance | None = None,
) -> NDArray[np.int64]:
    """Train a decoder on a copy of an encoder, and count the pixels of *test* that it gets right and wrong.

    The network of the last step is the one that counts: nothing is chosen by *test*.

    Parameters
    ----------
    encoder
        Of one view; its own preprocessing brings items to its size, and the segmentation to the same.
    train, test
        Data with a segmentation, of the same classes.
    recipe
        See :class:`SegmentationRecipe`.
    frozen
        Whether the encoder stays as it is; otherwise it is trained together with the decoder.
    seed
        Of the decoder's weights and the batches.
    runtime
        One process: device and precision; a CPU when None.
    advance
        Called with how many epochs are done.

    Returns
    -------
    NDArray[np.int64]
        Shape (classes, classes): true class by predicted class, for :func:`.pixel_accuracy` and
        :func:`.mean_iou`.

    Raises
    ------
    InputError
        When the data have no segmentation or differ in its classes, the encoder is of several views or reads
        no images, or the loss is not finite.
    """
    recipe, runtime = recipe or SegmentationRecipe(), runtime or Runtime()
    device, preprocess = runtime.device, _preprocess(encoder)
    classes = _classes(train, test)
    inputs, truth = _joined([_read(train, items, preprocess) for items in _portions(train)], train.name)
    truth = truth.to(device)
    with seeded(seed):
        network = UNet(
            deepcopy(encoder.module).to(device),
            _batch(inputs, torch.zeros(1, dtype=torch.int64), preprocess, device),
            (truth.shape[-2], truth.shape[-1]),
            classes,
            recipe.width,
            frozen,
        ).to(device)
    _fit(network, inputs, truth, recipe, preprocess, seed, runtime, advance and _named(advance, encoder.name))
    network.eval()
    confusion = np.zeros((classes, classes), dtype=np.int64)
    with torch.no_grad(), runtime.autocast():
        for items in _portions(test):
            some, true = _read(test, items, preprocess)
            predicted = network(_batch(some, torch.arange(len(true)), preprocess, device)).argmax(dim=1)
            confusion += confusion_counts(predicted.cpu(), true, classes)
    return confusion


def _fit(
    network: UNet,
    inputs: Inputs,
    truth: Tensor,
    recipe: SegmentationRecipe,
    preprocess: Preprocess | Modalities,
    seed: int,
    runtime: Runtime,
    advance: Advance | None,
) -> None:
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=recipe.learning_rate, betas=(0.5, 0.999))
    size = min(recipe.batch_size, len(truth))
    steps_per_epoch = len(truth) // size
    steps = recipe.epochs * steps_per_epoch
    network.train()
    for epoch in range(recipe.epochs):
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(truth)))
        for position in range(steps_per_epoch):
            step, rows = epoch * steps_per_epoch + position, order[position * size : (position + 1) * size]
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
            optimiser.zero_grad(set_to_none=True)
            with runtime.autocast():
                logits = network(_batch(inputs, rows, preprocess, runtime.device))
            true = truth[rows.to(truth.device)].long()
            loss = functional.cross_entropy(logits.float(), true, ignore_index=UNKNOWN)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if not math.isfinite(float(loss.detach())):
            raise InputError(
                f"the decoder diverged at learning rate {recipe.learning_rate:g}; take a smaller one"
            )
        if advance:
            advance("segmentation", epoch + 1, recipe.epochs)


def _preprocess(encoder: Encoder) -> Preprocess | Modalities:
    module: nn.Module = encoder.module
    if isinstance(module, ViewEncoders) and len(module.parts) > 1:
        raise InputError(f"encoder {encoder.name} is of several views; take one of them by view=")
    if not isinstance(encoder.preprocess, Preprocess | Modalities):
        raise InputError(f"encoder {encoder.name} reads no images, which alone have a segmentation")
    return encoder.preprocess


def _classes(train: LabelledData, test: LabelledData) -> int:
    for data in (train, test):
        require_modality(data, "segmentation")
    names = list(segments_of(train))
    if names != list(segments_of(test)):
        raise InputError(
            f"the segmentations of {train.name} and {test.name} have other classes; name both alike"
        )
    return len(names)


def _portions(data: LabelledData) -> list[range]:
    n = len(data)
    return [range(start, min(start + READ_AT_ONCE, n)) for start in range(0, n, READ_AT_ONCE)]


def _joined(portions: Sequence[tuple[Inputs, Tensor]], name: str) -> tuple[Inputs, Tensor]:
    if len({found.shape[1:] for _, found in portions}) > 1:
        raise InputError(f"items of {name} differ in size; give the encoder an image_size=N")
    parts, truth = [part for part, _ in portions], torch.cat([found for _, found in portions])
    if isinstance(parts[0], Tensor):
        return torch.cat([part for part in parts if isinstance(part, Tensor)]), truth
    by_name = [part for part in parts if not isinstance(part, Tensor)]
    return {name: torch.cat([part[name] for part in by_name]) for name in by_name[0]}, truth


def _read(data: LabelledData, items: range, preprocess: Preprocess | Modalities) -> tuple[Inputs, Tensor]:
    """Read items as inputs, and their segmentation, shape (items, h, w), uint8, of the same size."""
    inputs = read_inputs(data, items, preprocess)
    known, maps = require_modality(data, "segmentation"), []
    for item in items:
        found = known.modality(item, "segmentation")
        if found is None:
            raise InputError(f"item {item} of {data.name} lacks its segmentation; leave it out")
        one = torch.from_numpy(np.ascontiguousarray(found))
        maps.append((one if preprocess.size is None else resized(one, preprocess.size))[0])
    return inputs, torch.stack(maps)


def _batch(inputs: Inputs, rows: Tensor, preprocess: Preprocess | Modalities, device: torch.device) -> Inputs:
    some: Inputs
    if isinstance(inputs, Mapping):
        some = {name: tensor[rows] for name, tensor in inputs.items()}
    else:
        some = inputs[rows]
    return finish_inputs(inputs_to(some, device), preprocess)


def _named(advance: Advance, name: str) -> Advance:
    return lambda what, done, total: advance(f"{what} on {name}", done, total)
