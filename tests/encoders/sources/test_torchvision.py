import pytest
import torch
from torchvision import models

from mitools.core.errors import InputError
from mitools.encoders import open_encoder


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "width"), [("shufflenet_v2_x0_5", 1024), ("squeezenet1_1", 512), ("mobilenet_v3_small", 1024)]
)
def test_the_classifier_is_taken_off(name, width):
    encoder = open_encoder(f"torchvision:{name}?pretrained=no&seed=2")
    assert encoder.module(torch.rand(2, 3, 64, 64)).shape == (2, width)
    assert encoder.name == f"{name}-untrained-seed2"


def test_the_features_are_what_the_classifier_would_read():
    encoder = open_encoder("torchvision:shufflenet_v2_x0_5?pretrained=no&seed=2")
    network = models.shufflenet_v2_x0_5().eval()
    missing, unexpected = network.load_state_dict(encoder.module.state_dict(), strict=False)
    assert (missing, unexpected) == (["fc.weight", "fc.bias"], [])
    read = []
    network.fc.register_forward_hook(lambda module, inputs, output: read.append(inputs[0]))
    x = torch.rand(2, 3, 64, 64)
    network(x)
    torch.testing.assert_close(encoder.module(x), read[0])


def test_an_untrained_network_depends_on_its_seed_alone():
    specs = [f"torchvision:squeezenet1_1?pretrained=no&seed={seed}" for seed in (1, 1, 2)]
    first, again, other = (open_encoder(spec).digest for spec in specs)
    assert first == again != other


def test_the_weights_bring_their_preprocessing():
    weights = models.get_model_weights("efficientnet_b1")
    assert weights.DEFAULT.transforms().resize_size == [255]
    encoder = open_encoder("torchvision:efficientnet_b1?pretrained=no")
    assert encoder.preprocess.key.startswith("shorter_side 255 bilinear, centre crop 240, mean 0.485,")
    assert encoder.preprocess_from == "torchvision's transforms of IMAGENET1K_V2"


def test_trained_weights_are_those_named(monkeypatch, tmp_path):
    asked = []

    def fetch(url, *arguments, **options):
        asked.append(url)
        return models.shufflenet_v2_x0_5().state_dict()

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)
    encoder = open_encoder("torchvision:shufflenet_v2_x0_5?weights=IMAGENET1K_V1")
    assert asked == [models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url]
    assert encoder.name == "shufflenet_v2_x0_5-imagenet1k_v1"
    assert encoder.module(torch.rand(1, 3, 64, 64)).shape == (1, 1024)


def test_a_failed_download_is_one_line(monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no route\nto host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    message = refused("torchvision:squeezenet1_1")
    assert "torchvision network 'squeezenet1_1' cannot be had (OSError: no route to host)" in message
    assert "pretrained=no" in message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:", "write for example torchvision:resnet18"),
        ("torchvision:resne18", "no classifier 'resne18'; nearest: resnet18"),
        ("torchvision:fasterrcnn_resnet50_fpn", "no classifier 'fasterrcnn_resnet50_fpn'; nearest:"),
        ("torchvision:resnet50?weights=IMAGENET1K_V3", "no weights 'IMAGENET1K_V3' of resnet50; accepted:"),
        ("torchvision:resnet50?weights=IMAGENET1K_V1&pretrained=no", "exclude each other"),
        ("torchvision:resnet50?seed=1", "seed= is for untrained weights; add pretrained=no"),
        ("torchvision:resnet50?arch=x", "unknown option 'arch'"),
        ("torchvision:resnet50?pretrained=no&interpolation=cubic", "interpolation=cubic; accepted: bilinear"),
        ("torchvision:resnet50?pretrained=no&crop=2", "crop=2 must be a number in (0, 1]"),
        ("torchvision:resnet50?pretrained=no&resize=crop", "resize=crop; accepted: shorter_side or squash"),
    ],
)
def test_wrong_specs_are_refused(spec, message):
    assert message in refused(spec)
