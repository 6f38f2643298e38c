import argparse
import json
import math

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders import load_weights
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.checkpoints.load import digest_weights


def encoder(seed=0, width=6):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(), nn.Linear(width, 4)
    )


SOURCE = encoder(1)
WEIGHTS = SOURCE.state_dict()


def prefixed(prefix, weights=WEIGHTS):
    return {prefix + name: value for name, value in weights.items()}


def save(path, content):
    torch.save(content, path)
    return path


def refused(path, module=None) -> str:
    module = module or encoder(2)
    before = digest_weights(module)
    with pytest.raises(InputError) as caught:
        load_weights(module, path)
    assert digest_weights(module) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "nesting", [(), ("state_dict",), ("model",), ("checkpoint_of", "net")[1:], ("ema", "module")]
)
@pytest.mark.parametrize(
    "prefix", ["", "module.", "backbone.", "module._orig_mod.encoder.", "_orig_mod.module."]
)
def test_every_wrapping_gives_the_same_weights_and_digest(tmp_path, nesting, prefix):
    content = prefixed(prefix)
    for key in reversed(nesting):
        content = {key: content, "epoch": 3, "best_prec1": 91.7}
    loaded = encoder(2)
    report = load_weights(loaded, save(tmp_path / "x.pth", content))
    assert (report.nesting, report.prefix) == (nesting, prefix)
    assert report.weights_digest == digest_weights(SOURCE) == digest_weights(loaded)
    assert report.matched_share == report.matched_parameters_share == 1.0
    x = torch.rand(5, 3, 3, 3)
    assert torch.equal(loaded.eval()(x), SOURCE.eval()(x))


def test_safetensors_give_the_same(tmp_path):
    save_file(prefixed("model."), tmp_path / "x.safetensors")
    assert load_weights(encoder(2), tmp_path / "x.safetensors").weights_digest == digest_weights(SOURCE)


def test_the_old_file_format_of_torch_gives_the_same(tmp_path):
    torch.save(WEIGHTS, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    assert load_weights(encoder(2), tmp_path / "x.pth").weights_digest == digest_weights(SOURCE)


def test_heads_are_set_aside_and_reported(tmp_path):
    content = prefixed("backbone.") | {
        "fc.weight": torch.ones(10, 4),
        "backbone.head.bias": torch.ones(3),
        "projector.0.weight": torch.ones(2, 4),
        "queue": torch.ones(4, 8),
    }
    report = load_weights(encoder(2), save(tmp_path / "x.pth", {"state_dict": content}))
    assert dict(report.set_aside) == {
        "fc.": "classifier",
        "backbone.head.": "classifier",
        "projector.": "projection head",
        "queue": "queue of negatives",
    }
    document = report.to_dict()
    assert ["queue", "queue of negatives"] in document["set_aside"]
    assert json.loads(json.dumps(document)) == document
    assert document["nesting"] == ["state_dict"]
    assert document["matched_share"] == 1.0
    assert document["parameters_matched"] == sum(v.numel() for k, v in WEIGHTS.items() if "num_b" not in k)


def test_weights_of_another_shape_give_way_to_those_that_fit(tmp_path):
    content = {"model": prefixed("", encoder(3, width=5).state_dict()), "model_ema": WEIGHTS}
    report = load_weights(encoder(2), save(tmp_path / "x.pth", content))
    assert report.nesting == ("model_ema",)
    assert report.weights_digest == digest_weights(SOURCE)
    assert (report.weights_choice, report.choices_available) == ("ema", ("online", "ema"))
    assert report.weights_reason == "the online weights have other shapes"


def test_broken_weights_never_give_way_to_others_unasked(tmp_path):
    broken = {f"{name}_" if name == "0.weight" else name: value for name, value in WEIGHTS.items()}
    path = save(tmp_path / "x.pth", {"model": broken, "model_ema": encoder(4).state_dict()})
    message = refused(path)
    assert "'0.weight' 6x3x3x3 (nearest in the file: '0.weight_' 6x3x3x3)" in message
    assert message.endswith("weights=ema would fit")
    assert load_weights(encoder(2), path, "ema").weights_digest == digest_weights(encoder(4))


@pytest.mark.parametrize("weights", [None, "online"])
def test_weights_that_the_file_lacks_are_refused_and_the_others_named(tmp_path, weights):
    path = save(tmp_path / "x.pth", {"state_dict": WEIGHTS})
    report = load_weights(encoder(2), path, weights)
    assert report.weights_digest == digest_weights(SOURCE)
    with pytest.raises(InputError, match=r"x\.pth: holds no weights=ema; it has online$"):
        load_weights(encoder(2), path, "ema")


@pytest.mark.parametrize(
    "compiled",
    [
        lambda name: f"_orig_mod.module.backbone.{name}",
        lambda name: f"module._orig_mod.backbone.{name}",
        lambda name: f"backbone._orig_mod.{name}",
        lambda name: f"backbone.0._orig_mod.{name[2:]}" if name.startswith("0.") else f"backbone.{name}",
        lambda name: f"_orig_mod.backbone._fsdp_wrapped_module._orig_mod.{name}",
    ],
    ids=["outside", "inside", "after the prefix", "inside the encoder", "more than once"],
)
def test_a_compiled_network_loads_wherever_it_was_compiled(tmp_path, compiled):
    content = {compiled(name): value for name, value in WEIGHTS.items()} | {
        "fc._orig_mod.bias": torch.ones(2)
    }
    report = load_weights(encoder(2), save(tmp_path / "x.pth", {"state_dict": content}))
    assert report.weights_digest == digest_weights(SOURCE)
    assert dict(report.set_aside) == {"fc._orig_mod.": "classifier"}


def test_wrappers_in_the_architecture_are_no_obstacle(tmp_path):
    report = load_weights(nn.DataParallel(encoder(2)), save(tmp_path / "x.pth", {"state_dict": WEIGHTS}))
    assert report.matched_share == 1.0
    report = load_weights(nn.DataParallel(encoder(2)), save(tmp_path / "x.pth", prefixed("backbone.module.")))
    assert (report.matched_share, report.prefix) == (1.0, "backbone.module.")


def test_what_lies_elsewhere_in_the_file_is_reported(tmp_path):
    content = {
        "model": prefixed("module."),
        "optimizer": {"state": {0: {"momentum": torch.ones(2)}}},
        "ema": encoder(4).state_dict(),
        "memory_bank": [torch.ones(3)],
        "other": {"x": {"y": torch.ones(3)}},
        "epoch": 3,
    }
    assert dict(load_weights(encoder(2), save(tmp_path / "x.pth", content)).set_aside) == {
        "optimizer": "state of training",
        "ema": "the ema weights; weights=ema takes them",
        "memory_bank": "memory of the loss",
        "other": "not part of the encoder",
    }


@pytest.mark.parametrize(
    ("settings", "layers", "found"),
    [
        ({"args": argparse.Namespace(mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1])}, {}, "args.mean, args.std"),
        ({"opt": argparse.Namespace(mean="(0.5, 0.4, 0.3)", std="(0.2, 0.2, 0.1)")}, {}, "opt.mean, opt.std"),
        (
            {"hyper_parameters": {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1)}},
            {},
            "hyper_parameters.mean,",
        ),
        (
            {},
            {
                "module.normalizer.new_mean": torch.tensor([0.5, 0.4, 0.3]).reshape(3, 1, 1),
                "module.normalizer.new_std": torch.tensor([0.2, 0.2, 0.1]).reshape(3, 1, 1),
            },
            "normalizer.new_mean, normalizer.new_std",
        ),
        ({"args": argparse.Namespace(mean=None, std=None)}, {}, None),
        ({"args": {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}}, {}, None),
        ({"args": {"mean": "dataset", "std": 0.5}}, {}, None),
        ({}, {}, None),
    ],
)
def test_a_normalisation_in_the_file_is_found(tmp_path, settings, layers, found):
    path = save(tmp_path / "x.pth", {"state_dict": prefixed("module.") | layers, **settings})
    normalisation = load_weights(encoder(2), path).normalisation
    if found is None:
        assert normalisation is None
    else:
        assert (normalisation.mean, normalisation.std) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
        assert normalisation.where.startswith(found)


def test_step_counts_may_be_absent(tmp_path):
    bare = {name: value for name, value in WEIGHTS.items() if not name.endswith("num_batches_tracked")}
    report = load_weights(encoder(2), save(tmp_path / "x.pth", bare))
    assert report.weights_digest == digest_weights(SOURCE)


def test_half_precision_is_widened(tmp_path):
    half = {name: value.half() if value.is_floating_point() else value for name, value in WEIGHTS.items()}
    loaded = encoder(2)
    load_weights(loaded, save(tmp_path / "x.pth", half))
    assert loaded[0].weight.dtype == torch.float32
    assert torch.equal(loaded[0].weight, WEIGHTS["0.weight"].half().float())


@pytest.mark.parametrize("name", [name for name in WEIGHTS if not name.endswith("num_batches_tracked")])
def test_one_renamed_key_is_refused_and_the_nearest_is_named(tmp_path, name):
    renamed = {(f"{key}_" if key == name else key): value for key, value in WEIGHTS.items()}
    message = refused(save(tmp_path / "x.pth", renamed))
    assert f"1 of the encoder's 8 tensors are not in the file by name and shape: '{name}'" in message
    assert f"(nearest in the file: '{name}_'" in message


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_not_finite_are_refused_by_name(tmp_path, value):
    broken = WEIGHTS | {"0.weight": torch.full_like(WEIGHTS["0.weight"], value)}
    message = refused(save(tmp_path / "x.pth", broken))
    assert "1 tensors hold values that are not finite (0.weight); the training diverged" in message


def test_another_shape_is_refused_with_both_shapes(tmp_path):
    other = WEIGHTS | {"0.weight": torch.zeros(6, 3, 5, 5)}
    message = refused(save(tmp_path / "x.pth", other))
    assert "'0.weight' 6x3x3x3 (nearest in the file: '0.weight' 6x3x5x5)" in message


def test_another_architecture_is_refused_with_three_names(tmp_path):
    message = refused(save(tmp_path / "x.pth", WEIGHTS), CifarResNet(20))
    assert "95 of the encoder's 95 tensors" in message
    assert "'conv1.weight' 16x3x3x3" in message
    assert "and 92 more; nothing was loaded" in message


def test_a_deeper_network_of_the_same_family_is_refused_both_ways(tmp_path):
    shallow, deep = CifarResNet(20), CifarResNet(32)
    message = refused(save(tmp_path / "deep.pth", deep.state_dict()), shallow)
    assert (
        "60 tensors fit nowhere in the encoder and belong to no known head: 'layer1.3.conv1.weight'"
        in message
    )
    message = refused(save(tmp_path / "shallow.pth", shallow.state_dict()), deep)
    assert "'layer1.3.conv1.weight' 16x16x3x3 (nearest in the file: 'layer1." in message


def test_left_over_tensors_of_no_known_head_are_refused(tmp_path):
    message = refused(save(tmp_path / "x.pth", WEIGHTS | {"shortcut.weight": torch.ones(2)}))
    assert "1 tensors fit nowhere in the encoder and belong to no known head: 'shortcut.weight'" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no tensors at any place known to hold weights (top level: nothing)"),
        ({"epoch": 1, "nested": {"w": torch.ones(1)}}, "(top level: 'epoch', 'nested')"),
        ([torch.ones(2)], "holds a list, not weights by name"),
        (torch.ones(2), "holds a Tensor, not weights by name"),
    ],
)
def test_what_holds_no_weights_is_refused(tmp_path, content, message):
    assert message in refused(save(tmp_path / "x.pth", content))


def test_the_digest_covers_every_weight_name_and_value():
    changed = encoder(1)
    with torch.no_grad():
        changed[4].bias[2] += 1e-6
    assert digest_weights(changed) != digest_weights(SOURCE)
    assert digest_weights(encoder(1)) == digest_weights(SOURCE)
    assert digest_weights(nn.Sequential(SOURCE)) != digest_weights(SOURCE)
