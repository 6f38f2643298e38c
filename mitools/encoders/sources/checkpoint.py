"""An encoder whose weights lie in a checkpoint."""

from dataclasses import replace
from pathlib import Path

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.checkpoints.load import load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, preprocess_origin


def open_checkpoint(spec: Spec) -> Encoder:
    """Open ``checkpoint:PATH?arch=...&weights=ema|online``.

    The network is one of :func:`mitools.encoders.architectures.build.build_architecture`, and the file is
    loaded by :func:`mitools.encoders.checkpoints.load.load_weights`. A normalisation that the file itself
    states comes before the architecture's.

    Raises
    ------
    InputError
        When `arch` is missing or unknown, or the file does not fill it entirely.
    """
    path = Path(spec.need_name("checkpoint:weights.pth?arch=cifar_resnet20"))
    spec.only("arch", "weights", *PREPROCESS_OPTIONS)
    if "arch" not in spec.options:
        raise InputError(f"spec {spec.text!r}: name the network of the weights, as ?arch=cifar_resnet20")
    arch = spec.options["arch"]
    architecture = build_architecture(arch)
    report = load_weights(architecture.module, path, spec.options.get("weights"))
    preprocess = architecture.preprocess
    origin = "timm's data config" if arch.startswith("timm:") else ASSUMED
    if found := report.normalisation:
        preprocess = replace(preprocess, mean=found.mean, std=found.std)
        origin = f"mean and std in the checkpoint's {found.where}"
    return Encoder(
        spec.text,
        Path(path.name.removesuffix(".tar")).stem,
        spec.source,
        digest_text(architecture.identity, report.weights_digest),
        architecture.module,
        preprocess.overridden(spec),
        report,
        preprocess_from=preprocess_origin(origin, spec),
    )
