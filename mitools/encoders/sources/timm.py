"""Networks of timm: by name, from a Hugging Face repository or from a folder."""

from typing import Any

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import Architecture, timm_architecture
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.downloads import hub_files
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import PREPROCESS_OPTIONS, preprocess_origin, timm_preprocess
from mitools.encoders.spec_options import yes_or_no

_ELSEWHERE = ("hf-hub:", "local-dir:")


def open_timm(spec: Spec) -> Encoder:
    """Open ``timm:NAME``, with its pretrained weights or (``pretrained=no&seed=0``) untrained.

    NAME is a model of timm, ``hf-hub:ORG/NAME`` (also without ``timm:`` before it) or ``local-dir:PATH``: a
    folder with ``config.json`` and weights, as timm saves it.

    Raises
    ------
    InputError
        When there is no such model, it cannot be built, or its weights are missing or do not fill it.
    """
    name = spec.need_name("timm:resnet18.a1_in1k")
    if spec.source == "hf-hub":
        name = f"hf-hub:{name}"
    spec.only("pretrained", "seed", *PREPROCESS_OPTIONS)
    pretrained = yes_or_no(spec, "pretrained", True)
    seed = spec.integer("seed", 0)
    if pretrained and "seed" in spec.options:
        raise InputError(f"spec {spec.text!r}: seed= is for untrained weights; add pretrained=no")
    if name.startswith(_ELSEWHERE):
        architecture = _from_elsewhere(name, pretrained, seed)
    else:
        architecture = timm_architecture(name, pretrained, seed)
    untrained = "-untrained" + (f"-seed{seed}" if seed else "")
    short = name.rstrip("/").rpartition("/")[2] if name.startswith(_ELSEWHERE) else name
    return Encoder(
        spec.text,
        short if pretrained else short + untrained,
        "timm",
        digest_text(architecture.identity, digest_weights(architecture.module)),
        architecture.module,
        architecture.preprocess.overridden(spec),
        preprocess_from=preprocess_origin("timm's data config", spec),
    )


def _from_elsewhere(name: str, pretrained: bool, seed: int) -> Architecture:
    import timm
    from timm.data.config import resolve_model_data_config

    try:
        with seeded(seed), hub_files(name.removeprefix("local-dir:")):
            # With the classifier, since timm loads strictly only while the number of classes is the file's.
            module: Any = timm.create_model(name, pretrained=pretrained)
        module.reset_classifier(0)
    except Exception as error:  # timm lets through whatever the hub, the disk or the model raises
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"timm model {name!r} cannot be had ({type(error).__name__}: {reason}); "
            "check the name and the network, and that its weights fill it"
        ) from None
    identity = f"timm:{module.pretrained_cfg['architecture']}"
    return Architecture(identity, module, timm_preprocess(resolve_model_data_config(module), name))
