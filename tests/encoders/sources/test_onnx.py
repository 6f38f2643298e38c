import copy
import sys

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.datasets.in_memory import ImageArray
from mitools.encoders import open_encoder
from mitools.encoders.sources.onnx import OnnxNetwork
from mitools.features.extract import extract
from mitools.features.store import FeatureStore

RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(4, 3, 3, 3)).astype(np.float32)


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def expected(x):
    return torch.nn.functional.conv2d(x, torch.from_numpy(WEIGHT)).mean(dim=(2, 3))


@pytest.fixture
def write(tmp_path):
    """Write a graph: a convolution, pooled to its means (output `rows`) and its maxima (`maxima`)."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    def write(shape=("batch", 3, "height", "width"), outputs=("rows",), kind=TensorProto.FLOAT):
        nodes = [
            helper.make_node("Conv", ["images", "weight"], ["map"]),
            helper.make_node("GlobalAveragePool", ["map"], ["rows"]),
            helper.make_node("GlobalMaxPool", ["map"], ["maxima"]),
        ]
        graph = helper.make_graph(
            [node for node in nodes if node.output[0] in ("map", *outputs)],
            "own",
            [helper.make_tensor_value_info("images", kind, shape)],
            [helper.make_tensor_value_info(name, kind, [shape[0], 4, 1, 1]) for name in outputs],
            [numpy_helper.from_array(WEIGHT.astype(helper.tensor_dtype_to_np_dtype(kind)), "weight")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, tmp_path / "own.onnx")
        return tmp_path / "own.onnx"

    return write


@pytest.mark.parametrize("batch", ["batch", 1, 2, 8])
def test_features_are_those_of_the_graph_whatever_its_batch(write, batch):
    encoder = open_encoder(f"onnx:{write((batch, 3, 'height', 'width'))}")
    x = torch.rand(5, 3, 9, 9)
    torch.testing.assert_close(encoder.module(x), expected(x), rtol=1e-4, atol=1e-5)
    assert (encoder.name, encoder.source) == ("own", "onnx")


def test_half_precision_inputs_are_cast(write):
    from onnx import TensorProto

    encoder = open_encoder(f"onnx:{write(kind=TensorProto.FLOAT16)}")
    x = torch.rand(5, 3, 9, 9)
    rows = encoder.module(x)
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows, expected(x), rtol=1e-2, atol=1e-2)


def test_the_graph_says_the_size_of_images(write):
    path = write(("batch", 3, 16, 16))
    encoder = open_encoder(f"onnx:{path}")
    assert encoder.preprocess.size == 16
    assert encoder.preprocess_from == "assumed: ImageNet's mean and std; the graph's size"
    assert open_encoder(f"onnx:{path}?image_size=16").preprocess.size == 16
    assert "the graph reads 16 pixels a side; leave image_size= out" in refused(f"onnx:{path}?image_size=8")


def test_one_of_several_outputs_is_named(write):
    path = write(outputs=("rows", "maxima"))
    x = torch.rand(3, 3, 9, 9)
    rows, maxima = (open_encoder(f"onnx:{path}?output={name}") for name in ("rows", "maxima"))
    torch.testing.assert_close(rows.module(x), expected(x), rtol=1e-4, atol=1e-5)
    highest = torch.nn.functional.conv2d(x, torch.from_numpy(WEIGHT)).amax(dim=(2, 3))
    torch.testing.assert_close(maxima.module(x), highest, rtol=1e-4, atol=1e-5)
    assert rows.digest != maxima.digest
    assert "the graph has outputs rows, maxima; name one in output=" in refused(f"onnx:{path}")
    assert "no output or inner node 'row'; nearest: rows" in refused(f"onnx:{path}?output=row")


def test_an_extraction_runs_it_from_several_threads(write, tmp_path, monkeypatch):
    monkeypatch.setattr("mitools.features.extract.stream_count", lambda device: 2, raising=False)
    images = RNG.integers(0, 256, (37, 8, 8, 3), dtype=np.uint8)
    data = ImageArray("noise", ("a", "b"), images, np.arange(37) % 2, "digest")
    encoder = open_encoder(f"onnx:{write()}?mean=0,0,0&std=1,1,1")
    features = extract(encoder, data, store=FeatureStore(tmp_path / "features"), batch_size=8)
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    np.testing.assert_allclose(features.values[:, 0], expected(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [("batch", 1, 9, 9), ("batch", 9, 9, 4), ("batch", 27)])
def test_graphs_that_read_no_images_are_refused(write, shape):
    pytest.importorskip("onnxruntime")
    import onnx
    from onnx import TensorProto, helper

    path = write()
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["images"], ["rows"])],
        "rows",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", "width"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    assert "it must read one tensor of images (B, 3, H, W) or (B, H, W, 3)" in refused(f"onnx:{path}")


def test_what_is_no_onnx_is_refused(write, tmp_path):
    whole = write().read_bytes()
    for name, content in {"cut": whole[:-30], "text": b"a network", "empty": b""}.items():
        (tmp_path / f"{name}.onnx").write_bytes(content)
        assert f"{name}.onnx: no readable ONNX file" in refused(f"onnx:{tmp_path}/{name}.onnx")
    assert "nowhere.onnx: no such file" in refused("onnx:nowhere.onnx")
    assert "onnx gives its output alone; leave layer= out" in refused(f"onnx:{tmp_path}/own.onnx?layer=map")


class Session:
    """Stands in for ONNX Runtime's, where it is not installed."""

    def get_inputs(self):
        return [type("Input", (), {"name": "images", "type": "tensor(float)", "shape": [2, 3, 4, 4]})]

    def run(self, names, inputs):
        assert names == ["rows"]
        assert len(inputs["images"]) == 2
        return [inputs["images"].sum(axis=(2, 3), keepdims=True)]


def test_a_batch_is_cut_to_the_size_the_graph_takes():
    x = torch.rand(5, 3, 4, 4)
    for network in (OnnxNetwork(Session(), "rows"), copy.deepcopy(OnnxNetwork(Session(), "rows"))):
        torch.testing.assert_close(network(x), x.sum(dim=(2, 3)))


@pytest.mark.parametrize(
    ("package", "spec", "extra"),
    [("onnxruntime", "onnx:own.onnx", "onnx"), ("transformers", "hf:org/network", "hf")],
)
def test_a_missing_package_says_what_to_install(monkeypatch, tmp_path, package, spec, extra):
    (tmp_path / "own.onnx").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    source = spec.partition(":")[0]
    message = f'{source}: needs {package}, which is not installed; pip install "mitools[{extra}]"'
    assert refused(spec) == message


@pytest.fixture
def apart(write, tmp_path):
    """Write the graph with its weights in a file of their own."""
    import onnx

    def apart(location="weights.bin"):
        model = onnx.load(write())
        onnx.save(model, tmp_path / "apart.onnx", save_as_external_data=True, location="weights.bin",
                  size_threshold=0)  # fmt: skip
        graph = (tmp_path / "apart.onnx").read_bytes()
        assert len(location) == len("weights.bin")
        (tmp_path / "apart.onnx").write_bytes(graph.replace(b"weights.bin", location.encode()))
        return tmp_path / "apart.onnx"

    return apart


def test_other_weights_beside_the_same_graph_are_another_encoder(apart):
    path = apart()
    first, x = open_encoder(f"onnx:{path}"), torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(first.module(x), expected(x))
    weights = path.with_name("weights.bin")
    weights.write_bytes((2 * np.frombuffer(weights.read_bytes(), np.float32)).tobytes())
    second = open_encoder(f"onnx:{path}")
    torch.testing.assert_close(second.module(x), 2 * expected(x))
    assert first.digest != second.digest


def test_weights_are_read_beside_the_graph_and_nowhere_else(apart):
    path = apart("../ghts.bin")
    path.parent.with_name("ghts.bin").write_bytes(path.with_name("weights.bin").read_bytes())
    assert "outside of its own folder" in refused(f"onnx:{path}")
    path = apart()
    path.with_name("weights.bin").unlink()
    assert "'weights.bin', which is not beside it" in refused(f"onnx:{path}")
