"""What contrastive temporal coding holds a network against, in each of its two stages."""

from collections.abc import Iterable, Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.training.memory.memory_bank import MemoryBank
from mitools.training.methods.base import Embedded, Kept
from mitools.training.recipes import CTCRecipe


class InformationBank:
    """A memory bank of the training samples, and in stage two the frozen network that fills it.

    Stage one (Cui et al. 2022, Eq. 3): rows follow the network itself, by momentum. Stage two (Eq. 4): a
    row is what the network that ended stage one makes of the sample's last view; the positive key is what
    it makes of this very view (Algorithm 1). Either stage begins with a row of every sample, of one view.

    Parameters
    ----------
    recipe
        Momentum and negatives.
    samples, width
        Of the training data, and of the encoder's output.
    seed
        Of the negatives drawn.
    device
        Where the bank stays.

    Raises
    ------
    InputError
        When more negatives are asked for than there are other samples.
    """

    def __init__(
        self, recipe: CTCRecipe, samples: int, width: int, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        if recipe.negatives is not None and recipe.negatives >= samples:
            raise InputError(
                f"ctc.negatives {recipe.negatives} must be fewer than the data's {samples} samples; leave it"
                " out for all others"
            )
        self.recipe = recipe
        self.seed = seed
        self.memory = MemoryBank(samples, width, device)
        self.frozen: nn.Module | None = None
        self._seen: tuple[Tensor, Tensor] | None = None

    def freeze(self, encoder: nn.Module, weights: Mapping[str, Tensor] | None = None) -> None:
        """Take a copy of an encoder that no step changes, or one with these weights: stage two has begun."""
        self.frozen = deepcopy(encoder).eval().requires_grad_(False)
        if weights is not None:
            self.frozen.load_state_dict(weights)

    @torch.no_grad()
    def fill(self, encoder: nn.Module, views: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Replace every row.

        Parameters
        ----------
        encoder
            Of the rows; it is left in evaluation mode.
        views
            Items (K,) and their pixels (K, 3, H, W), until every sample was there.
        """
        encoder.eval()
        for items, pixels in views:
            self.memory.update(items, encoder(pixels).float(), momentum=0.0)

    @torch.no_grad()
    def keys(self, pixels: Tensor) -> Tensor:
        """Encode views with the frozen network, shape (K, width); nothing (K, 0) in stage one."""
        return pixels.new_empty(len(pixels), 0) if self.frozen is None else self.frozen(pixels)

    def beside(self, batch: Embedded, items: Tensor, step: int) -> Embedded:
        """Lay beside a batch what it is told by.

        Parameters
        ----------
        batch
            Of one view, whose columns are logits, the network's own representations, and the :meth:`keys`
            of the same images: what remains are the logits.
        items
            Shape (K,), int64: the batch's samples.
        step
            Of the run: with the seed it decides which negatives are drawn.
        """
        width = self.memory.rows.shape[1]
        parts = [-width] if self.frozen is None else [-2 * width, -width]
        logits, queries, *keys = batch.views[0].tensor_split(parts, dim=1)
        if keys:
            self.memory.update(items, keys[0], momentum=0.0)
        self._seen = (items, queries.detach())
        return batch._replace(views=logits[None], kept=self._kept(items, queries, step))

    def _kept(self, items: Tensor, queries: Tensor, step: int) -> Kept:
        rows = self.memory.rows
        if self.recipe.negatives is None:
            drawn, others = torch.arange(len(rows), device=rows.device), rows
        else:
            drawn = self.memory.draw(self.recipe.negatives, (self.seed, 6, step))
            others = rows[drawn]
        return Kept(queries, rows[items], others, items[:, None] == drawn)

    def follow(self) -> None:
        """Let the bank follow the network, once a step is done: the loss's gradient needs the old rows."""
        if self.frozen is None and self._seen is not None:
            self.memory.update(*self._seen, self.recipe.momentum)
        self._seen = None
