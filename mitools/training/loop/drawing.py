"""The views of a step: the share of a process, whose random numbers are those of the whole batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mitools.backends.seeding import derive_seed
from mitools.training.methods.base import Method
from mitools.training.training_data import TrainingData
from mitools.views.base import View, draw_numbers


def draw_views(
    data: TrainingData, method: Method, shown: Sequence[Tensor], seed: int, step: int, share: slice
) -> list[Tensor]:
    """Draw all views of a step's items.

    Views that are drawn together (``patch?size=64&distance=128#0`` and ``#1``) have the same random numbers;
    so has every view's image where the method augments images before it draws views of them.

    Parameters
    ----------
    data
        What is drawn from.
    method
        Says which views.
    shown
        Shape (K,), int64 each: the items of the first view, of the second, ...; the last for all that follow.
    seed, step
        Of the run.
    share
        Which of the K items this process wants.

    Returns
    -------
    list of Tensor
        Shape (k, c, h, w) each, normalised.
    """
    images: list[Tensor | None] = [None] * len(shown)
    if method.common_augmentation is not None:
        images = [
            data.augmented(method.common_augmentation, rows, derive_seed(seed, 9, step, number), share)
            for number, rows in enumerate(shown)
        ]
    views: list[Tensor] = []
    for number, (view, drawn_with) in enumerate(zip(method.views, draw_numbers(method.views), strict=True)):
        of = min(number, len(shown) - 1)
        view_seed = derive_seed(seed, 3, step, drawn_with)
        views.append(data.draw(view, shown[of], view_seed, share, images=images[of]))
    return views


def present(data: TrainingData, views: Sequence[View], rows: Tensor) -> Tensor | None:
    """Tell which items every view can be drawn of, shape (V, K), bool; None where no item lacks anything."""
    found = [data.present(view, rows) for view in views]
    if all(one is None for one in found):
        return None
    whole = torch.ones(len(rows), dtype=torch.bool)
    return torch.stack([whole if one is None else one for one in found]).to(data.labels.device)
