"""An encoder whose weights lie in a checkpoint."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.checkpoints.load import LoadReport, digest_weights, load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, preprocess_origin
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders
from mitools.views.registry import make_view

CMC_ENCODERS = ("l_to_ab", "ab_to_l")
"""What the files of Tian et al. (2020) call the encoders of L and of ab."""


def open_checkpoint(spec: Spec) -> Encoder:
    """Open ``checkpoint:PATH?arch=...&weights=ema|online``.

    The network is one of :func:`mitools.encoders.architectures.build.build_architecture`, and the file is
    loaded by :func:`mitools.encoders.checkpoints.load.load_weights`. A normalisation that the file itself
    states comes before the architecture's. ``key=KEY`` and ``prefix=PREFIX`` name the place of the weights in
    a file of no known format where several would do.

    Of a file that holds an encoder a view, ``views=lab:l,lab:ab`` opens them side by side, each behind its
    own view: those of Contrastive Multiview Coding, or the ones that ``weights=encoder1,encoder2`` names.

    Raises
    ------
    InputError
        When `arch` is missing or unknown, or the file does not fill it entirely.
    """
    path = Path(spec.need_name("checkpoint:weights.pth?arch=cifar_resnet20"))
    if "arch" not in spec.options:
        raise InputError(f"spec {spec.text!r}: name the network of the weights, as ?arch=cifar_resnet20")
    arch = spec.options["arch"]
    if "views" in spec.options:
        return _open_views(spec, path, arch)
    spec.only("arch", "weights", "key", "prefix", *PREPROCESS_OPTIONS)
    architecture = build_architecture(arch)
    report = load_weights(
        architecture.module,
        path,
        spec.options.get("weights"),
        key=spec.options.get("key"),
        prefix=spec.options.get("prefix"),
    )
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


def _open_views(spec: Spec, path: Path, arch: str) -> Encoder:
    """Open a file's encoders of several views, in the order of the views."""
    spec.only("arch", "weights", "views", *(key for key in PREPROCESS_OPTIONS if key not in ("mean", "std")))
    views = [make_view(name) for name in spec.options["views"].split(",")]
    choices = spec.options["weights"].split(",") if "weights" in spec.options else list(CMC_ENCODERS)
    if len(choices) != len(views):
        raise InputError(
            f"spec {spec.text!r}: {len(views)} views and {len(choices)} encoders; name as many, as"
            f" views=lab:l,lab:ab&weights={','.join(CMC_ENCODERS)}"
        )
    parts, reports = [], []
    for view, weights in zip(views, choices, strict=True):
        architecture = build_architecture(arch, channels=view.channels)
        reports.append(load_weights(architecture.module, path, weights))
        parts.append(ViewEncoder(view, architecture.identity, view.channels, architecture.module))
    network = ViewEncoders(parts)
    images = replace(architecture.preprocess, mean=(0.0,) * 3, std=(1.0,) * 3).overridden(spec)
    modalities = network.modalities
    return Encoder(
        spec.text,
        Path(path.name.removesuffix(".tar")).stem,
        spec.source,
        digest_text(network.identity, digest_weights(network)),
        network,
        images if modalities == ("image",) else Modalities(modalities, images),
        _joined(reports),
        preprocess_from=preprocess_origin(
            "assumed: each view from [0, 1] to [-1, 1], RGB by ImageNet's", spec
        ),
    )


def _joined(reports: Sequence[LoadReport]) -> LoadReport:
    """Say of several encoders of one file what was loaded together."""
    first = reports[0]
    return replace(
        first,
        weights_choice=" and ".join(report.weights_choice or "" for report in reports),
        tensors_matched=sum(report.tensors_matched for report in reports),
        tensors_expected=sum(report.tensors_expected for report in reports),
        parameters_matched=sum(report.parameters_matched for report in reports),
        parameters_expected=sum(report.parameters_expected for report in reports),
    )
