"""ONNX graphs as other tools export them: bytes, channels last, oblong images, inner nodes, no embeddings."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.datasets.in_memory import ImageArray
from mitools.encoders import open_encoder
from mitools.encoders.inputs.read import finish_inputs, read_inputs

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(3, 5)).astype(np.float32)
SCORES = RNG.normal(size=(5, 4)).astype(np.float32)
IMAGES = RNG.integers(0, 256, (6, 8, 12, 3), dtype=np.uint8)
DATA = ImageArray("noise", ("a", "b"), IMAGES, np.arange(6) % 2, "digest")


def write(path, shape, kind=TensorProto.FLOAT, end="rows", axes=(2, 3)):
    """Write a graph: means over the pixels, then five features, and behind them class scores or a map."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT, name="to_float"),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=axes, keepdims=0, name="pool"),
        helper.make_node("MatMul", ["means", "weight"], ["rows"], name="embed"),
        helper.make_node("MatMul", ["rows", "scores"], ["logits"], name="head"),
        helper.make_node("Softmax", ["logits"], ["chances"], axis=1, name="last"),
        helper.make_node("Identity", ["floats"], ["map"]),
        helper.make_node("Reshape", ["floats", "boxed"], ["boxes"]),
    ]
    sides = {"rows": 2, "chances": 2, "map": 4, "boxes": 3}
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info(end, TensorProto.FLOAT, ["b", *"xyz"][: sides[end]])],
        [
            numpy_helper.from_array(WEIGHT, "weight"),
            numpy_helper.from_array(SCORES, "scores"),
            numpy_helper.from_array(np.array([0, 3, -1]), "boxed"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return f"onnx:{path}"


def rows(encoder):
    inputs = finish_inputs(read_inputs(DATA, range(6), encoder.preprocess), encoder.preprocess)
    return encoder.module(inputs).numpy()


def features(means):
    return means @ WEIGHT


def resized(height, width):
    images = [Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR) for image in IMAGES]
    return np.stack([np.asarray(image) for image in images]).astype(np.float32)


@pytest.mark.parametrize("last", [True, False], ids=["channels last", "channels first"])
def test_a_graph_of_bytes_gets_the_pixels_themselves(tmp_path, last):
    shape = ("b", "h", "w", 3) if last else ("b", 3, "h", "w")
    axes = (1, 2) if last else (2, 3)
    spec = write(tmp_path / "x.onnx", shape, TensorProto.UINT8, axes=axes)
    encoder = open_encoder(spec)
    np.testing.assert_allclose(rows(encoder), features(IMAGES.mean(axis=(1, 2))), rtol=1e-4)
    assert encoder.preprocess_from == "the graph reads bytes: no mean and std"
    with pytest.raises(InputError, match="the graph reads bytes; leave mean= and std= out"):
        open_encoder(f"{spec}?mean=0,0,0")


def test_channels_last_as_floats_are_normalised(tmp_path):
    encoder = open_encoder(
        write(tmp_path / "x.onnx", ("b", "h", "w", 3), axes=(1, 2)) + "?mean=0,0,0&std=1,1,1"
    )
    np.testing.assert_allclose(rows(encoder), features(IMAGES.mean(axis=(1, 2)) / 255), rtol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(6, 9), (9, 6), (10, 10)])
@pytest.mark.parametrize("last", [True, False], ids=["channels last", "channels first"])
def test_fixed_sides_are_kept_square_or_not(tmp_path, height, width, last):
    shape = ("b", height, width, 3) if last else ("b", 3, height, width)
    spec = write(tmp_path / "x.onnx", shape, TensorProto.UINT8, axes=(1, 2) if last else (2, 3))
    options = "?resize=squash" if height == width else ""
    encoder = open_encoder(spec + options)
    expected = features(resized(height, width).mean(axis=(1, 2)))
    np.testing.assert_allclose(rows(encoder), expected, rtol=1e-4)
    if height != width:
        assert f"squash {height}x{width}" in encoder.preprocess.key
        with pytest.raises(InputError, match=f"the graph reads {height}x{width} pixels"):
            open_encoder(f"{spec}?image_size=8")


@pytest.mark.parametrize("name", ["rows", "embed"], ids=["a value", "a node"])
def test_an_inner_node_is_given_by_name(tmp_path, name):
    spec = write(tmp_path / "x.onnx", ("b", 3, "h", "w"), TensorProto.UINT8, end="chances")
    encoder = open_encoder(f"{spec}?output={name}")
    np.testing.assert_allclose(rows(encoder), features(IMAGES.mean(axis=(1, 2))), rtol=1e-4)
    with pytest.raises(InputError, match="no output or inner node 'embd'; nearest: "):
        open_encoder(f"{spec}?output=embd")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("chances", "no embedding but class scores (a softmax); output=rows gives what its last layer reads"),
        ("map", "no embedding but a map of positions, as detectors and segmenters give"),
        ("boxes", "no embedding but several rows an item, as detectors and readers of text give"),
    ],
)
def test_an_output_that_is_no_embedding_is_told(tmp_path, end, said):
    spec = write(tmp_path / "x.onnx", ("b", 3, "h", "w"), end=end)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        open_encoder(spec)
    assert [said in str(one.message) for one in caught if one.category is DataNote] == [True]


def test_an_embedding_is_read_without_a_word(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        open_encoder(write(tmp_path / "x.onnx", ("b", 3, "h", "w")))


REAL = [
    ("nudenet", "320n.onnx", "several rows an item"),
    ("rapidocr_onnxruntime", "models/ch_ppocr_mobile_v2.0_cls_infer.onnx", "class scores"),
    ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx", "scores"),
]


@pytest.mark.parametrize(("package", "file", "said"), REAL)
def test_detectors_and_classifiers_of_real_packages_are_told_from_embeddings(package, file, said):
    """Files that packages of PyPI carry; skipped where they are not installed."""
    import importlib.util

    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package} is not installed")
    with pytest.warns(DataNote, match="is no embedding but") as caught:
        encoder = open_encoder(f"onnx:{Path(found.origin).parent / file}?image_size=64")
    assert said in str(caught[0].message)
    with torch.no_grad():
        assert encoder.module(torch.rand(2, 3, 64, 64)).shape[0] == 2


def test_a_real_checkpoint_of_an_lstm_is_refused_for_an_image_network():
    """Resemblyzer keeps an LSTM under ``model_state``: no place of it holds a network of images."""
    import importlib.util

    found = importlib.util.find_spec("resemblyzer")
    if found is None or found.origin is None:
        pytest.skip("resemblyzer is not installed")
    path = Path(found.origin).with_name("pretrained.pt")
    with pytest.raises(
        InputError, match=r"no tensors at any place known|tensors are not in the file"
    ) as caught:
        open_encoder(f"checkpoint:{path}?arch=cifar_resnet20")
    assert "\n" not in str(caught.value)
