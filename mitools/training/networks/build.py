"""The network of a run: the encoder that a recipe names, and its objective's head."""

import torch
from torch import nn

from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError
from mitools.encoders.architectures.build import build_architecture
from mitools.training.methods.registry import OBJECTIVES
from mitools.training.networks.heads import Headed, ProjectionHead, RepresentationAndClassifier
from mitools.training.recipes import TrainingRecipe


def build_network(recipe: TrainingRecipe, n_classes: int, shape: tuple[int, ...]) -> Headed:
    """Build the encoder and its head with the untrained weights of the recipe's seed.

    Parameters
    ----------
    recipe
        Names the encoder and the objective.
    n_classes
        Outputs of a classifier head.
    shape
        Of an image, (3, height, width).

    Raises
    ------
    InputError
        When the encoder is unknown or does not read such images.
    """
    with seeded(derive_seed(recipe.seed, 4)):
        encoder = build_architecture(recipe.encoder, seed=derive_seed(recipe.seed, 5) % 2**31).module
        try:
            with torch.no_grad():
                width = encoder.eval()(torch.zeros(1, *shape)).shape[1]
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"encoder {recipe.encoder} fails on images of {tuple(shape)} ({reason})"
            ) from None
        return Headed(encoder, _head(recipe, width, n_classes))


def _head(recipe: TrainingRecipe, width: int, n_classes: int) -> nn.Module:
    match OBJECTIVES[recipe.objective].head:
        case "classifier":
            return nn.Linear(width, n_classes)
        case "representation and classifier":
            return RepresentationAndClassifier(width, n_classes)
        case "projection":
            return ProjectionHead(width, recipe.head_width)
