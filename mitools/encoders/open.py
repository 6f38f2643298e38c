"""One string opens an encoder: the table of sources."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from mitools.core.errors import InputError
from mitools.core.specs import Spec, opening, parse_spec
from mitools.encoders.encoder import Encoder
from mitools.encoders.layers.taps import tap
from mitools.encoders.sources.builtin import open_builtin
from mitools.encoders.sources.builtin_pca import PrincipalComponents
from mitools.encoders.sources.checkpoint import open_checkpoint
from mitools.encoders.sources.huggingface import open_huggingface
from mitools.encoders.sources.onnx import open_onnx
from mitools.encoders.sources.precomputed import PrecomputedFeatures, open_precomputed
from mitools.encoders.sources.python import open_python
from mitools.encoders.sources.run import open_run
from mitools.encoders.sources.timm import open_timm
from mitools.encoders.sources.torchhub import open_torchhub
from mitools.encoders.sources.torchscript import open_torchscript
from mitools.encoders.sources.torchvision import open_torchvision
from mitools.encoders.suggestions import suggested_encoder

AnyEncoder = Encoder | PrecomputedFeatures | PrincipalComponents
"""A network; rows computed elsewhere; or components still to be fitted on the training items."""


class Source(NamedTuple):
    """What opens a source's specs, and whether the layers inside its networks can be read."""

    opener: Callable[[Spec], AnyEncoder]
    has_layers: bool = True


SOURCES: dict[str, Source] = {
    "builtin": Source(open_builtin),
    "checkpoint": Source(open_checkpoint),
    "features": Source(open_precomputed, has_layers=False),
    "hf": Source(open_huggingface),
    "hf-hub": Source(open_timm),
    "onnx": Source(open_onnx, has_layers=False),
    "python": Source(open_python),
    "run": Source(open_run),
    "timm": Source(open_timm),
    "torchhub": Source(open_torchhub),
    "torchscript": Source(open_torchscript, has_layers=False),
    "torchvision": Source(open_torchvision),
}


def open_encoder(text: str) -> AnyEncoder:
    """Open the frozen encoder that a spec names.

    Parameters
    ----------
    text
        ``timm:NAME?pretrained=yes|no&seed=0`` (NAME may be ``hf-hub:ORG/NAME`` or ``local-dir:PATH``),
        ``torchvision:NAME``, ``checkpoint:PATH?arch=cifar_resnet20``, ``hf:ORG/NAME?pool=mean``,
        ``torchhub:ORG/REPO:ENTRY?trust=yes``, ``torchscript:PATH?trust=yes``, ``onnx:PATH``,
        ``python:MODULE:FACTORY``, ``run:DIR``, ``features:PATH``, or ``builtin:pixels``,
        ``builtin:pca?k=16``, ``builtin:random_conv``. What each takes stands with its opener.

        Networks take ``image_size=``, ``mean=``, ``std=`` and the other options of
        :data:`mitools.encoders.inputs.preprocess.PREPROCESS_OPTIONS`; and ``layer=NAME``,
        ``layers=NAME,NAME`` or ``layers=all`` with ``pool=auto|mean|cls|flatten|grid4`` for what they compute
        on the way (not from TorchScript and ONNX files, whose insides no hook reaches). ``name=`` gives
        any encoder the name that tables and figures show.

    Raises
    ------
    InputError
        When the spec cannot be read (the wrong part is named), or the encoder cannot be had whole.
    """
    spec = parse_spec(text, SOURCES, suggested_encoder)
    name = spec.options.get("name")
    unnamed = {key: value for key, value in spec.options.items() if key != "name"}
    with opening(text):
        encoder = _open(replace(spec, options=unnamed))
    return encoder if name is None else replace(encoder, name=name)


def _open(spec: Spec) -> AnyEncoder:
    source = SOURCES[spec.source]
    layers = _wanted_layers(spec)
    if layers is None:
        return source.opener(spec)
    if not source.has_layers:
        raise InputError(f"spec {spec.text!r}: {spec.source} gives its output alone; leave layer= out")
    outer = {key: value for key, value in spec.options.items() if key not in ("layer", "layers", "pool")}
    encoder = source.opener(replace(spec, options=outer))
    if not isinstance(encoder, Encoder):
        raise InputError(f"spec {spec.text!r}: {encoder.name} has no layers; leave layer= out")
    return tap(encoder, layers, spec.options.get("pool", "auto"))


def _wanted_layers(spec: Spec) -> Sequence[str] | Literal["all"] | None:
    if "layer" in spec.options and "layers" in spec.options:
        raise InputError(f"spec {spec.text!r}: layer= and layers= exclude each other; name all in layers=a,b")
    if "layer" in spec.options:
        return (spec.options["layer"],)
    wanted = spec.options.get("layers")
    return "all" if wanted == "all" else tuple(wanted.split(",")) if wanted else None
