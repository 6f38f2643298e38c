"""An encoder as a file of another library."""

import copy
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError, reason_of
from mitools.core.files import disk_errors, remove_leftovers, whole_file, writable_file
from mitools.core.names import check_name
from mitools.core.optional_packages import need
from mitools.core.specs import parse_spec
from mitools.encoders.encoder import Encoder
from mitools.encoders.export.detectron2_names import config_of, read_pickle, write_pickle
from mitools.encoders.export.graphs import run_onnx, run_torchscript, write_onnx, write_torchscript
from mitools.encoders.export.library_networks import RESNETS, find_network
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.layers.inspection import ASSUMED_SIZE
from mitools.encoders.layers.taps import Taps
from mitools.encoders.open import AnyEncoder
from mitools.encoders.sources.run import read_run_recipe, run_and_epoch

AGREEMENT = 1e-5
"""How far features of the file may lie from the encoder's, as a share of the largest of them where it is
above 1."""

_IMAGES = 3


@dataclass(frozen=True)
class Exported:
    """A file that another library reads.

    Attributes
    ----------
    path
        The file.
    format
        One of :data:`FORMATS`.
    network
        The library's name of the network; None where the file itself says what is computed, or where any
        network of these tensors takes it.
    features
        Width of an encoder's row.
    difference
        Largest difference of a feature from the encoder's after reading the file back.
    image_size
        Height and width of the images that were compared; the only size that an ``onnx`` file reads.
    preprocess
        How images must be prepared: none of the formats does it.
    read_by
        How the library reads the file.
    """

    path: Path
    format: str
    network: str | None
    features: int
    difference: float
    image_size: int
    preprocess: str
    read_by: str


class _Plan(NamedTuple):
    """How a file is written, run, and read by its users."""

    write: Callable[[Path], None]
    run: Callable[[Path, Tensor], Tensor]
    read_by: str
    network: str | None = None


def export_encoder(encoder: AnyEncoder, out: str | os.PathLike[str], to: str) -> Exported:
    """Write an encoder of images into a file of another library, and read it back.

    The file is kept only if the other library's network gives the encoder's features of three random images;
    detectron2 is not needed for its file, which is read back under torchvision's names.

    Parameters
    ----------
    encoder
        A network of images; it stays as it is.
    out
        A new file, with the ending that the library goes by.
    to
        ``torchvision`` and ``timm``: weights of one of their networks without its classifier;
        ``detectron2``: the backbone of a ResNet, as its ``MODEL.WEIGHTS`` takes it; ``safetensors``: the
        weights by the network's own names; ``torchscript`` and ``onnx``: weights and computation.

    Raises
    ------
    InputError
        When the format is unknown, the file exists or has another ending, the encoder is no network of
        images, or the library has no network that holds it or computes the same.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from mitools.encoders import open_encoder
    >>> found = export_encoder(
    ...     open_encoder("builtin:random_conv?width=4"), f"{mkdtemp()}/conv.safetensors", "safetensors"
    ... )
    >>> found.features, found.difference
    (16, 0.0)
    """
    check_name("format", to, FORMATS)
    path = _new_file(out, to)
    source = _source(encoder)
    images, size = source.images, source.images.shape[-1]
    expected = _run(encoder.name, source.network, images)
    plan = FORMATS[to].plan(source)
    remove_leftovers(path)
    with whole_file(path) as temporary:
        try:
            plan.write(temporary)
            found = plan.run(temporary, images)
        except (InputError, OSError):
            raise
        except Exception as error:  # tracing and loading run the network's and the libraries' own code
            raise InputError(
                f"encoder {encoder.name} cannot be written as {to} ({reason_of(error, 200)}); take"
                " safetensors, or another image_size=N"
            ) from None
        difference = _difference(found, expected)
        if not difference <= AGREEMENT * max(1.0, float(expected.abs().max())):
            where = plan.network or "the file"
            raise InputError(
                f"encoder {encoder.name}: {to}'s {where} takes its weights and gives other features (by"
                f" {difference:.2g}); take safetensors, torchscript or onnx"
            )
    return Exported(
        path, to, plan.network, expected.shape[1], difference, size, source.preprocess.key,
        plan.read_by.replace("FILE", str(path)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """What is exported."""

    encoder: Encoder
    network: nn.Module
    preprocess: Preprocess
    images: Tensor

    @property
    def described(self) -> str:
        """Everything that may name the architecture."""
        if self.encoder.source != "run":
            return self.encoder.spec
        run, _ = run_and_epoch(parse_spec(self.encoder.spec, ["run"]))
        return str(read_run_recipe(run)["encoder"])


def _to_torchvision(source: _Source) -> _Plan:
    name, network, classifier = find_network("torchvision", source.network, source.described)
    return _Plan(
        partial(_save, source.network),
        partial(_loaded_by_torch, network),
        f"net = torchvision.models.{name}(); net.{classifier} = torch.nn.Identity();"
        " net.load_state_dict(torch.load('FILE'))",
        name,
    )


def _to_timm(source: _Source) -> _Plan:
    name, _, _ = find_network("timm", source.network, source.described)

    def run(path: Path, images: Tensor) -> Tensor:
        import timm

        return _run(name, timm.create_model(name, num_classes=0, checkpoint_path=str(path)), images)

    def write(path: Path) -> None:
        (_save_safetensors if path.suffix == ".safetensors" else _save)(source.network, path)

    read_by = f"timm.create_model('{name}', num_classes=0, checkpoint_path='FILE')"
    return _Plan(write, run, read_by, name)


def _to_detectron2(source: _Source) -> _Plan:
    name, network, _ = find_network("torchvision", source.network, source.described)
    if name not in RESNETS:
        raise InputError(f"detectron2 has no backbone {name}; its pickle holds ResNets alone")

    def run(path: Path, images: Tensor) -> Tensor:
        network.load_state_dict(read_pickle(path, network.state_dict()))
        return _run(name, network, images)

    config = config_of(name, source.preprocess.mean, source.preprocess.std)
    return _Plan(
        lambda path: write_pickle(source.network.state_dict(), path),
        run,
        f"MODEL.WEIGHTS FILE, {config}",
        name,
    )


def _to_safetensors(source: _Source) -> _Plan:
    if not source.network.state_dict():
        raise InputError(f"encoder {source.encoder.name} has no weights; take torchscript or onnx")
    about = {
        "spec": source.encoder.spec,
        "digest": source.encoder.digest,
        "preprocess": source.preprocess.key,
    }

    def run(path: Path, images: Tensor) -> Tensor:
        network = copy.deepcopy(source.network)
        network.load_state_dict(safetensors.torch.load_file(path))
        return _run("safetensors", network, images)

    return _Plan(
        lambda path: _save_safetensors(source.network, path, about),
        run,
        "net.load_state_dict(safetensors.torch.load_file('FILE')), net as it was built for the encoder",
    )


def _to_torchscript(source: _Source) -> _Plan:
    return _Plan(
        partial(write_torchscript, source.network, source.images), run_torchscript, "torch.jit.load('FILE')"
    )


def _to_onnx(source: _Source) -> _Plan:
    need("onnxruntime", "onnx", "onnx")
    return _Plan(
        partial(write_onnx, source.network, source.images), run_onnx, "onnxruntime.InferenceSession('FILE')"
    )


class ExportFormat(NamedTuple):
    """A library's files: their endings, and how one is made."""

    endings: tuple[str, ...]
    plan: Callable[[_Source], _Plan]


FORMATS: dict[str, ExportFormat] = {
    "torchvision": ExportFormat((".pth", ".pt"), _to_torchvision),
    "timm": ExportFormat((".pth", ".pt", ".safetensors"), _to_timm),
    "detectron2": ExportFormat((".pkl",), _to_detectron2),
    "safetensors": ExportFormat((".safetensors",), _to_safetensors),
    "onnx": ExportFormat((".onnx",), _to_onnx),
    "torchscript": ExportFormat((".pt", ".pth", ".ts"), _to_torchscript),
}
"""Every format by its name."""


def _new_file(out: str | os.PathLike[str], to: str) -> Path:
    path, endings = writable_file(out), FORMATS[to].endings
    if path.suffix not in endings:
        raise InputError(f"{path}: a file for {to} ends in {' or '.join(endings)}")
    if path.exists():
        raise InputError(f"{path}: exists already; name a new file")
    return path


def _source(encoder: AnyEncoder) -> _Source:
    """Copy the network of an encoder to the CPU; refuse what is no network, or reads no images."""
    if not isinstance(encoder, Encoder):
        raise InputError(f"encoder {encoder.name} is no network, so there is nothing to export")
    if not isinstance(encoder.preprocess, Preprocess):
        raise InputError(
            f"encoder {encoder.name} does not read images alone; only such encoders are exported"
        )
    if isinstance(encoder.module, Taps):
        raise InputError(f"encoder {encoder.name} gives inner layers; leave layer= out to export the network")
    try:
        network = copy.deepcopy(encoder.module)
    except Exception as error:
        raise InputError(f"encoder {encoder.name} cannot be copied ({reason_of(error)})") from None
    size = encoder.preprocess.size or ASSUMED_SIZE
    with seeded(0):
        images = encoder.preprocess.normalise(torch.rand(_IMAGES, 3, size, size))
    return _Source(encoder, network.cpu().eval().requires_grad_(False), encoder.preprocess, images)


def _run(name: str, network: nn.Module, images: Tensor) -> Tensor:
    """Compute features, shape (B, d), in evaluation mode.

    Raises
    ------
    InputError
        When the network fails on the images or gives something else.
    """
    try:
        with torch.no_grad():
            found = network.eval()(images)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"encoder {name} fails on images of {images.shape[2]}x{images.shape[3]} ({reason_of(error)});"
            " give it an image_size=N"
        ) from None
    if not isinstance(found, Tensor) or found.ndim < 2:
        raise InputError(f"encoder {name} gives no row of features an image")
    return found.flatten(1)


def _difference(found: Tensor, expected: Tensor) -> float:
    if found.flatten(1).shape != expected.shape:
        return float("inf")
    return float((found.flatten(1) - expected).abs().max())


def _state(network: nn.Module) -> dict[str, Tensor]:
    """Give the weights in memory of their own: safetensors refuses tensors that share it."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}


def _save(network: nn.Module, path: Path) -> None:
    with disk_errors(path), path.open("wb") as stream:
        torch.save(_state(network), stream)


def _save_safetensors(network: nn.Module, path: Path, about: dict[str, str] | None = None) -> None:
    with disk_errors(path):
        safetensors.torch.save_file(_state(network), path, about)


def _loaded_by_torch(network: nn.Module, path: Path, images: Tensor) -> Tensor:
    try:
        network.load_state_dict(torch.load(path, weights_only=True))
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: torch does not read it back ({reason_of(error)})") from None
    return _run("torchvision", network, images)
