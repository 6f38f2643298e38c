import os
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mitools.encoders import load_weights
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.checkpoints import digest_weights
from mitools.errors import InputError


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
    assert set(report.classifier_keys) == {"fc.weight", "backbone.head.bias"}
    assert set(report.other_head_keys) == {"projector.0.weight", "queue"}
    document = report.to_dict()
    assert document["nesting"] == ["state_dict"]
    assert document["matched_share"] == 1.0
    assert document["parameters_matched"] == sum(v.numel() for k, v in WEIGHTS.items() if "num_b" not in k)


def test_the_nesting_that_matches_most_is_taken(tmp_path):
    content = {"model": prefixed("", encoder(3, width=5).state_dict()), "model_ema": WEIGHTS}
    report = load_weights(encoder(2), save(tmp_path / "x.pth", content))
    assert report.nesting == ("model_ema",)
    assert report.weights_digest == digest_weights(SOURCE)


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
        "72 tensors fit nowhere in the encoder and belong to no known head: 'layer1.3.conv1.weight'"
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


@pytest.mark.parametrize("kind", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path, kind, keep):
    path = tmp_path / kind
    save_file(WEIGHTS, path) if kind.endswith("safetensors") else torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    message = refused(path)
    assert str(path) in message
    assert "damaged" in message


def test_missing_files_and_folders_are_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "nowhere.pth")
    assert "no such file" in refused(tmp_path)


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize(
    "write",
    [
        lambda content, path: torch.save(content, path),
        lambda content, path: torch.save(content, path, _use_new_zipfile_serialization=False),
        lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2)),
        lambda content, path: path.write_bytes(pickle.dumps(content, protocol=5)),
    ],
    ids=["zip", "legacy", "pickle 2", "pickle 5"],
)
@pytest.mark.parametrize("depth", [0, 1])
def test_a_pickle_that_would_run_code_is_named_and_runs_nothing(tmp_path, write, depth):
    canary = tmp_path / "canary"
    content = Canary(canary) if depth == 0 else {"state_dict": {"x": Canary(canary), **WEIGHTS}}
    write(content, tmp_path / "x.pth")
    message = refused(tmp_path / "x.pth")
    assert "refused, since loading it would call posix.system; nothing was run" in message
    assert not canary.exists()


def test_a_whole_pickled_model_is_refused_with_the_remedy(tmp_path):
    message = refused(save(tmp_path / "x.pth", nn.Linear(2, 2)))
    assert "torch.nn.modules.linear.Linear" in message
    assert "torch.save(model.state_dict(), ...)" in message


def test_the_digest_covers_every_weight_name_and_value():
    changed = encoder(1)
    with torch.no_grad():
        changed[4].bias[2] += 1e-6
    assert digest_weights(changed) != digest_weights(SOURCE)
    assert digest_weights(encoder(1)) == digest_weights(SOURCE)
    assert digest_weights(nn.Sequential(SOURCE)) != digest_weights(SOURCE)
