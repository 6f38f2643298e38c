"""Transfer with the backbone unfrozen: what a pretrained encoder gets right once all of it is trained on."""

import math
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.estimators.inputs.splits import Parts
from mitools.metrics.transfer import Right, blind_classifier
from mitools.training.loop.images_in_memory import load_images
from mitools.views.base import View
from mitools.views.recipes import Augmentation
from mitools.views.registry import make_view


@dataclass(frozen=True)
class FineTuning:
    """How encoder and classifier are trained together: SGD whose rate falls to 0 by a cosine.

    Epochs, batch size and rate are those of Cui et al. (2022, A.6) for CUB-200 and Aircraft; momentum and
    weight decay, which they do not state, are those of their source training.

    Attributes
    ----------
    epochs, batch_size
        Passes over what is not reported on; items a step, all of them where there are fewer.
    learning_rate, momentum, weight_decay
        Of SGD.
    augmentation
        Of the images trained on; None for the images as they are.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 5e-3
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augmentation: Augmentation = None


def fine_tuned_transfer(
    encoder: Encoder,
    data: LabelledData,
    parts: Parts,
    protocol: FineTuning | None = None,
    seed: int = 0,
    runtime: Runtime | None = None,
    advance: Advance | None = None,
) -> Right:
    """Train a copy of an encoder with a new classifier on another data set, and read it once.

    Everything that is not reported on is trained on, and the network of the last step is the one that
    counts. The encoder itself is left as it is.

    Parameters
    ----------
    encoder
        Maps images to rows; its own preprocessing brings them to its size and normalises them.
    data
        Labelled images.
    parts
        The split; train and select are trained on.
    protocol
        See :class:`FineTuning`.
    seed
        Of batches and augmentations.
    runtime
        One process: device and precision; a CPU when None.
    advance
        Called with how many epochs are done.

    Returns
    -------
    Right
        Shape (n_report,): which items of *report* are classified right.

    Raises
    ------
    InputError
        When the encoder or the data are not of images of one size, or the loss is not finite.
    """
    protocol, runtime = protocol or FineTuning(), runtime or Runtime()
    device, preprocess = runtime.device, encoder.preprocess
    if not isinstance(preprocess, Preprocess):
        raise InputError(f"encoder {encoder.name} reads texts; fine-tuning is for images")
    images = load_images(data, preprocess.size)
    used = torch.from_numpy(np.sort(np.concatenate([parts.train, parts.select])))
    backbone = deepcopy(encoder.module).to(device).requires_grad_(True)
    with torch.no_grad():
        width = backbone.eval()(preprocess.finish(images.pixels[:1]).to(device)).shape[1]
    network = nn.Sequential(backbone, blind_classifier(width, len(data.classes))).to(device)
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        weight_decay=protocol.weight_decay,
    )
    size = min(protocol.batch_size, len(used))
    steps_per_epoch = len(used) // size
    steps = protocol.epochs * steps_per_epoch
    view = make_view(protocol.augmentation or "image")
    for epoch in range(protocol.epochs):
        network.train()
        order = used[torch.from_numpy(np.random.default_rng([seed, 0, epoch]).permutation(len(used)))]
        for position in range(steps_per_epoch):
            step, rows = epoch * steps_per_epoch + position, order[position * size : (position + 1) * size]
            for group in optimiser.param_groups:
                group["lr"] = protocol.learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
            pixels = _views(images.pixels[rows], view, derive_seed(seed, 1, step))
            optimiser.zero_grad(set_to_none=True)
            with runtime.autocast():
                logits = network(preprocess.finish(pixels).to(device))
            loss = functional.cross_entropy(logits.float(), images.labels[rows].to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if not math.isfinite(float(loss.detach())):
            raise InputError(
                f"fine-tuning diverged at learning rate {protocol.learning_rate:g}; take a smaller one"
            )
        if advance:
            advance(f"fine-tuning {encoder.name}", epoch + 1, protocol.epochs)
    network.eval()
    report = torch.from_numpy(parts.report)
    with torch.no_grad(), runtime.autocast():
        decided = [
            network(preprocess.finish(images.pixels[rows]).to(device)).argmax(dim=1).cpu()
            for rows in report.split(256)
        ]
    return (torch.cat(decided) == images.labels[report]).numpy()


def _views(pixels: Tensor, view: View, seed: int) -> Tensor:
    """Draw a view of each image, uint8 in and out."""
    draws = torch.rand((len(pixels), view.draws), generator=torch.Generator().manual_seed(seed))
    return (255 * view(pixels.float() / 255, draws)).round().to(torch.uint8)
