"""The small networks of information planes: trained side by side, their weights kept on a log grid."""

import json
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.sgd import SGD

from mitools.backends.seeding import derive_seed, seeded
from mitools.backends.streams import in_streams, stream_count
from mitools.core.files import digest_text, whole_file
from mitools.core.recipes import Recipe
from mitools.training.recipes import Count, Positive

Floats = NDArray[np.float64]
Activation = Literal["tanh", "relu"]


class NetworkRecipe(Recipe):
    """How the networks of one activation are trained.

    Attributes
    ----------
    widths
        Of the hidden layers; behind the last one a single logit.
    networks
        How many, which differ in their weights' seed alone.
    epochs
        Steps of gradient descent on the whole training part at once.
    learning_rate, momentum
        Of gradient descent.
    train_share
        Share of the patterns that is trained on; what is measured is over all of them.
    checkpoints
        Epochs kept beside the untrained network, as evenly on a logarithmic grid as whole numbers allow.
    seed
        Of weights and training part.
    """

    widths: tuple[Count, ...] = (10, 7, 5, 4, 3, 2)
    networks: Count = 5
    epochs: Count = 3000
    learning_rate: Positive = 0.03
    momentum: float = 0.9
    train_share: float = 0.8
    checkpoints: Count = 24
    seed: int = 0


def kept_epochs(recipe: NetworkRecipe) -> list[int]:
    """List the epochs that are kept, from 0 to the last."""
    grid = np.geomspace(1, recipe.epochs, recipe.checkpoints)
    return [0, *sorted({round(epoch) for epoch in grid})]


def train_networks(
    recipe: NetworkRecipe, activation: Activation, patterns: Floats, labels: NDArray[np.int64], folder: Path
) -> dict[str, Tensor]:
    """Train all networks of an activation, or read what an earlier start kept.

    Parameters
    ----------
    recipe
        See :class:`NetworkRecipe`.
    activation
        Of the hidden layers.
    patterns, labels
        Shapes (n, d) and (n,).
    folder
        Where the weights are kept: one file of safetensors, whole or absent.

    Returns
    -------
    dict of Tensor
        ``weight.K`` (checkpoints, networks, wide, narrow) and ``bias.K`` (checkpoints, networks, 1, narrow)
        of layer K, the logit's last.
    """
    from safetensors.torch import load_file, save_file

    request = json.dumps(recipe.model_dump(mode="json") | {"activation": activation}, sort_keys=True)
    data = digest_text(patterns.tobytes().hex(), labels.tobytes().hex())
    path = folder / f"{activation}-{digest_text(request, data)[:16]}.safetensors"
    if path.is_file():
        return load_file(path)
    rng = np.random.default_rng([recipe.seed, 1])
    train = rng.permutation(len(patterns))[: round(recipe.train_share * len(patterns))]
    x, y = torch.from_numpy(patterns[train]).float(), torch.from_numpy(labels[train]).float()
    # A core for each stack: cores that share operations this small wait for each other after each one.
    streams = stream_count(torch.device("cpu"))
    stacks = [list(range(recipe.networks))[k::streams] for k in range(min(streams, recipe.networks))]
    courses = in_streams(lambda stack: _train(recipe, activation, x, y, stack), stacks, streams)
    by_network = dict(zip(chain(*stacks), chain(*(_unstacked(course) for course in courses)), strict=True))
    kept = {
        name: torch.stack([by_network[network][name] for network in range(recipe.networks)], dim=1)
        for name in by_network[0]
    }
    with whole_file(path) as temporary:
        save_file(kept, temporary)
    return kept


def _train(
    recipe: NetworkRecipe, activation: Activation, x: Tensor, y: Tensor, networks: list[int]
) -> dict[str, Tensor]:
    """Train some networks as one stack: weights by name, checkpoints and networks along the first axes."""
    weights = _start(recipe, activation, x.shape[1], networks)
    x, y = x.expand(len(networks), -1, -1), y.expand(len(networks), -1)
    optimiser = SGD(weights.values(), recipe.learning_rate, recipe.momentum)
    kept: dict[str, list[Tensor]] = {name: [] for name in weights}
    wanted = set(kept_epochs(recipe))
    for epoch in range(recipe.epochs + 1):
        if epoch in wanted:
            for name, weight in weights.items():
                kept[name].append(weight.detach().clone())
        logit = _layers(x, weights, activation)[-1][..., 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logit, y, reduction="none").mean(dim=1)
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return {name: torch.stack(values) for name, values in kept.items()}


def _unstacked(course: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Cut a stack into its networks."""
    count = course["bias.0"].shape[1]
    return [{name: values[:, k] for name, values in course.items()} for k in range(count)]


def hidden_layers(
    weights: dict[str, Tensor], activation: Activation, patterns: Floats, network: int
) -> list[Floats]:
    """Give the hidden layers of one network over all patterns and checkpoints.

    In double precision, so that no two patterns fall into one bin by rounding alone.

    Returns
    -------
    list of Floats
        One a layer, shape (checkpoints, n, width).
    """
    own = {name: values[:, network].double() for name, values in weights.items()}
    x = torch.from_numpy(patterns).expand(len(own["bias.0"]), -1, -1)
    return [layer.numpy() for layer in _layers(x, own, activation)[:-1]]


def accuracy(
    weights: dict[str, Tensor], activation: Activation, patterns: Floats, labels: NDArray[np.int64]
) -> Floats:
    """Give the share of patterns that each network gets right at the last checkpoint, shape (networks,)."""
    last = {name: values[-1].double() for name, values in weights.items()}
    x = torch.from_numpy(patterns).expand(len(last["bias.0"]), -1, -1)
    logit = _layers(x, last, activation)[-1][..., 0].numpy()
    return ((logit > 0) == (labels == 1)).mean(axis=1)


def _start(
    recipe: NetworkRecipe, activation: Activation, inputs: int, networks: list[int]
) -> dict[str, Tensor]:
    """Draw weights of variance 1 / inputs (2 / inputs for ReLU), and biases of 0."""
    widths = (inputs, *recipe.widths, 1)
    weights = {}
    for k, (wide, narrow) in enumerate(pairwise(widths)):
        deviation = ((2.0 if activation == "relu" else 1.0) / wide) ** 0.5
        drawn = []
        for network in networks:
            with seeded(derive_seed(recipe.seed, 2, network, k)):
                drawn.append(torch.randn(wide, narrow) * deviation)
        weights[f"weight.{k}"] = torch.stack(drawn).requires_grad_()
        weights[f"bias.{k}"] = torch.zeros(len(networks), 1, narrow, requires_grad=True)
    return weights


def _layers(x: Tensor, weights: dict[str, Tensor], activation: Activation) -> list[Tensor]:
    """Give every layer's output, shapes (networks, n, width); the last is the logit."""
    count = len(weights) // 2
    squash = torch.tanh if activation == "tanh" else torch.relu
    found = []
    for k in range(count):
        x = torch.baddbmm(weights[f"bias.{k}"], x, weights[f"weight.{k}"])
        x = x if k == count - 1 else squash(x)
        found.append(x)
    return found
