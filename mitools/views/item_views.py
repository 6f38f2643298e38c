"""Two augmentations of one image as a positive pair: the recipe of SimCLR."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError

_LARGEST_WITHOUT_BLUR = 32
_LARGEST_STRENGTH = 2.5  # there the hue jitter, 0.2 * strength, spans the whole circle


@dataclass(frozen=True)
class SimCLRViews:
    """Random views of an image, as Chen et al. (2020) train SimCLR (appendix A).

    A crop of 8 to 100% of the area, resized (bicubic); a horizontal flip; colour jitter with probability
    0.8; grey with probability 0.2; Gaussian blur with probability 0.5, for images larger than 32 pixels
    alone (the paper leaves it out on CIFAR-10, appendix B.9).

    View v of item i depends on (`seed`, i, v) and nothing else: neither on workers nor on batches.

    Parameters
    ----------
    count
        Views an image.
    seed
        Of all draws.
    strength
        Of the colour jitter, in [0, 2.5]: 1 on ImageNet; the paper takes 0.5 on CIFAR-10.

    Raises
    ------
    InputError
        When a setting is out of its range.
    """

    count: int = 2
    seed: int = 0
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.count < 1 or self.seed < 0 or not 0 <= self.strength <= _LARGEST_STRENGTH:
            raise InputError(
                f"{self.key}: views must be at least 1, the seed at least 0 and the strength between 0 and "
                f"{_LARGEST_STRENGTH}"
            )

    @property
    def key(self) -> str:
        """Everything that the views depend on, as one line."""
        return f"simclr views={self.count} seed={self.seed} strength={float(self.strength)}"

    def draw(self, image: Image.Image, index: int, size: int | None = None) -> Tensor:
        """Draw the views of one image.

        Parameters
        ----------
        image
            In mode RGB.
        index
            The item's position in its data set.
        size
            Height and width of the views; None for the image's own.

        Returns
        -------
        Tensor
            uint8, shape (count, 3, height, width).
        """
        height, width = (image.height, image.width) if size is None else (size, size)
        transform = _recipe(height, width, self.strength)
        views = []
        for view in range(self.count):
            with seeded(derive_seed(self.seed, index, view)):
                views.append(transform(image))
        return torch.stack(views)


@lru_cache(maxsize=16)
def _recipe(height: int, width: int, strength: float) -> Callable[[Image.Image], Tensor]:
    from torchvision.transforms import v2

    jitter = v2.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    steps = [
        v2.RandomResizedCrop((height, width), scale=(0.08, 1.0), interpolation=v2.InterpolationMode.BICUBIC),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([jitter], p=0.8),
        v2.RandomGrayscale(p=0.2),
    ]
    if max(height, width) > _LARGEST_WITHOUT_BLUR:
        kernel = max(height, width) // 10 | 1  # a tenth of the image, odd
        steps.append(v2.RandomApply([v2.GaussianBlur(kernel, sigma=(0.1, 2.0))], p=0.5))
    return v2.Compose([*steps, v2.PILToTensor()])
