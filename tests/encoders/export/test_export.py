"""Every format is read by its own library, in its own words, and gives the encoder's features."""

import pickle
import re

import pytest
import safetensors.torch
import timm
import torch
import torchvision
from torch import nn

import mitools
from mitools.core.errors import InputError
from mitools.encoders import open_encoder
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.export.detectron2_names import detectron2_name
from mitools.encoders.export.export import FORMATS, export_encoder

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # torch.jit's own

RESNET18 = "torchvision:resnet18?pretrained=no&image_size=64"
RESNET50 = "timm:resnet50?pretrained=no&image_size=64&mean=0.5,0.4,0.3"


@pytest.fixture
def cifar_resnet(tmp_path):
    """The spec of a checkpoint of a CIFAR ResNet whose norms have statistics."""
    network = build_architecture("cifar_resnet8", seed=3).module
    with torch.no_grad():
        network.train()(torch.rand(16, 3, 32, 32))
    torch.save(network.state_dict(), tmp_path / "cifar.pth")
    return f"checkpoint:{tmp_path}/cifar.pth?arch=cifar_resnet8"


@pytest.fixture
def convnet(tmp_path):
    torch.save(build_architecture("convnet", seed=4).module.state_dict(), tmp_path / "convnet.pth")
    return f"checkpoint:{tmp_path}/convnet.pth?arch=convnet&image_size=32"


def features_of(spec, size):
    """Images and the encoder's features of them."""
    images = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return images, open_encoder(spec).module(images)


def check(found, images, expected):
    with torch.no_grad():
        torch.testing.assert_close(found(images), expected, rtol=1e-5, atol=1e-5)


def by_torchvision(path, name):
    network = getattr(torchvision.models, name)()
    network.fc = nn.Identity()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


def by_onnx(path):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


class Detectron2Conv(nn.Conv2d):
    """A convolution with the norm inside it, as detectron2.layers.Conv2d."""

    def __init__(self, *given, **more):
        super().__init__(*given, bias=False, **more)
        self.norm = nn.BatchNorm2d(self.out_channels)

    def forward(self, x):
        return self.norm(super().forward(x))


class Detectron2Block(nn.Module):
    """A residual block as detectron2's BasicBlock or BottleneckBlock with STRIDE_IN_1X1 False."""

    def __init__(self, inputs, outputs, stride, width=None):
        super().__init__()
        self.shortcut = Detectron2Conv(inputs, outputs, 1, stride) if inputs != outputs else None
        if width is None:
            self.conv1 = Detectron2Conv(inputs, outputs, 3, stride, 1)
            self.conv2 = Detectron2Conv(outputs, outputs, 3, 1, 1)
        else:
            self.conv1 = Detectron2Conv(inputs, width, 1)
            self.conv2 = Detectron2Conv(width, width, 3, stride, 1)
            self.conv3 = Detectron2Conv(width, outputs, 1)

    def forward(self, x):
        inner = self.conv2(self.conv1(x).relu())
        if hasattr(self, "conv3"):
            inner = self.conv3(inner.relu())
        return (inner + (x if self.shortcut is None else self.shortcut(x))).relu()


class Detectron2ResNet(nn.Module):
    """detectron2's ResNet, by its documentation: stem, res2 to res5."""

    def __init__(self, blocks, bottleneck):
        super().__init__()
        self.stem = nn.Module()
        self.stem.conv1 = Detectron2Conv(3, 64, 7, 2, 3)
        inputs = 64
        for stage, count in enumerate(blocks):
            width = 64 << stage
            outputs = 4 * width if bottleneck else width
            layers = []
            for number in range(count):
                stride = 2 if stage > 0 and number == 0 else 1
                layers.append(Detectron2Block(inputs, outputs, stride, width if bottleneck else None))
                inputs = outputs
            self.add_module(f"res{stage + 2}", nn.Sequential(*layers))

    def forward(self, x):
        x = nn.functional.max_pool2d(self.stem.conv1(x).relu(), 3, 2, 1)
        return self.res5(self.res4(self.res3(self.res2(x)))).mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("spec", "network"),
    [(RESNET18, Detectron2ResNet((2, 2, 2, 2), False)), (RESNET50, Detectron2ResNet((3, 4, 6, 3), True))],
)
def test_detectron2_reads_its_names(spec, network, tmp_path):
    found = export_encoder(open_encoder(spec), tmp_path / "net.pkl", "detectron2")
    content = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert {key: content[key] for key in content if key != "model"} == {
        "__author__": "mitools",
        "matching_heuristics": True,
    }
    own = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    assert set(content["model"]) == own
    network.load_state_dict(
        {name: torch.from_numpy(array) for name, array in content["model"].items()}, False
    )
    check(network.eval(), *features_of(spec, 64))
    assert "MODEL.RESNETS.STRIDE_IN_1X1 False" in found.read_by
    if spec == RESNET50:
        assert "MODEL.PIXEL_MEAN [127.500, 102.000, 76.500]" in found.read_by


def test_names_are_those_of_the_published_conversion():
    # From detectron2's tools/convert-torchvision-to-d2.py, applied by hand.
    assert {
        "conv1.weight": "stem.conv1.weight",
        "bn1.running_mean": "stem.conv1.norm.running_mean",
        "layer1.0.conv1.weight": "res2.0.conv1.weight",
        "layer4.2.bn3.bias": "res5.2.conv3.norm.bias",
        "layer2.0.downsample.0.weight": "res3.0.shortcut.weight",
        "layer2.0.downsample.1.running_var": "res3.0.shortcut.norm.running_var",
    }.items() <= {name: detectron2_name(name) for name in torchvision.models.resnet50().state_dict()}.items()


def test_a_graph_that_onnx_cannot_hold_is_one_line(convnet, tmp_path):
    pytest.importorskip("onnxruntime")
    # 24 pixels end as a map of 3x3, which an average over 2x2 cells does not divide.
    spec = convnet.replace("image_size=32", "image_size=24")
    with pytest.raises(InputError, match="cannot be written as onnx") as caught:
        export_encoder(open_encoder(spec), tmp_path / "net.onnx", "onnx")
    assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["convnet.pth"]


@pytest.mark.parametrize(
    ("spec", "name"),
    [(RESNET18, "resnet18"), pytest.param(RESNET50, "resnet50", marks=pytest.mark.slow)],
)
def test_torchvision_and_timm_read_each_others_resnets(spec, name, tmp_path):
    images, expected = features_of(spec, 64)
    encoder = open_encoder(spec)
    found = export_encoder(encoder, tmp_path / "tv.pth", "torchvision")
    assert (found.network, found.features, found.path) == (name, expected.shape[1], tmp_path / "tv.pth")
    check(by_torchvision(tmp_path / "tv.pth", name), images, expected)
    for ending in ("pth", "safetensors"):
        path = tmp_path / f"timm.{ending}"
        export_encoder(encoder, path, "timm")
        check(timm.create_model(name, num_classes=0, checkpoint_path=str(path)).eval(), images, expected)


def test_a_network_of_timm_alone(tmp_path):
    spec = "timm:test_resnet?pretrained=no&image_size=32"
    found = export_encoder(open_encoder(spec), tmp_path / "net.safetensors", "timm")
    network = timm.create_model("test_resnet", num_classes=0, checkpoint_path=str(found.path))
    check(network.eval(), *features_of(spec, 32))


@pytest.mark.parametrize("which", ["cifar_resnet", "convnet", "timm:test_resnet?pretrained=no&image_size=24"])
def test_graphs_and_plain_weights_of_any_network(which, request, tmp_path):
    spec = which if ":" in which else request.getfixturevalue(which)
    size = 24 if which.startswith("timm") else 32
    images, expected = features_of(spec, size)
    encoder = open_encoder(spec)
    found = export_encoder(encoder, tmp_path / "net.pt", "torchscript")
    assert (found.image_size, found.preprocess) == (size, encoder.preprocess.key)
    check(torch.jit.load(tmp_path / "net.pt"), images, expected)
    check(open_encoder(f"torchscript:{tmp_path}/net.pt?trust=yes").module, images, expected)
    export_encoder(encoder, tmp_path / "net.safetensors", "safetensors")
    arch = re.search("cifar_resnet8|convnet|timm:test_resnet", spec)[0]
    network = build_architecture(arch, seed=9).module.eval()
    network.load_state_dict(safetensors.torch.load_file(tmp_path / "net.safetensors"))
    check(network, images, expected)
    loaded = open_encoder(f"checkpoint:{tmp_path}/net.safetensors?arch={arch}")
    assert loaded.load_report.tensors_matched == loaded.load_report.tensors_expected
    pytest.importorskip("onnxruntime")
    export_encoder(encoder, tmp_path / "net.onnx", "onnx")
    check(by_onnx(tmp_path / "net.onnx"), images, expected)
    assert open_encoder(f"onnx:{tmp_path}/net.onnx").preprocess.size == size


def test_a_published_checkpoint_runs_without_this_library(shared, tmp_path):
    spec = f"checkpoint:{shared}/checkpoints/resnet20-12fca82f.th?arch=cifar_resnet20"
    export_encoder(open_encoder(spec), tmp_path / "net.ts", "torchscript")
    check(torch.jit.load(tmp_path / "net.ts"), *features_of(spec, 32))


def test_a_module_in_memory_comes_back_as_it_was(tmp_path):
    network = torchvision.models.resnet18()
    network.fc = nn.Identity()
    network.train()
    found = mitools.export_encoder(
        network, tmp_path / "mine.pkl", "detectron2", preprocess={"image_size": 64}
    )
    assert (found.network, network.training, found.image_size) == ("resnet18", True, 64)
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    "to", ["torchvision", *(pytest.param(name, marks=pytest.mark.slow) for name in ("timm", "detectron2"))]
)
def test_what_a_library_cannot_hold_is_refused_and_nothing_is_written(to, cifar_resnet, tmp_path):
    path = tmp_path / f"net{FORMATS[to].endings[0]}"
    library = "timm" if to == "timm" else "torchvision"
    with pytest.raises(
        InputError, match=rf"{library} has no network of these \d+ tensors \(conv1.weight 16x3x3x3"
    ):
        export_encoder(open_encoder(cifar_resnet), path, to)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cifar.pth"]


def test_equal_tensors_that_compute_otherwise_are_refused(tmp_path):
    network = torchvision.models.resnet18()
    network.fc, network.maxpool = nn.Identity(), nn.AvgPool2d(3, 2, 1)
    with pytest.raises(InputError, match="torchvision's resnet18 takes its weights and gives other features"):
        mitools.export_encoder(network, tmp_path / "net.pth", "torchvision", preprocess={"image_size": 64})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("spec", "out", "to", "told"),
    [
        ("builtin:pixels", "net.npz", "numpy", "unknown format 'numpy'; accepted: torchvision, timm"),
        ("builtin:pixels", "net.pt", "detectron2", r"net\.pt: a file for detectron2 ends in \.pkl"),
        ("builtin:pixels", "net.safetensors", "safetensors", "pixels has no weights"),
        ("builtin:pca?k=2", "net.pt", "torchscript", "pca2 is no network"),
        (f"{RESNET18}&layer=layer1", "net.pt", "torchscript", "leave layer= out"),
        ("builtin:pixels", "there.pt", "torchscript", "exists already; name a new file"),
    ],
)
def test_bad_requests_are_one_line(spec, out, to, told, tmp_path):
    (tmp_path / "there.pt").write_text("something")
    with pytest.raises(InputError, match=told) as caught:
        mitools.export_encoder(spec, tmp_path / out, to)
    assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["there.pt"]
    assert (tmp_path / "there.pt").read_text() == "something"


def test_a_run_is_exported_by_its_recipe(tmp_path):
    recipe = {"encoder": "timm:test_resnet", "data": "digits?limit=40", "method": "cross_entropy"}
    mitools.train(
        recipe | {"epochs": 1, "batch_size": 20, "image_size": 32}, tmp_path / "run", progress=False
    )
    found = mitools.export_encoder(f"run:{tmp_path}/run", tmp_path / "net.safetensors", "timm")
    assert (found.network, found.image_size) == ("test_resnet", 32)
