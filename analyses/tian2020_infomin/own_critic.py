"""What a run's own critic reads of two views on images that it was not trained on: I_NCE held out."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mitools.analyses.shared.evaluation import Evaluation
from mitools.core.estimate import Estimate
from mitools.encoders.sources.run import HEAD, run_spec
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.bounds.infonce import read_infonce
from mitools.training.loop.run_folder import RunFolder
from mitools.training.networks.heads import head_of
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view


@dataclass(frozen=True)
class _CosineCritic:
    """Cosines of projections, over the temperature of training."""

    temperature: float

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score unit rows (n, d) against (m, d): shape (n, m)."""
        return x @ y.T / self.temperature


def read_own_critic(folder: RunFolder, evaluation: Evaluation, image_size: int | None = None) -> Estimate:
    """Read InfoNCE of two draws of the augmentation that a `moco` run was trained with.

    The critic is the encoder and the head that training ended with: nothing is fitted, so that all images
    are held out, and each is one pair. A lower bound, at most the log of the images.

    Parameters
    ----------
    folder
        Of the run.
    evaluation
        On what images.
    image_size
        What images are brought to for the encoder; None for the size in training.

    Raises
    ------
    InputError
        When the run or the data cannot be read.
    """
    started, recipe = time.perf_counter(), folder.recipe()
    assert recipe.augmentation is not None
    views = ItemViews(make_view(recipe.augmentation), count=2, seed=evaluation.settings.seed)
    encoder = run_spec(folder.path, image_size=image_size)
    rows = torch.from_numpy(np.asarray(evaluation.features(encoder, views=views).values))
    head = _head(folder, rows.shape[-1])
    with torch.no_grad():
        x, y = (functional.normalize(head(rows[:, view].float()), dim=1) for view in (0, 1))
    critic = _CosineCritic(recipe.options["temperature"])
    permuted = np.random.default_rng([evaluation.settings.seed, 3]).permutation(len(y))
    return assemble_estimate(
        read_infonce(critic, x, y),
        method="infonce",
        kind="lower bound",
        null=read_infonce(critic, x, y[torch.from_numpy(permuted)]),
        ceiling=math.log(len(x)),
        n_report=len(x),
        seconds=time.perf_counter() - started,
        settings={"critic": "the run's own", "temperature": critic.temperature},
    )


def _head(folder: RunFolder, width: int) -> nn.Module:
    options = folder.recipe().options
    head = head_of(options["head"], options["head_width"])(width)
    head.load_state_dict(folder.weights(folder.epochs()[-1], HEAD))
    return head.eval()
