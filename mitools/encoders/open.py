"""One string opens an encoder: the table of sources."""

from collections.abc import Callable
from pathlib import Path

from mitools.encoders.architectures.build import build_architecture, timm_architecture
from mitools.encoders.builtin import open_builtin
from mitools.encoders.checkpoints import digest_weights, load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.precomputed import PrecomputedFeatures, open_precomputed
from mitools.encoders.preprocess import PREPROCESS_OPTIONS
from mitools.encoders.principal import PrincipalComponents
from mitools.errors import InputError
from mitools.files import digest_text
from mitools.specs import Spec, parse_spec

AnyEncoder = Encoder | PrecomputedFeatures | PrincipalComponents
"""A network; rows computed elsewhere; or components still to be fitted on the training items."""


def open_encoder(text: str) -> AnyEncoder:
    """Open the frozen encoder that a spec names.

    Parameters
    ----------
    text
        ``timm:NAME?pretrained=yes|no&seed=0``, ``checkpoint:PATH?arch=cifar_resnet20``,
        ``features:PATH.npz``, or ``builtin:pixels``, ``builtin:pca?k=16``, ``builtin:random_conv``.
        The networks take ``image_size=``, and timm's and checkpoints ``mean=`` and ``std=``.

    Raises
    ------
    InputError
        When the spec cannot be read (the wrong part is named), or the encoder cannot be had whole.
    """
    spec = parse_spec(text, SOURCES)
    return SOURCES[spec.source](spec)


def open_timm(spec: Spec) -> Encoder:
    """Open ``timm:NAME``, with its pretrained weights or (``pretrained=no&seed=0``) untrained.

    Raises
    ------
    InputError
        As :func:`mitools.encoders.architectures.build.timm_architecture`.
    """
    name = spec.need_name("timm:resnet18.a1_in1k")
    spec.only("pretrained", "seed", *PREPROCESS_OPTIONS)
    choice = spec.options.get("pretrained", "yes")
    if choice not in ("yes", "no"):
        raise InputError(f"spec {spec.text!r}: pretrained={choice}; accepted: yes or no")
    pretrained, seed = choice == "yes", spec.integer("seed", 0)
    if pretrained and "seed" in spec.options:
        raise InputError(f"spec {spec.text!r}: seed= is for untrained weights; add pretrained=no")
    architecture = timm_architecture(name, pretrained, seed)
    untrained = "-untrained" + (f"-seed{seed}" if seed else "")
    return Encoder(
        spec.text,
        name if pretrained else name + untrained,
        spec.source,
        digest_text(architecture.identity, digest_weights(architecture.module)),
        architecture.module,
        architecture.preprocess.overridden(spec),
    )


def open_checkpoint(spec: Spec) -> Encoder:
    """Open ``checkpoint:PATH?arch=...``; see :func:`mitools.encoders.checkpoints.load_weights`.

    Raises
    ------
    InputError
        When `arch` is missing or unknown, or the file does not fill it entirely.
    """
    path = Path(spec.need_name("checkpoint:weights.pth?arch=cifar_resnet20"))
    spec.only("arch", *PREPROCESS_OPTIONS)
    if "arch" not in spec.options:
        raise InputError(f"spec {spec.text!r}: name the network of the weights, as ?arch=cifar_resnet20")
    architecture = build_architecture(spec.options["arch"])
    report = load_weights(architecture.module, path)
    return Encoder(
        spec.text,
        Path(path.name.removesuffix(".tar")).stem,
        spec.source,
        digest_text(architecture.identity, report.weights_digest),
        architecture.module,
        architecture.preprocess.overridden(spec),
        report,
    )


SOURCES: dict[str, Callable[[Spec], AnyEncoder]] = {
    "builtin": open_builtin,
    "checkpoint": open_checkpoint,
    "features": open_precomputed,
    "timm": open_timm,
}
