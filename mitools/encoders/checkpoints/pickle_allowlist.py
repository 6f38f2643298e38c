"""Which classes beside tensors a checkpoint may mention, and the empty ones that stand in for them."""

import argparse
from collections import OrderedDict
from typing import Any


class Inert:
    """Takes whatever a pickle hands it and keeps nothing."""

    def __init__(self, *arguments: Any) -> None:
        """Drop the arguments."""

    def __setstate__(self, state: Any) -> None:
        """Drop the state."""


class InertMapping:
    """Makes an ordinary dictionary in the place of a project's own kind."""

    def __new__(cls, *arguments: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        """Drop the arguments: the items follow in the pickle."""
        return OrderedDict()


# Dictionaries of settings: their items are read, since a normalisation may stand among them.
_MAPPINGS = (
    "collections.defaultdict",
    "easydict.EasyDict",
    "fvcore.common.config.CfgNode",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "vissl.config.attr_dict.AttrDict",
    "yacs.config.CfgNode",
)
# Paths, numbers, settings and the classes by which trainers name their callbacks: nothing of them is read.
_OTHERS = (
    *(f"builtins.{name}" for name in ("bool", "bytes", "dict", "float", "int", "list", "str", "tuple")),
    *(
        f"pathlib.{name}"
        for name in ("Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath")
    ),
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "typing.Any",
    *(f"numpy.{part}.multiarray.{name}" for part in ("core", "_core") for name in ("scalar", "_reconstruct")),
    "numpy.dtype",
    "numpy.ndarray",
    *(
        f"{package}.callbacks.{name}"
        for package in ("pytorch_lightning", "lightning.pytorch")
        for name in ("early_stopping.EarlyStopping", "model_checkpoint.ModelCheckpoint")
    ),
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    *(
        f"omegaconf.nodes.{kind}Node"
        for kind in ("Any", "Boolean", "Bytes", "Enum", "Float", "Integer", "Path", "String")
    ),
)


def _standing_in(full_name: str, base: type) -> type:
    module, _, name = full_name.rpartition(".")
    return type(name, (base,), {"__module__": module})


HARMLESS: dict[str, type] = {
    "argparse.Namespace": argparse.Namespace,
    **{name: _standing_in(name, InertMapping) for name in _MAPPINGS},
    **{name: _standing_in(name, Inert) for name in _OTHERS},
}
"""By full name: argparse's plain record of options is itself, everything else an empty stand-in."""
