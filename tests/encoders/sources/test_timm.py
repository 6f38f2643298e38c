import json

import pytest
import timm
import torch

from mitools.core.errors import InputError
from mitools.encoders import open_encoder


@pytest.fixture
def saved(tmp_path):
    """A network of seven classes in a folder as timm lays one out; returns both."""
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=7).eval()
    folder = tmp_path / "own_resnet"
    folder.mkdir()
    config = {
        "architecture": "test_resnet",
        "num_classes": 7,
        "pretrained_cfg": network.pretrained_cfg | {"num_classes": 7, "mean": [0.1, 0.2, 0.3], "tag": "own"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    return folder, network


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_gives_the_same_features_and_its_own_preprocessing(saved):
    folder, network = saved
    encoder = open_encoder(f"timm:local-dir:{folder}")
    x = torch.rand(2, 3, 64, 64)
    expected = network.forward_head(network.forward_features(x), pre_logits=True)
    torch.testing.assert_close(encoder.module(x), expected)
    assert encoder.name == "own_resnet"
    assert encoder.preprocess.mean == (0.1, 0.2, 0.3)
    assert encoder.preprocess_from == "timm's data config"
    overridden = open_encoder(f"timm:local-dir:{folder}?mean=0,0,0&image_size=32")
    assert overridden.preprocess_from == "timm's data config; image_size, mean as the spec says"
    assert overridden.preprocess.key != encoder.preprocess.key
    assert overridden.network_digest == encoder.network_digest
    assert overridden.digest != encoder.digest


def test_weights_that_do_not_fill_the_network_are_refused(saved):
    folder, network = saved
    state = network.state_dict()
    state["layer1.0.conv9.weight"] = state.pop("layer1.0.conv1.weight")
    torch.save(state, folder / "pytorch_model.bin")
    assert "layer1.0.conv1.weight" in refused(f"timm:local-dir:{folder}")


def test_a_repository_is_asked_for_by_its_name(monkeypatch):
    asked = []

    def fail(name, **options):
        asked.append((name, options))
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(timm, "create_model", fail)
    for spec in ("hf-hub:org/network", "timm:hf-hub:org/network"):
        message = refused(spec)
        assert "timm model 'hf-hub:org/network' cannot be had (ConnectionError: no route to host)" in message
    assert asked == [("hf-hub:org/network", {"pretrained": True})] * 2
    assert "write for example" in refused("hf-hub:")
