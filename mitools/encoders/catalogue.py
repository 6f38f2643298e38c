"""Every encoder spec that can be written down."""

from mitools.encoders.architectures.build import NETWORKS

OTHER_SPECS = (
    "builtin:pixels",
    "builtin:pca?k=16",
    "builtin:random_conv",
    "checkpoint:PATH?arch=timm:NAME",
    "checkpoint:PATH?arch=python:MODULE:FACTORY",
    *(f"checkpoint:PATH?arch={name}" for name in NETWORKS),
    "features:PATH",
    "hf:ORG/NAME",
    "hf-hub:ORG/NAME",
    "onnx:PATH",
    "python:MODULE:FACTORY",
    "run:FOLDER",
    "torchhub:ORG/REPO:ENTRY?trust=yes",
    "torchscript:PATH?trust=yes",
)
"""Specs of what is the user's own, or needs no list."""


def encoder_specs() -> list[str]:
    """List every pretrained network of timm and torchvision, and what specs of the other sources look like.

    Words in capitals stand for the user's own.
    """
    import timm
    from torchvision import models

    return [
        *OTHER_SPECS,
        *(f"timm:{name}" for name in timm.list_models(pretrained=True)),
        *(f"torchvision:{name}" for name in models.list_models(module=models)),
    ]
