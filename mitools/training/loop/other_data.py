"""Other data that a method asks for beside the run's own, at the size of these."""

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.training.loop.images_in_memory import ImagesInMemory, load_images, noise_like
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData


class OtherData:
    """Loads other data by their spec.

    Parameters
    ----------
    recipe
        Of the run.
    images
        The run's own.
    device
        Where the others are put.
    advance
        Told how many images are loaded.
    """

    def __init__(
        self, recipe: TrainingRecipe, images: ImagesInMemory, device: torch.device, advance: Advance
    ) -> None:
        self._recipe, self._images, self._device, self._advance = recipe, images, device, advance

    def pixels(self, spec: str) -> Tensor:
        """Load pixels, or make them: ``noise`` is independent uniform pixels, as many as the run's own.

        Raises
        ------
        InputError
            When the data cannot be read, or are of another size.
        """
        if spec == "noise":
            noise = noise_like(self._images, len(self._images), self._recipe.seed)
            return noise.pixels.to(self._device)
        return self._load(open_data(spec), f"negatives {spec!r}").pixels.to(self._device)

    def labelled(self, spec: str) -> TrainingData:
        """Load images with their labels; errors are those of :meth:`pixels`."""
        data = open_data(spec)
        found = self._load(data, f"labelled images {spec!r}")
        pixels, labels = found.pixels.to(self._device), found.labels.to(self._device)
        return TrainingData(pixels, labels, len(data.classes))

    def _load(self, data: LabelledData, what: str) -> ImagesInMemory:
        own = self._images.pixels.shape
        found = load_images(data, self._recipe.image_size or own[2], self._advance)
        if found.pixels.shape[1:] != own[1:]:
            raise InputError(f"{what} are of another size; give the recipe an image_size")
        return found
