"""L_class: NT-Xent of two images of a class."""

from typing import ClassVar

from mitools.training.methods.base import Pairing
from mitools.training.methods.simclr import SimCLR
from mitools.views.recipes import AugmentationRecipe


class ClassPairs(SimCLR):
    """NT-Xent of two images of a class, not augmented (Lee et al. 2023, L_class); bounds I_class <= H(C)."""

    pairing: ClassVar[Pairing] = "same_class"
    augmentation: ClassVar[AugmentationRecipe | None] = None
