"""Average precision of a detector, as COCO defines it."""

from typing import Any

import torch
from torch import nn

from mitools.analyses.detection.fine_tuning import as_tensor
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.optional_packages import need
from mitools.core.progress import Advance
from mitools.datasets.detection.base import DetectionData

MEASURES = {"bbox": "box", "segm": "mask"}
"""What COCO calls the overlap of boxes and of masks, and what the columns are called."""

MASK_LEVEL = 0.5
"""From which probability on a pixel belongs to a predicted mask."""

EVALUATED = "images evaluated"
"""What the progress of an evaluation counts."""


def require_metric() -> Any:
    """Import torchmetrics' average precision, computed by pycocotools.

    Raises
    ------
    InputError
        When one of them is not installed.
    """
    need("pycocotools", "detection", "average precision")
    return need("torchmetrics.detection", "detection", "average precision").MeanAveragePrecision


def average_precision(
    detector: nn.Module, data: DetectionData, masks: bool, runtime: Runtime, advance: Advance | None = None
) -> dict[str, float]:
    """Evaluate a detector on every image of the data.

    Parameters
    ----------
    detector
        In evaluation mode, on the runtime's device.
    data
        Their ignored objects are handled as COCO's crowds.
    masks
        Whether the detector's masks are evaluated beside its boxes.
    runtime
        Where the detector computes.
    advance
        Called with the number of images evaluated.

    Returns
    -------
    dict
        ``box_ap`` (mean over overlaps from 0.5 to 0.95), ``box_ap50``, ``box_ap75``, and of masks
        ``mask_ap``, ...; in percent, over the classes that the data have.

    Raises
    ------
    InputError
        When torchmetrics or pycocotools is missing, or masks are asked for and there are none.
    """
    if masks and not data.has_masks:
        raise InputError(f"{data.name} has boxes and no masks; take masks: false")
    kinds = list(MEASURES)[: 2 if masks else 1]
    metric = require_metric()(iou_type=tuple(kinds), backend="pycocotools")
    with torch.inference_mode(), runtime.autocast():
        for index in range(len(data)):
            image, objects = data[index]
            (found,) = detector([as_tensor(image).to(runtime.device)])
            predicted = {name: found[name].cpu() for name in ("boxes", "scores", "labels")}
            truth = {
                "boxes": torch.from_numpy(objects.boxes),
                "labels": torch.from_numpy(objects.labels + 1),
                "iscrowd": torch.from_numpy(objects.ignored.astype("int64")),
            }
            if masks:
                assert objects.masks is not None
                predicted["masks"] = (found["masks"][:, 0] >= MASK_LEVEL).cpu()
                truth["masks"] = torch.from_numpy(objects.masks)
            metric.update([predicted], [truth])
            if advance:
                advance(EVALUATED, index + 1, len(data))
    values = metric.compute()
    prefixes = {kind: f"{kind}_" if masks else "" for kind in kinds}
    return {
        f"{MEASURES[kind]}_ap{ending}": 100 * float(values[f"{prefix}map{f'_{ending}' if ending else ''}"])
        for kind, prefix in prefixes.items()
        for ending in ("", "50", "75")
    }
