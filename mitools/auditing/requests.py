"""What may stand for an encoder in an audit: specs, networks, functions and rows, opened in their turn."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.specs import parse_spec
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.in_memory import (
    OwnPreprocess,
    encoder_of_function,
    encoder_of_module,
    encoder_of_rows,
)
from mitools.encoders.layers.taps import tap
from mitools.encoders.open import SOURCES, AnyEncoder, open_encoder
from mitools.encoders.sources.builtin_pca import PrincipalComponents
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.encoders.suggestions import suggested_encoder

ACCEPTED_ENCODERS = (
    "a spec such as 'timm:resnet50', a torch module, a function of a batch, or an array (n, d);"
    " or several, as a list or as a dict by name"
)
"""For messages."""


@dataclass(frozen=True)
class EncoderRequest:
    """An encoder that is still to be opened.

    Attributes
    ----------
    title
        What a failure of it is reported under: the spec, or the name given.
    source
        What comes before a spec's colon; empty for what lies in memory.
    open
        Opens it for the data that it is to read.
    is_named
        Whether `open` needs nothing but names, so that another process can open it too; an encoder that lies
        in memory is none such.
    """

    title: str
    source: str
    open: Callable[[LabelledData], AnyEncoder]
    is_named: bool = False

    @classmethod
    def of_spec(cls, spec: str, name: str | None = None) -> "EncoderRequest":
        """Ask for the encoder that a spec names.

        Raises
        ------
        InputError
            When the spec names no source.
        """
        source = parse_spec(spec, SOURCES, suggested_encoder).source
        return cls(name or spec, source, partial(_open_spec, spec, name), is_named=True)


@dataclass(frozen=True)
class LayerChoice:
    """Which layers of a network are read, where it has any, and how each becomes one row an item.

    Attributes
    ----------
    layers
        ``all``, names, or None for the output alone; as :func:`mitools.encoders.layers.taps.tap` takes them.
    pool
        As there.
    """

    layers: str | Sequence[str] | None = None
    pool: str = "auto"

    def of(self, encoder: AnyEncoder) -> AnyEncoder:
        """Read these layers; an encoder that names its own, or has none, stays as it is.

        Raises
        ------
        InputError
            When a layer named is not there.
        """
        if self.layers is None or not isinstance(encoder, Encoder) or encoder.layers != ("output",):
            return encoder
        wanted: Any = (
            self.layers if self.layers == "all" or not isinstance(self.layers, str) else [self.layers]
        )
        if encoder.source == "function" or (wanted == "all" and not _has_layers(encoder)):
            return encoder
        return tap(encoder, wanted, self.pool)


def as_requests(
    encoders: Any, preprocess: OwnPreprocess = None, layers: LayerChoice | None = None
) -> list[EncoderRequest]:
    """Take whatever stands for encoders as requests, in the order given.

    Parameters
    ----------
    encoders
        One of :data:`ACCEPTED_ENCODERS`.
    preprocess
        Of networks and functions in memory; see :func:`mitools.encoders.in_memory.encoder_of_module`.
    layers
        Which layers are read.

    Raises
    ------
    InputError
        When there is none, one is of another kind, or a spec names no source.
    """
    requests = [
        _request(encoder, name, preprocess, layers or LayerChoice()) for name, encoder in _named(encoders)
    ]
    if not requests:
        raise InputError(f"no encoder is given; give {ACCEPTED_ENCODERS}")
    return requests


def _named(encoders: Any) -> Iterable[tuple[str | None, Any]]:
    if isinstance(encoders, Mapping):
        for name in encoders:
            if not isinstance(name, str) or not name:
                raise InputError(f"{name!r} names an encoder; names are texts")
        return list(encoders.items())
    if isinstance(encoders, list | tuple):
        return [(None, encoder) for encoder in encoders]
    return [(None, encoders)]


def _request(
    encoder: Any, name: str | None, preprocess: OwnPreprocess, layers: LayerChoice
) -> EncoderRequest:
    if isinstance(encoder, str):
        asked = EncoderRequest.of_spec(encoder, name)
        return replace(asked, open=partial(_with_layers, asked.open, layers))
    if isinstance(encoder, Encoder | PrecomputedFeatures | PrincipalComponents):
        opened = replace(encoder, name=name or encoder.name)
        return EncoderRequest(opened.name, opened.source, lambda data: layers.of(opened))
    if isinstance(encoder, type):
        raise InputError(f"{encoder.__name__} is a class; give an instance of it, with its weights")
    if isinstance(encoder, nn.Module):
        title = name or type(encoder).__name__
        return _in_memory(title, lambda: layers.of(encoder_of_module(encoder, title, preprocess)))
    if isinstance(getattr(encoder, "spec", None), str):  # a run, as mitools.train returns it
        return _request(encoder.spec, name, preprocess, layers)
    if _is_table(encoder):
        title = name or "features"
        return EncoderRequest(title, "", lambda data: encoder_of_rows(encoder, title, data))
    if callable(encoder):
        title = name or str(getattr(encoder, "__name__", type(encoder).__name__))
        return _in_memory(title, lambda: layers.of(encoder_of_function(encoder, title, preprocess)))
    what = f"encoder {name!r}" if name else "an encoder"
    raise InputError(f"{what} is a {type(encoder).__name__}; give {ACCEPTED_ENCODERS}")


def _in_memory(title: str, open_it: Callable[[], AnyEncoder]) -> EncoderRequest:
    return EncoderRequest(title, "", lambda data: open_it())


def _is_table(encoder: Any) -> bool:
    if isinstance(encoder, Tensor) or hasattr(encoder, "__array__"):
        return True
    return "pandas" in sys.modules and isinstance(encoder, sys.modules["pandas"].DataFrame)


def _open_spec(spec: str, name: str | None, data: LabelledData) -> AnyEncoder:
    encoder = open_encoder(spec)
    return encoder if name is None else replace(encoder, name=name)


def _with_layers(
    open_it: Callable[[LabelledData], AnyEncoder], layers: LayerChoice, data: LabelledData
) -> Any:
    return layers.of(open_it(data))


def _has_layers(encoder: Encoder) -> bool:
    return encoder.source not in SOURCES or SOURCES[encoder.source].has_layers
