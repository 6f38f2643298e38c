"""One pass of an encoder over the data, kept on disk."""

from mitools.features.extract import Features, extract, extract_layers
from mitools.features.store import FeatureStore, default_root

__all__ = ["FeatureStore", "Features", "default_root", "extract", "extract_layers"]
