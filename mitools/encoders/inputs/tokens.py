"""From a text to what a language model reads."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """How texts become a batch: cut into tokens, the longest of them cut short, padded to one length.

    Attributes
    ----------
    tokenizer
        A tokenizer of transformers.
    max_length
        Tokens a text, special ones counted; what is beyond is cut off.
    key
        Tokenizer and length as one line; equal lines mean equal tokens.
    """

    tokenizer: Any
    max_length: int
    key: str

    def batch(self, texts: list[str]) -> dict[str, Tensor]:
        """Cut a batch of texts; returns ``input_ids``, ``attention_mask`` and the like, (B, length) each.

        Where ``attention_mask`` is 0 stands padding.
        """
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_length, return_tensors="pt"
        )
        return dict(tokens)
