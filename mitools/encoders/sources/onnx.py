"""A network in an ONNX file, run by ONNX Runtime."""

import mmap
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mitools.core.errors import DataNote, InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, Preprocess, preprocess_origin
from mitools.encoders.layers.onnx_nodes import no_embedding, with_inner_output

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
_BYTES = "tensor(uint8)"
_CHANNELS = 3


@dataclass(frozen=True)
class ImageInput:
    """How a graph reads images.

    Attributes
    ----------
    channels_last
        Whether it reads (B, H, W, 3), as TensorFlow does.
    height, width
        The sides it asks for; None where they vary.
    """

    channels_last: bool
    height: int | None
    width: int | None


class OnnxNetwork(nn.Module):
    """One output of an ONNX graph as a module; computes on the CPU wherever its input lies.

    Parameters
    ----------
    session
        Of ONNX Runtime, with a single input (B, 3, H, W) or (B, H, W, 3), of floating point or bytes.
    output
        The name of the output to give.
    channels_last
        Whether its input is (B, H, W, 3).
    """

    def __init__(self, session: Any, output: str, channels_last: bool = False) -> None:
        super().__init__()
        (graph_input,) = session.get_inputs()
        self._session = session
        self._output = output
        self._input = graph_input.name
        self._dtype = _DTYPES[graph_input.type]
        self._channels_last = channels_last
        self._batch = graph_input.shape[0] if isinstance(graph_input.shape[0], int) else None

    def __deepcopy__(self, memo: dict[int, Any]) -> "OnnxNetwork":
        """Share the session, which has no state that a call changes and cannot be copied."""
        return OnnxNetwork(self._session, self._output, self._channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, d), float32; a graph that reads bytes gets x in [0, 1] times 255."""
        array = x.detach().cpu().numpy()
        if self._dtype is np.uint8:
            array = np.clip(np.rint(array * 255), 0, 255)
        array = array.astype(self._dtype, copy=False)
        if self._channels_last:
            array = array.transpose(0, 2, 3, 1)
        size = self._batch or len(array)
        chunks = [self._run(array[start : start + size], size) for start in range(0, len(array), size)]
        rows = np.concatenate(chunks).astype(np.float32, copy=False)
        return torch.from_numpy(rows).flatten(1).to(x.device)

    def _run(self, chunk: np.ndarray, size: int) -> np.ndarray:
        # A graph exported for one size of batch gets the last one filled up with its own last image.
        missing = size - len(chunk)
        whole = np.concatenate([chunk, np.repeat(chunk[-1:], missing, axis=0)]) if missing else chunk
        try:
            (rows,) = self._session.run([self._output], {self._input: np.ascontiguousarray(whole)})
        except Exception as error:  # ONNX Runtime's own, of which no other module knows the type
            raise RuntimeError(str(error)) from None
        return rows[: len(chunk)]


_LOCATION = re.compile(re.escape(b"\x0a\x08location\x12"))
"""How a tensor of a graph says that its values lie in another file (``TensorProto.external_data``)."""


def open_onnx(spec: Spec) -> Encoder:
    """Open ``onnx:PATH?output=NAME``.

    Images are resized to the size that the graph asks for, if it asks for one; to sides that differ they are
    squashed. A graph of bytes gets the pixels as they are, without mean and standard deviation. The output
    is one of the graph's, or a node or value inside it (this needs the ``onnx`` package). An output of more
    than two axes is flattened. When the output is no embedding (class scores, a map of boxes), a note says
    so.

    Raises
    ------
    InputError
        When ONNX Runtime is missing, the file is missing or damaged, the graph reads anything else than
        images (B, 3, H, W) or (B, H, W, 3), or it has several outputs and none is named.
    """
    path = Path(spec.need_name("onnx:encoder.onnx"))
    spec.only("output", *PREPROCESS_OPTIONS)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    runtime = need("onnxruntime", "onnx", "onnx")
    weights_beside(path)
    session = _session(runtime, path, str(path))
    images = _image_input(session, path)
    outputs = [entry.name for entry in session.get_outputs()]
    output = _output(outputs, spec)
    if output not in outputs:
        session = _session(runtime, path, with_inner_output(path, output, outputs))
        output = session.get_outputs()[0].name
    elif note := no_embedding(path, output, session.get_outputs()[outputs.index(output)].shape):
        warnings.warn(DataNote(f"{path}: {note}"), stacklevel=2)
    preprocess, origin = _preprocess(session, images, spec)
    return Encoder(
        spec.text,
        path.stem,
        spec.source,
        digest_text("onnx", digest_file(path), output, *map(digest_file, weights_beside(path))),
        OnnxNetwork(session, output, images.channels_last),
        preprocess,
        preprocess_from=preprocess_origin(origin, spec),
    )


def _session(runtime: Any, path: Path, graph: str | bytes) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # batches run side by side already
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base but this one
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: no readable ONNX file ({reason}); export it again") from None


def _preprocess(session: Any, images: ImageInput, spec: Spec) -> tuple[Preprocess, str]:
    """Say how images are prepared for a graph, and where that is stated."""
    (height, width), origin = (images.height, images.width), ASSUMED
    base = Preprocess()
    if session.get_inputs()[0].type == _BYTES:
        if {"mean", "std"} & set(spec.options):
            raise InputError(f"spec {spec.text!r}: the graph reads bytes; leave mean= and std= out")
        base, origin = (
            replace(base, mean=(0.0,) * 3, std=(1.0,) * 3),
            "the graph reads bytes: no mean and std",
        )
    if height is None or width is None:
        return base.overridden(spec), origin
    if height != width:
        if {"image_size", "resize", "crop"} & set(spec.options):
            raise InputError(
                f"spec {spec.text!r}: the graph reads {height}x{width} pixels; leave image_size=, resize= and"
                " crop= out"
            )
        return replace(base, sides=(height, width)).overridden(spec), f"{origin}; the graph's sides"
    preprocess = replace(base, size=height).overridden(spec)
    if preprocess.size != height:
        raise InputError(f"spec {spec.text!r}: the graph reads {height} pixels a side; leave image_size= out")
    return preprocess, f"{origin}; the graph's size"


def weights_beside(path: Path) -> list[Path]:
    """Find the files that an ONNX file keeps weights in, in order of their names.

    Raises
    ------
    InputError
        When one lies outside of the file's folder, or is not there.
    """
    with path.open("rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            return []
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as graph:
            try:
                named = {_text_at(graph, found.end()) for found in re.finditer(_LOCATION, graph)}
            except (IndexError, ValueError):
                raise InputError(
                    f"{path}: damaged where it names files of weights; export it again"
                ) from None
    folder, files = path.parent.resolve(), []
    for name in sorted(named):
        file = (folder / name.replace("\0", "")).resolve()
        if not file.is_relative_to(folder):
            raise InputError(
                f"{path}: keeps weights in {name!r}, outside of its own folder; nothing was read"
            )
        if not file.is_file():
            raise InputError(f"{path}: keeps weights in {name!r}, which is not beside it; fetch it as well")
        files.append(file)
    return files


def _text_at(graph: mmap.mmap, start: int) -> str:
    """Read a text of a protocol buffer: its length in groups of seven bits, and its bytes."""
    length = shift = 0
    while True:
        byte, start = graph[start], start + 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return graph[start : start + length].decode()


def _image_input(session: Any, path: Path) -> ImageInput:
    inputs = session.get_inputs()
    described = ", ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in inputs)
    if len(inputs) == 1 and inputs[0].type in _DTYPES and len(inputs[0].shape) == 4:
        _, first, second, last = (side if isinstance(side, int) else None for side in inputs[0].shape)
        if last == _CHANNELS and first != _CHANNELS:
            return ImageInput(True, first, second)
        if first in (_CHANNELS, None):
            return ImageInput(False, second, last)
    raise InputError(
        f"{path}: the graph reads {described}; it must read one tensor of images (B, 3, H, W) or (B, H, W, 3)"
    )


def _output(names: Sequence[str], spec: Spec) -> str:
    chosen = spec.options.get("output", names[0] if len(names) == 1 else None)
    if chosen is None:
        raise InputError(f"spec {spec.text!r}: the graph has outputs {', '.join(names)}; name one in output=")
    return chosen
