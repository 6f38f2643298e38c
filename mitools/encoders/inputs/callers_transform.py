"""The caller's own function from a picture to what a network reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError, reason_of


@dataclass(frozen=True)
class CallersTransform:
    """A function of a PIL image that gives a tensor, such as a torchvision transform.

    Attributes
    ----------
    function
        Called once an image.
    key
        The ``repr`` of the function. Where it does not say what the function does, features are not reused
        (:func:`mitools.features.probe.probed_digests`).
    size
        Not known, as of images that keep their own.
    """

    function: Callable[[Image.Image], Any]
    size: int | None = None

    @property
    def key(self) -> str:
        """What stands for it in the key of features."""
        return f"the caller's own transform: {self.function!r}"

    @property
    def says_what_it_is(self) -> bool:
        """Whether its ``repr`` lists all that it does, as of torchvision's transforms without a lambda."""
        text = repr(self.function)
        return " at 0x" not in text and "lambda" not in text.lower() and not text.startswith("<")

    def evaluate(self, image: Image.Image) -> Tensor:
        """Prepare one RGB image.

        Raises
        ------
        InputError
            When the function fails, or returns no tensor and no array.
        """
        try:
            found = self.function(image)
        except InputError:
            raise
        except Exception as error:
            size = f"{image.width}x{image.height}"
            raise InputError(f"preprocess fails on an image of {size} ({reason_of(error)})") from error
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        if not isinstance(found, Tensor):
            raise InputError(
                f"preprocess returns a {type(found).__name__}; it must turn a PIL image into a tensor, as"
                " torchvision's ToTensor does"
            )
        return found.detach().cpu()
