"""The caller's own function from a picture to what a network reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError


@dataclass(frozen=True)
class CallersTransform:
    """A function of a PIL image that gives a tensor, such as a torchvision transform.

    Attributes
    ----------
    function
        Called once an image.
    key
        The same for all functions, of which nothing can be read: what tells two of them from each other is
        what a network makes of their tensors (:func:`mitools.features.probe.probed_digests`).
    size
        Not known, as of images that keep their own.
    """

    function: Callable[[Image.Image], Any]
    key: str = "the caller's own transform"
    size: int | None = None

    def evaluate(self, image: Image.Image) -> Tensor:
        """Prepare one RGB image.

        Raises
        ------
        InputError
            When the function returns no tensor and no array.
        """
        found = self.function(image)
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        if not isinstance(found, Tensor):
            raise InputError(
                f"preprocess returns a {type(found).__name__}; it must turn a PIL image into a tensor, as"
                " torchvision's ToTensor does"
            )
        return found.detach().cpu()
