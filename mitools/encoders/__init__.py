"""Frozen encoders from any source, named by one-line specs and loaded whole or not at all."""

from mitools.encoders.checkpoints import LoadReport, load_weights
from mitools.encoders.control import untrained_twin
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import AnyEncoder, open_encoder
from mitools.encoders.precomputed import PrecomputedFeatures
from mitools.encoders.preprocess import Preprocess
from mitools.encoders.principal import PrincipalComponents

__all__ = [
    "AnyEncoder",
    "Encoder",
    "LoadReport",
    "PrecomputedFeatures",
    "Preprocess",
    "PrincipalComponents",
    "load_weights",
    "open_encoder",
    "untrained_twin",
]
