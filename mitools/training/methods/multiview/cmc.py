"""Contrastive multiview coding: an encoder a view, any number of views, InfoNCE between pairs of them."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from mitools.backends.seeding import derive_seed
from mitools.core.errors import InputError
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders
from mitools.training.memory.queue import keys_made
from mitools.training.methods.base import Batch, Loss, Method
from mitools.training.methods.multiview.negatives import Anchors, Contrast, make_negatives, mean_of
from mitools.training.methods.multiview.options import ENCODER_MOMENTUM, CMCOptions, require_jigsaw
from mitools.training.networks.build import build_network
from mitools.training.networks.heads import EncoderWithHead, JigsawHead, head_of
from mitools.training.networks.points import EncoderWithPoints
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.augmentation.jigsaw import JigsawOfView
from mitools.views.registry import make_view


class CMC(Method):
    """Contrast every two views, or one with all others (Tian et al. 2020).

    The loss is the sum over pairs of views of both directions (Eqs. 4, 7, 8). An item that lacks what a view
    is drawn from is left out of that view's pairs (Sec. 3.3). The recipe's ``augmentation`` is drawn once an
    item: all its views of the image show the same crop.

    The estimate is the mean over pairs and directions of InfoNCE's; the terms have it for each pair of views,
    ``nats[A,B]``, with its ceiling, ``ceiling_nats[A,B]``, and its share of the loss, ``loss[A,B]``.

    With ``jigsaw`` each encoder also reads nine crops of its view one by one, and a head of its own makes one
    anchor of them for the keys of the other whole views (Misra and van der Maaten 2020, PIRL); the loss is
    the mean of both branches, and the crops' terms are ``nats[jigsaw:A,B]`` and so on.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`mitools.training.methods.multiview.options.CMCOptions`.

    Attributes
    ----------
    networks
        Encoder and head, one a view.
    momentum_networks
        What makes the keys of a queue: the networks, followed by a moving average; None without a queue.
    jigsaw_heads
        What joins nine crops to one row, one a view; None without them.
    negatives
        Where negatives come from, with all that is remembered for them.

    Raises
    ------
    InputError
        When a view cannot be drawn of the data, its network does not read it, or more negatives are asked
        for than there are other items, or keys to fill a queue.
    """

    Options = CMCOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: CMCOptions) -> None:
        super().__init__(recipe, data)
        self.options = options
        self.views = [make_view(name) for name in options.views]
        if recipe.augmentation is not None:
            self.common_augmentation = make_view(recipe.augmentation)
        self.pairs = options.pairs()
        self.names = unique_names([view.name for view in self.views])
        self.shapes = [data.view_shape(view) for view in self.views]
        self.networks = self._networks_of_views()
        self.momentum_networks: nn.ModuleList | None = None
        if options.negatives == "queue":
            self.momentum_networks = deepcopy(self.networks).requires_grad_(False)
        points = [network.count for network in self._networks if isinstance(network, EncoderWithPoints)]
        made = keys_made(len(data), recipe.batch_size, recipe.epochs)
        self.negatives = make_negatives(options, len(data), made, recipe.seed, points)
        self._seen: list[tuple[int, Tensor, Tensor]] = []
        self.jigsaw_heads: nn.ModuleList | None = None
        if options.jigsaw is not None:
            crops = require_jigsaw(options.jigsaw)
            self.views = [*self.views, *(JigsawOfView(crops, view) for view in self.views)]
            self.jigsaw_heads = nn.ModuleList(
                JigsawHead(network.width, options.head_width, options.head) for network in self._networks
            )

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: CMCOptions) -> None:
        """Refuse views that cannot be contrasted, and names that are no view's."""
        options.require_consistent()

    def _networks_of_views(self) -> nn.ModuleList:
        """Build the network of every view; those of ``same_encoder`` have that of another."""
        names, owners = self.options.views, self.options.same_encoder
        own = {place: self._network(place) for place, name in enumerate(names) if name not in owners}
        for place, name in enumerate(names):
            if name not in owners:
                continue
            owner = names.index(owners[name])
            if self.shapes[place] != self.shapes[owner]:
                raise InputError(
                    f"view {name} is of {self.shapes[place]} and {owners[name]} of {self.shapes[owner]},"
                    " which one network cannot read; leave it out of options.same_encoder"
                )
            own[place] = own[owner]
        return nn.ModuleList(own[place] for place in range(len(names)))

    def _network(self, place: int) -> EncoderWithHead:
        options, shape = self.options, self.shapes[place]
        head = head_of(options.head, options.head_width)
        try:
            # The first view's network is the one that other methods have of this seed.
            seed = derive_seed(self.recipe.seed, 11, place) if place else self.recipe.seed
            network = build_network(self._encoder_name(place), shape, head, seed)
            layer = options.point_layers.get(options.views[place])
            return network if layer is None else EncoderWithPoints(network, layer, shape, options.head_width)
        except InputError as error:
            raise InputError(f"view {self.names[place]}, of {shape[0]} channels: {error}") from None

    @property
    def _networks(self) -> list[EncoderWithHead]:
        return [network for network in self.networks if isinstance(network, EncoderWithHead)]

    def _encoder_name(self, place: int) -> str:
        return self.options.encoders.get(self.options.views[place], self.recipe.encoder)

    def loss(self, batch: Batch) -> Loss:
        """Sum the pairs of views, both directions of each."""
        rows = [self._rows(batch, place) for place in range(len(self.networks))]
        self._seen = [(place, *self._to_remember(batch, place, found)) for place, found in enumerate(rows)]
        branches = {"": rows}
        if self.jigsaw_heads is not None:
            # The crops ask; whole views answer, and alone are remembered.
            branches["jigsaw:"] = [(self._crops(batch, place), keys) for place, (_, keys) in enumerate(rows)]
        found = {
            f"{branch}{self.names[i]},{self.names[j]}": self._pair(batch, of_branch, i, j)
            for branch, of_branch in branches.items()
            for i, j in self.pairs
        }
        terms: dict[str, Tensor] = {}
        for pair, contrast in found.items():
            terms[f"loss[{pair}]"] = 2 * contrast.value.detach() / len(branches)
            terms[f"nats[{pair}]"] = contrast.nats
            terms[f"ceiling_nats[{pair}]"] = contrast.ceiling_nats
        mean = mean_of(list(found.values()))
        ceiling = self.negatives.ceiling_nats(len(batch.items))
        return Loss(2 * len(self.pairs) * mean.value, mean.nats, ceiling, terms)

    def _crops(self, batch: Batch, place: int) -> Tensor:
        """Project the nine crops of one view of the batch: anchors, (K, head_width)."""
        assert self.jigsaw_heads is not None
        head, encoder = self.jigsaw_heads[place], self._networks[place].encoder
        assert isinstance(head, JigsawHead)
        crops = batch.views[len(self.networks) + place]
        (rows,) = batch.embed(lambda pixels: head.of_crops(encoder, pixels), [crops])
        return rows

    def _rows(self, batch: Batch, place: int) -> tuple[Tensor, Tensor]:
        """Project one view of the batch: queries, and keys, both (K, head_width); or keys of all points.

        Zeros where an item lacks the view, which then enters no statistics of the network.
        """
        network, momentum = self.networks[place], self.momentum_networks
        own = None if batch.present is None else batch.present[place][batch.share]

        def projected(pixels: Tensor) -> Tensor:
            if momentum is None:
                return network(pixels)
            with torch.no_grad():
                keys = momentum[place](pixels)
            return torch.cat([network(pixels), keys], dim=1)

        def projected_where_present(pixels: Tensor) -> Tensor:
            if own is None or bool(own.all()):
                return projected(pixels)
            # Where no item of a process has the view, the network still takes part, with a weight of 0.
            some = own.nonzero()[:, 0] if bool(own.any()) else torch.zeros_like(batch.items[:1])
            rows = projected(pixels[some])
            whole = rows.new_zeros(len(pixels), rows.shape[1])
            return whole.index_copy(0, some, rows)

        (rows,) = batch.embed(projected_where_present, [batch.views[place]])
        if self.options.point_layers:
            queries, points = rows.tensor_split([self.options.head_width], dim=1)
            return queries, points
        if momentum is None:
            return rows, rows
        queries, keys = rows.chunk(2, dim=1)
        return queries, keys.detach()

    def _pair(self, batch: Batch, rows: Sequence[tuple[Tensor, Tensor]], i: int, j: int) -> Contrast:
        """Contrast two views in both directions: the mean of the two."""
        chosen: Tensor | slice = slice(None)
        if batch.present is not None:
            chosen = (batch.present[i] & batch.present[j]).nonzero()[:, 0]
        items = batch.items[chosen]
        if not len(items):
            nothing = sum((rows[place][0].sum() for place in (i, j)), start=rows[i][0].new_zeros(()))
            return Contrast(0 * nothing, *nothing.new_zeros(2))
        return mean_of(
            [
                self.negatives(Anchors(rows[of][0][chosen], rows[to][1][chosen], items, batch.step), of, to)
                for of, to in ((i, j), (j, i))
            ]
        )

    def _to_remember(self, batch: Batch, place: int, rows: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        items, keys = batch.items, rows[1].detach()
        if batch.present is None:
            return items, keys
        return items[batch.present[place]], keys[batch.present[place]]

    def after_step(self, batch: Batch) -> None:
        """Let banks, queues and momentum encoders follow, now that no gradient needs what they were."""
        for place, items, rows in self._seen:
            self.negatives.remember(place, items, rows)
        self._seen = []
        if self.momentum_networks is not None:
            momentum = ENCODER_MOMENTUM if self.options.momentum is None else self.options.momentum
            pairs = zip(self.momentum_networks.parameters(), self.networks.parameters(), strict=True)
            for moving, weight in pairs:
                moving.lerp_(weight, 1 - momentum)

    def encoder(self, view: str | None = None) -> ViewEncoders:
        """Give the encoders of all views side by side, or of one view."""
        parts = [
            ViewEncoder(view, self._encoder_name(place), self.shapes[place][0], network.encoder)
            for place, (view, network) in enumerate(zip(self.views, self._networks, strict=False))
        ]
        whole = ViewEncoders(parts)
        return whole if view is None else whole.of([view])

    def measured_networks(self, items: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
        """Give the encoders, each with the shape of its own view."""
        parts = self.encoder().parts
        return [(part.network, (items, *shape)) for part, shape in zip(parts, self.shapes, strict=True)]

    def head(self) -> nn.Module:
        """Give the heads, one a view."""
        return nn.ModuleList(network.head for network in self._networks)


def unique_names(names: Sequence[str]) -> list[str]:
    """Tell views of one name from each other by their places."""
    return [f"{name}({place})" if names.count(name) > 1 else name for place, name in enumerate(names)]
