"""Training a detector on images and their objects."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mitools.analyses.detection.schedules import ScheduleRecipe
from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.detection.base import DetectionData, Objects
from mitools.training.loop.trainer import NotFiniteError

WORKERS = 8
"""Processes that read images while a GPU computes."""

TRAINED_ON = "images trained on"
"""What the progress of training counts."""

Target = dict[str, Tensor]


def fine_tune(
    detector: nn.Module,
    data: DetectionData,
    schedule: ScheduleRecipe,
    seed: int,
    runtime: Runtime,
    advance: Advance | None = None,
) -> nn.Module:
    """Train a copy of a detector; images without objects are left out, and half of the others are mirrored.

    Parameters
    ----------
    detector
        See :func:`mitools.analyses.detection.detector.build_detector`; left as it is.
    data
        Every image with an object is trained on.
    schedule
        Steps, batch and rates.
    seed
        Of batches, mirrors, sides and the proposals that are drawn; equal seeds see equal batches.
    runtime
        One process.
    advance
        Called with the number of images trained on.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, on the runtime's device.

    Raises
    ------
    InputError
        When no image has an object, or masks are to be learnt and there are none.
    NotFiniteError
        When the loss is not finite.
    """
    if _learns_masks(detector) and not data.has_masks:
        raise InputError(f"{data.name} has boxes and no masks; take masks: false")
    kept = [index for index in range(len(data)) if data.objects_in(index)]
    if not kept:
        raise InputError(f"{data.name} has no image with an object, so there is nothing to train on")
    detector = copy.deepcopy(detector).to(runtime.device).train()
    weights = [weight for weight in detector.parameters() if weight.requires_grad]
    optimiser = torch.optim.SGD(
        weights, schedule.learning_rate, schedule.momentum, weight_decay=schedule.weight_decay
    )
    with seeded(derive_seed(seed, 1)), runtime.autocast():
        for iteration, (images, targets) in enumerate(_batches(data, kept, schedule, seed, runtime)):
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate(iteration)
            losses: dict[str, Tensor] = detector(
                [image.to(runtime.device) for image in images],
                [{name: part.to(runtime.device) for name, part in one.items()} for one in targets],
            )
            loss = torch.stack([value.float() for value in losses.values()]).sum()
            if not math.isfinite(float(loss.detach())):
                raise NotFiniteError(
                    f"the detector's loss is not finite at iteration {iteration}; lower the learning_rate, or"
                    " set clip"
                )
            optimiser.zero_grad()
            loss.backward()
            if schedule.clip is not None:
                nn.utils.clip_grad_norm_(weights, schedule.clip)
            optimiser.step()
            if advance:
                advance(
                    TRAINED_ON,
                    (iteration + 1) * schedule.batch_size,
                    schedule.iterations * schedule.batch_size,
                )
    return detector.eval()


def as_tensor(image: Image.Image) -> Tensor:
    """Turn an image into (3, H, W), float32 in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def target_of(objects: Objects) -> Target:
    """Lay objects out as torchvision's detectors take them, without those that are ignored."""
    kept = ~objects.ignored
    target = {
        "boxes": torch.from_numpy(objects.boxes[kept]),
        "labels": torch.from_numpy(objects.labels[kept] + 1),  # 0 is the background
    }
    if objects.masks is not None:
        target["masks"] = torch.from_numpy(objects.masks[kept].astype(np.uint8))
    return target


def mirrored(image: Tensor, target: Target) -> tuple[Tensor, Target]:
    """Exchange left and right of an image, its boxes and its masks."""
    boxes = target["boxes"].clone()
    boxes[:, [0, 2]] = image.shape[2] - target["boxes"][:, [2, 0]]
    flipped = target | {"boxes": boxes}
    if "masks" in target:
        flipped["masks"] = target["masks"].flip(-1)
    return image.flip(-1), flipped


def _learns_masks(detector: Any) -> bool:
    return bool(detector.roi_heads.has_mask())


class _Items(Dataset[tuple[Tensor, Target]]):
    """Images with their targets, asked for by number and whether to mirror."""

    def __init__(self, data: DetectionData) -> None:
        self.data = data

    def __getitem__(self, wanted: tuple[int, bool]) -> tuple[Tensor, Target]:
        index, mirror = wanted
        image, objects = self.data[index]
        item = as_tensor(image), target_of(objects)
        return mirrored(*item) if mirror else item


def _batches(
    data: DetectionData, kept: list[int], schedule: ScheduleRecipe, seed: int, runtime: Runtime
) -> Iterator[tuple[list[Tensor], list[Target]]]:
    wanted = list(_draws(kept, schedule, seed))
    workers = WORKERS if runtime.device.type == "cuda" else 0
    loader: Any = DataLoader(
        _Items(data),
        batch_sampler=wanted,
        collate_fn=_as_lists,
        num_workers=workers,
        generator=torch.Generator(),
    )
    yield from loader


def _draws(kept: list[int], schedule: ScheduleRecipe, seed: int) -> Iterator[list[tuple[int, bool]]]:
    """Draw batches: every image once before any comes again."""
    rng = np.random.default_rng([seed, 17])
    waiting: list[int] = []
    for _ in range(schedule.iterations):
        while len(waiting) < schedule.batch_size:
            waiting += [kept[place] for place in rng.permutation(len(kept))]
        batch, waiting = waiting[: schedule.batch_size], waiting[schedule.batch_size :]
        yield [
            (index, bool(mirror)) for index, mirror in zip(batch, rng.random(len(batch)) < 0.5, strict=True)
        ]


def _as_lists(items: list[tuple[Tensor, Target]]) -> tuple[list[Tensor], list[Target]]:
    return [image for image, _ in items], [target for _, target in items]
