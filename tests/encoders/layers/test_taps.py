"""Inner layers against the same network cut off by hand."""

import copy
import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.layers import taps as layers_module
from mitools.encoders.layers.taps import layer_names, tap
from mitools.encoders.untrained_twin import untrained_twin

IMAGES = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def encoder(module, **changes):
    return Encoder("spec", "net", "python", "digest", module, Preprocess(), **changes)


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return encoder(CifarResNet(20))


def hooks(module):
    return sum(len(inner._forward_hooks) for inner in module.modules())


def test_every_layer_is_that_of_the_network_cut_off_there(resnet):
    found = tap(resnet, ["conv1", "layer1.0", "layer3", "output"]).module(IMAGES)
    net = resnet.module
    x = net.conv1(IMAGES)
    expected = {"conv1": x.mean(dim=(2, 3))}
    x = net.layer1[0](torch.relu(net.bn1(x)))
    expected["layer1.0"] = x.mean(dim=(2, 3))
    x = net.layer3(net.layer2(net.layer1[2](net.layer1[1](x))))
    expected["layer3"] = x.mean(dim=(2, 3))
    expected["output"] = net(IMAGES)
    assert list(found) == list(expected)
    for name, rows in expected.items():
        torch.testing.assert_close(found[name], rows)


def test_one_pass_serves_all_layers(resnet):
    passes = []
    net = copy.deepcopy(resnet.module)
    net.register_forward_hook(lambda *seen: passes.append(1))
    tap(replace(resnet, module=net), "all").module(IMAGES)
    assert len(passes) == 1


def test_all_are_the_stages_and_blocks_in_order(resnet):
    blocks = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in range(3)]
    assert layer_names(resnet.module) == ("conv1", *blocks, "output")
    assert tap(resnet, "all").layers == ("conv1", *blocks, "output")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vit_tiny_patch16_224", ["patch_embed", *(f"blocks.{k}" for k in range(12))]),
        ("convnext_atto", ["stem.0", *(f"stages.{k}" for k in range(4))]),
        ("regnety_002", ["stem", "s1", "s2", "s3", "s4"]),
    ],
)
def test_all_of_other_families(name, expected):
    import timm

    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0)
    assert layer_names(network) == (*expected, "output")
    wrapped = nn.Module()
    wrapped.inner = network
    assert layer_names(wrapped) == (*(f"inner.{layer}" for layer in expected), "output")


def test_the_encoder_given_works_on_and_the_hooks_go_with_the_taps(resnet):
    before = resnet.module(IMAGES)
    tapped = tap(resnet, "all")
    assert hooks(resnet.module) == len(tapped.layers) - 1
    torch.testing.assert_close(resnet.module(IMAGES), before)
    second = tap(resnet, ["layer2"])
    assert list(second.module(IMAGES)) == ["layer2"]
    del tapped, second
    gc.collect()
    assert hooks(resnet.module) == 0


def test_threads_do_not_see_each_others_passes(resnet):
    tapped = tap(resnet, "all")
    batches = [torch.full((2, 3, 8, 8), float(k)) for k in range(40)]
    with torch.inference_mode():
        expected = [tapped.module(batch) for batch in batches]

    def run(batch):
        with torch.inference_mode():
            return tapped.module(batch)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, batches))
    for one, other in zip(found, expected, strict=True):
        for name in tapped.layers:
            torch.testing.assert_close(one[name], other[name])


def test_a_failed_pass_leaves_nothing_behind(resnet):
    tapped = tap(resnet, ["conv1"])
    with pytest.raises(RuntimeError):
        tapped.module(torch.zeros(2, 5, 8, 8))
    assert tapped.module(IMAGES)["conv1"].shape == (6, 16)


def test_a_copy_and_the_untrained_twin_have_taps_of_their_own(resnet):
    tapped = tap(resnet, ["layer1.2", "output"])
    copied = copy.deepcopy(tapped.module)
    nn.init.zeros_(copied.network.conv1.weight)
    assert not torch.equal(copied(IMAGES)["layer1.2"], tapped.module(IMAGES)["layer1.2"])
    twin = untrained_twin(tapped)
    assert twin.layers == tapped.layers
    assert list(twin.module(IMAGES)) == ["layer1.2", "output"]
    torch.testing.assert_close(tapped.module(IMAGES)["output"], resnet.module(IMAGES))


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x):
        return self.linear(x).relu_()


def test_what_later_layers_change_in_place_is_not_changed_here():
    network = InPlace()
    x = torch.randn(50, 3)
    found = tap(encoder(network), ["linear"]).module(x)["linear"]
    torch.testing.assert_close(found, network.linear(x))
    assert (found < 0).any()


class Tokens(nn.Module):
    """Gives tokens (B, T, d) in a tuple, as transformers do, from images or from named inputs."""

    def __init__(self):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        return self.block(x["input_ids"] if isinstance(x, dict) else x.flatten(2).mT)[0][:, 0]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3))

    def forward(self, x):
        return (x.float() @ self.weight, None)


def test_tokens_are_averaged_or_the_first_is_taken():
    network = encoder(Tokens())
    tokens = IMAGES.flatten(2).mT
    torch.testing.assert_close(tap(network, ["block"]).module(IMAGES)["block"], tokens.mean(dim=1))
    first = tap(network, ["block"], "cls")
    assert first.layers == ("block:cls",)
    torch.testing.assert_close(first.module(IMAGES)["block:cls"], tokens[:, 0])


def test_padding_is_left_out_of_the_mean():
    ids = torch.randn(2, 4, 3)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
    found = tap(encoder(Tokens()), ["block"]).module({"input_ids": ids, "attention_mask": mask})["block"]
    torch.testing.assert_close(found[0], ids[0, :2].mean(dim=0))
    torch.testing.assert_close(found[1], ids[1].mean(dim=0))


class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Linear(3, 5)

    def forward(self, x):
        return self.block(x.permute(0, 2, 3, 1)).mean(dim=(1, 2))


def test_maps_with_channels_last_are_averaged_over_space():
    network = ChannelsLast()
    found = tap(encoder(network), ["block", "output"]).module(IMAGES)
    torch.testing.assert_close(found["block"], network(IMAGES))


def test_flatten_keeps_everything_up_to_a_size(resnet, monkeypatch):
    found = tap(resnet, ["layer3"], "flatten").module(IMAGES)["layer3:flatten"]
    assert found.shape == (6, 64 * 4 * 4)
    monkeypatch.setattr(layers_module, "FLATTENED_AT_MOST", 1000)
    with pytest.raises(InputError, match=r"flattened has 1,024 numbers an item.*pool=mean"):
        tap(resnet, ["layer3"], "flatten").module(IMAGES)


def test_a_grid_keeps_the_mean_of_every_cell(resnet):
    whole = tap(resnet, ["layer1", "layer3", "output"], "flatten").module(IMAGES)
    found = tap(resnet, ["layer1", "layer3", "output"], "grid3").module(IMAGES)
    maps = whole["layer1:flatten"].unflatten(1, (16, 16, 16))
    # The cells of 16 rows overlap, as those of torch do: 0 to 5, 5 to 10 and 10 to 15.
    spans = [slice(0, 6), slice(5, 11), slice(10, 16)]
    expected = [maps[:, :, rows, columns].mean(dim=(2, 3)) for rows in spans for columns in spans]
    torch.testing.assert_close(found["layer1:grid3"], torch.stack(expected, dim=2).flatten(1))
    assert found["layer3:grid3"].shape == (6, 64 * 9)
    torch.testing.assert_close(found["output"], whole["output"])
    small = tap(resnet, ["layer3"], "grid9").module(IMAGES)["layer3:grid9"]
    torch.testing.assert_close(small, whole["layer3:flatten"])


class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.used(x)


@pytest.mark.parametrize(
    ("layers", "pool", "message"),
    [
        (["layer4"], "auto", "net has no layer 'layer4'; nearest: layer[123]"),
        (["layer1.0", "layer1.0"], "auto", "each once"),
        ([], "auto", "at least one layer"),
        (["layer1"], "max", "pool=max; accepted: auto, mean, cls, flatten or gridN"),
    ],
)
def test_what_cannot_be_tapped_is_refused_in_one_line(resnet, layers, pool, message):
    with pytest.raises(InputError, match=message) as caught:
        tap(resnet, layers, pool)
    assert "\n" not in str(caught.value)
    assert hooks(resnet.module) == 0


@pytest.mark.parametrize(
    ("module", "inputs", "layer", "pool", "message"),
    [
        (Idle(), IMAGES[:, 0, 0, :3], "unused", "auto", "layer 'unused' does not run"),
        (nn.Sequential(nn.Linear(16, 2)), IMAGES, "0", "cls", "6x3x16x2, which has no tokens"),
        (nn.Sequential(nn.Flatten(0, 1), nn.Linear(16, 2)), IMAGES, "1", "auto", "18x16x2 for 6 items"),
    ],
)
def test_layers_that_give_no_rows_are_refused(module, inputs, layer, pool, message):
    with pytest.raises(InputError, match=message):
        tap(encoder(module), [layer], pool).module(inputs)
