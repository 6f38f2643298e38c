"""What was meant by a spec or an architecture that nothing is called."""

import os
from pathlib import Path

FILES = {
    ".npz": "features:{}",
    ".parquet": "features:{}",
    ".onnx": "onnx:{}",
    ".pt": "checkpoint:{}?arch=NAME",
    ".pth": "checkpoint:{}?arch=NAME",
    ".th": "checkpoint:{}?arch=NAME",
    ".safetensors": "checkpoint:{}?arch=NAME",
}
"""Which source reads a file, by its ending."""


def suggested_encoder(name: str) -> str:
    """Give the spec of an encoder that was named without its source; nothing where none is known.

    Parameters
    ----------
    name
        What the user wrote before the options: a network's name or a path.

    Examples
    --------
    >>> suggested_encoder("resnet50"), suggested_encoder("weights.pth"), suggested_encoder("foo:bar")
    ('timm:resnet50', 'checkpoint:weights.pth?arch=NAME', '')
    """
    if os.path.isfile(os.path.join(name, "recipe.yaml")):  # no error where no file could be called so
        return f"run:{name}"
    ending = Path(name).suffix
    return FILES[ending].format(name) if ending in FILES else suggested_network(name)


def suggested_network(name: str) -> str:
    """Give the network of timm or torchvision that is called so, or nothing."""
    import timm
    from torchvision import models

    if timm.is_model(name):
        return f"timm:{name}"
    return f"torchvision:{name}" if name in models.list_models(module=models) else ""
