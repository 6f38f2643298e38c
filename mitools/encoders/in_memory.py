"""Encoders that the caller holds in memory: a network, a function of a batch, or rows already computed."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mitools.core.arrays import as_array
from mitools.core.errors import InputError, reason_of
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.arrays import as_features, digest_array
from mitools.datasets.base import LabelledData
from mitools.datasets.readers.features import FeatureRows
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.callers_transform import CallersTransform
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, Preprocess
from mitools.encoders.layers.taps import Taps
from mitools.encoders.sources.precomputed import PrecomputedFeatures

OwnPreprocess = Callable[[Any], Any] | Mapping[str, Any] | None
"""A function of a PIL image that gives a tensor; options as specs have them; or nothing said."""


def encoder_of_module(module: nn.Module, name: str, preprocess: OwnPreprocess = None) -> Encoder:
    """Take a network as an encoder; it stays the caller's, and every pass gives it back as it was.

    Parameters
    ----------
    module
        Maps a batch of what the data hold, images (B, 3, H, W), rows (B, k) or the caller's own tensors, to
        (B, d), on its own device.
    name
        For tables and figures.
    preprocess
        How PIL images become its input. Options as specs have them (``image_size``, ``resize``, ``crop``,
        ``interpolation``, ``mean``, ``std``); when None, images keep their size and are normalised by
        ImageNet's mean and std, as a ``checkpoint:`` is assumed to want it. Tensors are left as they are.

    Raises
    ------
    InputError
        When an option is unknown or not of its form, or the network has no weights yet (lazy layers, the
        ``meta`` device) or none that can be read.
    """
    digest = digest_text("module", _identity(module, name))
    return _borrowed(module, name, "module", digest, preprocess)


def encoder_of_function(
    function: Callable[[Any], Any], name: str, preprocess: OwnPreprocess = None
) -> Encoder:
    """Take a function of a batch as an encoder; a method of a network is the network with that method.

    Parameters
    ----------
    function
        Maps a batch on the CPU, as for :func:`encoder_of_module`, to (B, d): a tensor on any device, or an
        array. What it calls is its own affair: a network in it must be in evaluation mode. Nothing tells two
        functions from each other for certain, so what is measured of one is never reused by a later call.
    name, preprocess
        As for :func:`encoder_of_module`.
    """
    owner = getattr(function, "__self__", None)
    title = getattr(function, "__qualname__", type(function).__name__)
    if isinstance(owner, nn.Module):
        digest = digest_text("method", title, _identity(owner, name))
        return _borrowed(_Method(owner, function), name, "module", digest, preprocess)
    return _borrowed(_Function(function), name, "function", digest_text("function", title), preprocess)


def encoder_of_rows(rows: Any, name: str, data: LabelledData) -> PrecomputedFeatures:
    """Take rows computed elsewhere, one an item of the data and in its order, as an encoder.

    Parameters
    ----------
    rows
        Shape (n, d), in anything that :func:`mitools.core.arrays.as_array` takes.
    name
        For tables and figures.
    data
        The n items that they are of.

    Raises
    ------
    InputError
        When they are no finite rows of numbers, or not as many as items.
    """
    array = as_array(rows, name)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} has shape {array.shape} of {array.dtype}; an encoder's rows are numbers (n, d)"
        )
    features, centring = as_features(array, name)
    digest = digest_text("rows", digest_array(features))
    found = FeatureRows(name, data.classes, features, data.labels, digest, centring)
    if len(features) == len(data):
        return PrecomputedFeatures(name, name, "array", digest, found)
    raise InputError(
        f"{name} has {len(features)} rows for the {len(data)} items of {data.name}; extract the features from"
        " the same items"
    )


def give_back(encoder: object) -> None:
    """Take off the hooks that reading the layers of the caller's network has laid on it."""
    if isinstance(encoder, Encoder) and encoder.borrowed and isinstance(encoder.module, Taps):
        encoder.module.close()


def _borrowed(module: nn.Module, name: str, source: str, digest: str, preprocess: OwnPreprocess) -> Encoder:
    prepared, origin = _preparation(preprocess)
    return Encoder(
        name, name, source, digest, module, prepared, reads_rows=True, preprocess_from=origin, borrowed=True
    )


def _identity(module: nn.Module, name: str) -> str:
    """Digest a network's architecture and weights, which must be there."""
    for title, tensor in chain(module.named_parameters(), module.named_buffers()):
        if is_lazy(tensor):
            raise InputError(
                f"encoder {name}: {title} has no shape, as in LazyLinear; call the network on a batch first"
            )
        if tensor.is_meta:
            raise InputError(
                f"encoder {name}: {title} lies on the meta device and holds no numbers; load weights first"
            )
    try:
        return digest_text(str(module), digest_weights(module))
    except Exception as error:  # quantised, sparse or sharded weights; a state_dict of its own
        raise InputError(
            f"encoder {name}: its weights cannot be read ({reason_of(error)}); give a function of a batch"
            " that calls it"
        ) from error


def _preparation(preprocess: OwnPreprocess) -> tuple[Preprocess | CallersTransform, str]:
    if preprocess is None:
        return Preprocess(), ASSUMED
    if callable(preprocess):
        return CallersTransform(preprocess), "the caller's function"
    if not isinstance(preprocess, Mapping):
        raise InputError(
            f"preprocess is a {type(preprocess).__name__}; give a function of a PIL image, or options such as"
            " {'image_size': 224, 'mean': (0.5, 0.5, 0.5)}"
        )
    texts = {str(key): _as_option(value) for key, value in preprocess.items()}
    spec = Spec("preprocess", "preprocess", "", texts)
    spec.only(*PREPROCESS_OPTIONS)
    return Preprocess().overridden(spec), f"{ASSUMED}; {', '.join(texts)} as the caller says"


def _as_option(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class _Method(nn.Module):
    """A network of which another method than ``forward`` is called."""

    def __init__(self, owner: nn.Module, method: Callable[[Any], Any]) -> None:
        super().__init__()
        self.owner = owner
        self.method = method.__name__

    def forward(self, batch: Any) -> Any:
        return getattr(self.owner, self.method)(batch)


class _Function(nn.Module):
    """Any function as a network without weights."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, batch: Any) -> Any:
        found = self.function(batch)
        return found if isinstance(found, Tensor) else torch.as_tensor(np.asarray(found))
