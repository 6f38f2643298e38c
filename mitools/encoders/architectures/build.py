"""Networks by name: the architectures that a checkpoint's weights can be loaded into."""

import difflib
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_file
from mitools.core.names import nearest
from mitools.core.specs import parse_spec
from mitools.encoders.architectures import half_alexnet
from mitools.encoders.architectures.cifar_resnet import CIFAR_RESNET_DEPTHS, CifarResNet
from mitools.encoders.architectures.cifar_resnext import CifarResNeXt
from mitools.encoders.architectures.convnet import ConvNet
from mitools.encoders.architectures.half_alexnet import ViewConvNet
from mitools.encoders.architectures.small_resnet import small_resnet
from mitools.encoders.architectures.small_shufflenet import small_shufflenet
from mitools.encoders.architectures.strided_crops import CROP, STRIDE, StridedCrops
from mitools.encoders.architectures.wide_resnet import WideResNet
from mitools.encoders.architectures.width_resnet import WidthResNet
from mitools.encoders.downloads import hub_files
from mitools.encoders.inputs.preprocess import Preprocess, timm_preprocess

CROPS = "strided_crops"
"""What begins the name of a network on crops."""

RGB = 3
"""Channels of the images that networks are made for unless another number is asked for."""


@dataclass(frozen=True)
class Architecture:
    """A network without its classifier, and the preprocessing that belongs to it.

    Attributes
    ----------
    identity
        What tells it from other networks with the same weights; part of the encoder's digest.
    module
        Maps (B, channels, H, W) to (B, d).
    preprocess
        How images become its input unless the spec says otherwise.
    """

    identity: str
    module: nn.Module
    preprocess: Preprocess


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "convnet": ConvNet,
    "convnet_half": partial(ConvNet, 16),
    **{f"cifar_resnet{depth}": partial(CifarResNet, depth) for depth in CIFAR_RESNET_DEPTHS},
    **{f"{name}_small": partial(small_resnet, name) for name in ("resnet18", "resnet50")},
    "wrn28_4": partial(WideResNet, 28, 4),
    "shufflenetv2_small": small_shufflenet,
    "resnext32_16x4d": partial(CifarResNeXt, blocks=5, groups=16, base=4, stem=32),
    "alexnet_half": partial(ViewConvNet, half_alexnet.IMAGENET),
    "alexnet_half_stl10": partial(ViewConvNet, half_alexnet.STL10),
    "nyu_conv5": partial(ViewConvNet, half_alexnet.NYU),
    "caffenet": partial(ViewConvNet, half_alexnet.CAFFENET),
    **{f"resnet50_x{width:g}": partial(WidthResNet, width) for width in (0.5, 1.0, 2.0)},
}


def build_architecture(text: str, seed: int = 0, channels: int = 3) -> Architecture:
    """Build a network by name, with untrained weights.

    Parameters
    ----------
    text
        ``convnet``, ``convnet_half`` (half its channels), ``cifar_resnet20`` (8, 32, 44, 56, 110),
        ``resnet18_small`` (50; with a stem for small images), ``wrn28_4``, ``shufflenetv2_small``,
        ``resnext32_16x4d``; for views of an image
        ``alexnet_half`` (224 x 224), ``alexnet_half_stl10`` (64 x 64), ``nyu_conv5`` (128 x 128),
        ``caffenet`` (224 x 224) and ``resnet50_x0.5`` (1, 2); ``strided_crops:NAME?size=16&stride=8``, a
        network by name on overlapping crops, one by one; ``timm:NAME``, or
        ``python:MODULE:FACTORY``: a function that returns the network, called without arguments for images
        of 3 channels and with ``channels=c`` for others. The last runs the user's own code, found as Python
        finds it or in the current folder.
    seed
        Of the untrained weights.
    channels
        Of an image.

    Raises
    ------
    InputError
        When the name is unknown, the network is not made for such images, or the code fails.
    """
    source, _, name = text.partition(":")
    if source == "timm" and name:
        return timm_architecture(name, seed=seed, channels=channels)
    if source == "python" and name:
        return _python_architecture(name, seed, channels)
    if source == CROPS:
        return _on_crops(text, seed, channels)
    if text in NETWORKS:
        with seeded(seed):
            return Architecture(text, NETWORKS[text](**_of_channels(channels)), Preprocess())
    import timm

    known = [*NETWORKS, f"{CROPS}:NAME", "timm:NAME", "python:MODULE:FACTORY"]
    own = [name for name in NETWORKS if name.endswith(f"_{text}")]
    close = own[:1] or difflib.get_close_matches(text, NETWORKS, 1)
    meant = f"timm:{text}" if timm.is_model(text) else "".join(close)
    hint = f"did you mean {meant}? " if meant else ""
    raise InputError(f"unknown arch {text!r}; {hint}accepted: {nearest(text, known, len(known))}")


def _on_crops(text: str, seed: int, channels: int) -> Architecture:
    spec = parse_spec(text, [CROPS])
    spec.only("size", "stride")
    inner = build_architecture(spec.need_name(f"{CROPS}:convnet_half"), seed, channels)
    size, stride = spec.integer("size", CROP, at_least=1), spec.integer("stride", STRIDE, at_least=1)
    identity = f"{CROPS}:{inner.identity}?size={size}&stride={stride}"
    return Architecture(identity, StridedCrops(inner.module, size, stride), inner.preprocess)


def _of_channels(channels: int) -> dict[str, int]:
    return {} if channels == RGB else {"channels": channels}


def timm_architecture(name: str, pretrained: bool = False, seed: int = 0, channels: int = 3) -> Architecture:
    """Build a network of timm without its classifier; timm's data config gives the preprocessing.

    Parameters
    ----------
    name
        As timm names it; ``resnet18.a1_in1k`` has a tag for its pretrained weights behind the dot.
    pretrained
        Download the weights (timm keeps them).
    seed
        Of the untrained weights.
    channels
        Of an image; without pretrained weights alone.

    Raises
    ------
    InputError
        When timm has no such model, it cannot be built, or the weights cannot be fetched.
    """
    import timm
    from timm.data.config import resolve_model_data_config

    if not timm.is_model(name):
        near = nearest(name.partition(".")[0], timm.list_models())
        raise InputError(f"timm has no model {name!r}; nearest: {near}")
    try:
        with seeded(seed):
            if pretrained:
                # With its classifier: timm loads strictly only while the number of classes is the file's.
                with hub_files():
                    module: Any = timm.create_model(name, pretrained=True)
                module.reset_classifier(0)
            else:
                module = timm.create_model(name, num_classes=0, in_chans=channels)
    except Exception as error:  # timm lets through whatever the hub, the disk or the model raises
        remedy = "check the network, or take pretrained=no" if pretrained else "choose another model"
        raise InputError(f"timm model {name!r} cannot be had ({_one_line(error)}); {remedy}") from None
    config = resolve_model_data_config(module)
    return Architecture(f"timm:{name.partition('.')[0]}", module, timm_preprocess(config, name))


def _python_architecture(name: str, seed: int, channels: int) -> Architecture:
    module_name, _, factory_name = name.partition(":")
    if not factory_name:
        raise InputError(f"arch 'python:{name}' names no factory; write python:module:factory")
    try:
        with _current_folder_importable():
            source = importlib.import_module(module_name)
        with seeded(seed):
            network = getattr(source, factory_name)(**_of_channels(channels))
    except (Exception, SystemExit) as error:  # the user's own code may raise anything
        raise InputError(f"arch 'python:{name}' cannot be built ({_one_line(error)})") from None
    if not isinstance(network, nn.Module):
        raise InputError(f"arch 'python:{name}' returns {type(network).__name__}, not a torch.nn.Module")
    # The same weights mean another encoder once the code around them has changed.
    code = digest_file(Path(source.__file__)) if source.__file__ else ""
    return Architecture(f"python:{name}:{code}", network, Preprocess())


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:300] if words else type(error).__name__
