"""Encoders that need no download: the rungs of a ladder that learned representations should climb."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from torch import nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import nearest
from mitools.core.specs import Spec
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.sources.builtin_pca import PrincipalComponents

PIXELS = Preprocess(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
RAW_PIXELS = "pixels from 0 to 1"


class _Builtin(NamedTuple):
    opener: Callable[[Spec], Encoder | PrincipalComponents]
    options: tuple[str, ...] = ()


def open_builtin(spec: Spec) -> Encoder | PrincipalComponents:
    """Open ``builtin:pixels``, ``builtin:pca?k=16`` or ``builtin:random_conv?width=64&seed=0``.

    Each takes ``image_size=N``; images keep their own size without it.

    Raises
    ------
    InputError
        When the name or an option is unknown.
    """
    name = spec.need_name("builtin:pixels")
    if name not in BUILTINS:
        raise InputError(f"spec {spec.text!r}: unknown name {name!r}; accepted: {nearest(name, BUILTINS)}")
    builtin = BUILTINS[name]
    spec.only(*builtin.options, "image_size")
    return builtin.opener(spec)


def _pixels(spec: Spec) -> Encoder:
    return Encoder(
        spec.text,
        "pixels",
        spec.source,
        digest_text("builtin:pixels"),
        nn.Flatten(),
        PIXELS.overridden(spec),
        reads_rows=True,
        preprocess_from=RAW_PIXELS,
    )


def _pca(spec: Spec) -> PrincipalComponents:
    k = spec.integer("k", 16, at_least=1)
    return PrincipalComponents(spec.text, f"pca{k}", spec.source, PIXELS.overridden(spec), k)


def _random_conv(spec: Spec) -> Encoder:
    width, seed = spec.integer("width", 64, at_least=1), spec.integer("seed", 0)
    with seeded(seed):
        module = random_conv(width)
    return Encoder(
        spec.text,
        f"random_conv{width}" + (f"-seed{seed}" if seed else ""),
        spec.source,
        digest_text("builtin:random_conv", digest_weights(module)),
        module,
        PIXELS.overridden(spec),
        preprocess_from=RAW_PIXELS,
    )


def random_conv(width: int) -> nn.Module:
    """Three 3x3 convolutions of He-normal random weights, ReLU between, pooled to `4 * width` features."""
    channels = (3, width, 2 * width, 4 * width)
    layers: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(pairwise(channels)):
        convolution = nn.Conv2d(inputs, outputs, 3, stride=1 if depth == 0 else 2, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


BUILTINS = {
    "pca": _Builtin(_pca, ("k",)),
    "pixels": _Builtin(_pixels),
    "random_conv": _Builtin(_random_conv, ("width", "seed")),
}
"""What opens each, and the options that it takes beside ``image_size``."""
