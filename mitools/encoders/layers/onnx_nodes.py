"""Inside an ONNX graph: a value on the way as an output, and what the output is when it is no embedding."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.optional_packages import need

_SCORES = {
    "Softmax": "class scores (a softmax)",
    "LogSoftmax": "class scores (a softmax)",
    "Sigmoid": "scores",
}
_BOXES = {"NonMaxSuppression": "boxes", "TopK": "a selection of boxes or scores"}
# What only arranges numbers anew.
_PASSED = frozenset(
    {"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Transpose", "Concat", "Mul"}
)
_LAYERS = frozenset({"Gemm", "MatMul", "Conv"})
_SAID = re.compile(r"logit|prob|score|softmax|sigmoid|class|box|detect|mask|segment", re.IGNORECASE)
_STEPS = 200


def with_inner_output(path: Path, name: str, outputs: Sequence[str]) -> bytes:
    """Give a graph in which a value on the way is the output.

    Parameters
    ----------
    path
        The ONNX file.
    name
        Of a value, or of a node whose first value is meant.
    outputs
        The graph's own outputs, for the message.

    Raises
    ------
    InputError
        When onnx is missing, or the graph has no such node and value.
    """
    onnx = need("onnx", "onnx", "onnx with an inner node")
    model = onnx.load(str(path))
    values = {value for node in model.graph.node for value in node.output if value}
    by_node = {node.name: node.output[0] for node in model.graph.node if node.name and node.output}
    value = name if name in values else by_node.get(name)
    if value is None:
        known = [*outputs, *(node for node in by_node), *values]
        raise InputError(f"{path}: no output or inner node {name!r}; nearest: {nearest(name, known)}")
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(value))
    content: bytes = model.SerializeToString()
    return content


def no_embedding(path: Path, output: str, shape: Sequence[Any]) -> str | None:
    """Say what an output is when it is no row of features, and which inner node may give one.

    The graph's last operations tell where the ``onnx`` package is installed, else shape and name alone do.

    Parameters
    ----------
    path
        The ONNX file.
    output
        The name of the output.
    shape
        Its shape; sides that vary are names.

    Returns
    -------
    str or None
        What it is, and the remedy; None where nothing says that it is no embedding.
    """
    what = None
    if len(shape) == 4 and any(side != 1 for side in shape[2:]):
        what = "a map of positions, as detectors and segmenters give"
    elif len(shape) == 3:
        what = "several rows an item, as detectors and readers of text give"
    made_by, inner = _last_operation(path, output)
    what = made_by or what or ("scores, as its name says" if _SAID.search(output) else None)
    if what is None:
        return None
    remedy = (
        f"output={inner} gives what its last layer reads" if inner else "name an inner node as output=NODE"
    )
    return f"the output {output!r} is no embedding but {what}; {remedy}"


def _last_operation(path: Path, output: str) -> tuple[str | None, str | None]:
    """Follow the output back: what made it, and what the last layer of weights before it reads."""
    try:
        import onnx
    except ModuleNotFoundError:
        return None, None
    graph = onnx.load(str(path), load_external_data=False).graph
    maker = {value: node for node in graph.node for value in node.output}
    weights = {one.name for one in graph.initializer} | {one.name for one in graph.input}
    found, value = None, output
    for _ in range(_STEPS):
        node = maker.get(value)
        if node is None:
            return found, None
        read = [name for name in node.input if name and name not in weights]
        if node.op_type in _SCORES and found is None:
            found = _SCORES[node.op_type]
        elif node.op_type in _BOXES:
            found = _BOXES[node.op_type]
        elif node.op_type in _LAYERS:
            inner = read[0] if found and read and read[0] in maker else None
            return found, inner
        elif node.op_type not in _PASSED and node.op_type not in ("Add", "Sub", "Div") and found is None:
            return None, None
        if not read:
            return found, None
        value = read[0]
    return found, None
