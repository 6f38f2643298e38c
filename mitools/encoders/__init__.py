"""Frozen encoders from any source, named by one-line specs and loaded whole or not at all."""

from mitools.encoders.checkpoints.load import LoadReport, load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.open import AnyEncoder, open_encoder
from mitools.encoders.sources.builtin_pca import PrincipalComponents
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.encoders.untrained_twin import untrained_twin

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
