"""Networks with their computation, as TorchScript and ONNX: what can be run without this library."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mitools.core.optional_packages import need


def write_torchscript(network: nn.Module, images: Tensor, path: Path) -> None:
    """Trace a network on images (B, 3, H, W) and save it with ``torch.jit.save``."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; the files are still read everywhere
        torch.jit.save(torch.jit.trace(network, images, check_trace=False), path)


def run_torchscript(path: Path, images: Tensor) -> Tensor:
    """Run a file of :func:`write_torchscript`."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        found: Tensor = torch.jit.load(path, map_location="cpu")(images)
    return found


def write_onnx(network: nn.Module, images: Tensor, path: Path) -> None:
    """Write the graph of a network: ``images`` (any number, 3, H, W) to ``features``."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter that needs no further package
        torch.onnx.export(
            network,
            (images,),
            path,
            input_names=["images"],
            output_names=["features"],
            dynamic_axes={"images": {0: "batch"}, "features": {0: "batch"}},
            dynamo=False,
        )


def run_onnx(path: Path, images: Tensor) -> Tensor:
    """Run a file of :func:`write_onnx` with ONNX Runtime, on the CPU.

    Raises
    ------
    InputError
        When ONNX Runtime is missing.
    """
    runtime: Any = need("onnxruntime", "onnx", "onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (features,) = session.run(["features"], {"images": images.numpy()})
    return torch.from_numpy(features)
