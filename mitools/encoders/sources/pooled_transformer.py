"""A transformer's many vectors as one row an item."""

from typing import Any

import torch
from torch import Tensor, nn

POOLS = ("mean", "cls", "pooler")


class PooledTransformer(nn.Module):
    """A network of transformers that gives one row an item.

    Parameters
    ----------
    network
        Maps ``pixel_values``, or tokens by name, to ``last_hidden_state`` (B, T, d) or (B, d, h, w).
    pool
        ``mean``: over the tokens of a text that are no padding, over the patches of an image (without its
        class and register tokens), or over positions; ``cls``: the first token; ``pooler``: the network's
        own ``pooler_output``, with the layers it puts behind.
    """

    def __init__(self, network: nn.Module, pool: str) -> None:
        super().__init__()
        self.network = network
        self.pool = pool

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """Map images (B, 3, H, W), or tokens by name, to (B, d)."""
        outputs = self.network(**inputs) if isinstance(inputs, dict) else self.network(pixel_values=inputs)
        if self.pool == "pooler":
            return self._wanted(outputs, "pooler_output").flatten(1)
        hidden = self._wanted(outputs, "last_hidden_state")
        if isinstance(inputs, dict):
            return hidden[:, 0] if self.pool == "cls" else _mean(hidden, inputs["attention_mask"])
        return self._image_row(hidden, inputs)

    def _image_row(self, hidden: Tensor, pixels: Tensor) -> Tensor:
        special = 0 if hidden.ndim == 4 else self._special_tokens(hidden, pixels)
        if self.pool == "cls":
            if not special:
                raise ValueError("it has no class token; take pool=mean")
            return hidden[:, 0]
        return hidden.mean(dim=(2, 3)) if hidden.ndim == 4 else hidden[:, special:].mean(dim=1)

    def _special_tokens(self, hidden: Tensor, pixels: Tensor) -> int:
        """Count the tokens before the patches: the class token and registers, if there are any."""
        patch: Any = getattr(self.network.config, "patch_size", None)
        if not isinstance(patch, int):
            return 0
        patches = (pixels.shape[2] // patch) * (pixels.shape[3] // patch)
        return max(0, hidden.shape[1] - patches)

    def _wanted(self, outputs: Any, name: str) -> Tensor:
        found = getattr(outputs, name, None)
        if not isinstance(found, Tensor):
            raise ValueError(f"it has no {name}; take another pool=")
        return found


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask.to(hidden.dtype)[:, :, None]
    return (hidden * weights).sum(dim=1) / torch.clamp(weights.sum(dim=1), min=1)
