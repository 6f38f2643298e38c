"""What the items have beside their images, as one tensor a modality."""

import numpy as np
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.encoders.inputs.modalities import require_modality, resized
from mitools.training.loop.images_in_memory import LARGEST_BYTES
from mitools.training.training_data import Modality


def load_modality(
    data: LabelledData, name: str, size: int | None, advance: Advance | None = None
) -> Modality:
    """Read one modality of every item once.

    Parameters
    ----------
    data
        Labelled images of which more is known.
    name
        Of the modality, as ``depth``.
    size
        Brought to this size, as :func:`mitools.encoders.inputs.modalities.resized` does; None for its own,
        which must be one.
    advance
        Called with how many are read.

    Raises
    ------
    InputError
        When the data have no such modality, no item has it, items differ in size, or it would fill more than
        16 GiB.
    """
    known = require_modality(data, name)
    values: Tensor | None = None
    present = torch.zeros(len(data), dtype=torch.bool)
    for index in range(len(data)):
        found = known.modality(index, name)
        if found is None:
            continue
        one = torch.from_numpy(np.ascontiguousarray(found))
        one = one if size is None else resized(one, size)
        if values is None:
            if len(data) * one.numel() * one.element_size() > LARGEST_BYTES:
                raise InputError(
                    f"{data.name}: {name} of {len(data):,} items fills more than {LARGEST_BYTES >> 30} GiB;"
                    " give an image_size or a limit="
                )
            values = torch.zeros(len(data), *one.shape, dtype=one.dtype)
        if one.shape != values.shape[1:]:
            raise InputError(f"{name} of {data.name} differs in size; give the recipe an image_size")
        values[index], present[index] = one, True
        if advance and (index + 1) % 256 == 0:
            advance(f"reading {name} of {data.name}", index + 1, len(data))
    if values is None:
        raise InputError(f"no item of {data.name} has its {name}")
    return Modality(values, present)
