"""Classification networks of torchvision, without their classifiers."""

from typing import Any

from torch import nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import nearest
from mitools.core.specs import Spec
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.downloads import downloading
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import (
    ASSUMED,
    PREPROCESS_OPTIONS,
    Preprocess,
    crop_fraction,
    preprocess_origin,
)
from mitools.encoders.spec_options import yes_or_no

_CLASSES = 1000


def open_torchvision(spec: Spec) -> Encoder:
    """Open ``torchvision:NAME?weights=IMAGENET1K_V1``, or untrained with ``pretrained=no&seed=0``.

    Without ``weights=`` the weights are those that torchvision calls its default.

    Raises
    ------
    InputError
        When torchvision has no such network or weights, or they cannot be fetched.
    """
    from torchvision import models

    name = spec.need_name("torchvision:resnet18")
    spec.only("pretrained", "weights", "seed", *PREPROCESS_OPTIONS)
    known = models.list_models(module=models)
    if name not in known:
        raise InputError(f"torchvision has no classifier {name!r}; nearest: {nearest(name, known)}")
    pretrained, seed = yes_or_no(spec, "pretrained", True), spec.integer("seed", 0)
    if pretrained and "seed" in spec.options:
        raise InputError(f"spec {spec.text!r}: seed= is for untrained weights; add pretrained=no")
    if not pretrained and "weights" in spec.options:
        raise InputError(f"spec {spec.text!r}: weights= and pretrained=no exclude each other")
    choices = models.get_model_weights(name)
    chosen = spec.options.get("weights", "DEFAULT")
    if chosen not in choices.__members__:
        raise InputError(
            f"spec {spec.text!r}: torchvision has no weights {chosen!r} of {name}; "
            f"accepted: {nearest(chosen, choices.__members__)}"
        )
    weights = choices[chosen]
    try:
        with seeded(seed), downloading():
            module = models.get_model(name, weights=weights if pretrained else None)
    except Exception as error:  # torchvision lets through whatever the network, the disk or the model raises
        reason = " ".join(str(error).split())[:300]
        remedy = "check the network, or take pretrained=no" if pretrained else "choose another network"
        raise InputError(
            f"torchvision network {name!r} cannot be had ({type(error).__name__}: {reason}); {remedy}"
        ) from None
    drop_classifier(module)
    preprocess = _preprocess(weights.transforms())
    untrained = "-untrained" + (f"-seed{seed}" if seed else "")
    suffix = "" if "weights" not in spec.options else f"-{weights.name.lower()}"
    return Encoder(
        spec.text,
        name + (suffix if pretrained else untrained),
        spec.source,
        digest_text(f"torchvision:{name}", digest_weights(module)),
        module,
        (preprocess or Preprocess()).overridden(spec),
        preprocess_from=preprocess_origin(
            f"torchvision's transforms of {weights.name}" if preprocess else ASSUMED, spec
        ),
    )


def drop_classifier(network: nn.Module) -> str:
    """Take out and name the layer of the class scores: the last one with as many outputs as classes."""
    last = [
        name
        for name, module in network.named_modules()
        if _CLASSES in (getattr(module, "out_features", 0), getattr(module, "out_channels", 0))
    ][-1]
    network.set_submodule(last, nn.Identity())
    return last


def _preprocess(transforms: Any) -> Preprocess | None:
    (crop,), (resize,) = transforms.crop_size, transforms.resize_size
    return Preprocess(
        size=crop,
        crop_fraction=crop_fraction(crop, resize),
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )
