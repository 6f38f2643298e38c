"""Weights at a place that no table holds: found where it is the only one, else chosen by key= and prefix=."""

import gzip
import re
import tarfile

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from mitools.core.errors import InputError
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.checkpoints.load import digest_weights, load_weights


def network(seed):
    torch.manual_seed(seed)
    return CifarResNet(8)


SOURCE = network(1)
WEIGHTS = SOURCE.state_dict()
OTHER = network(2).state_dict()
COUNT = sum("num_batches" not in name for name in WEIGHTS)


def prefixed(prefix, weights=WEIGHTS):
    return {prefix + name: value for name, value in weights.items()}


def load(tmp_path, content, **options):
    torch.save(content, tmp_path / "x.pth")
    return load_weights(network(3), tmp_path / "x.pth", **options)


def refused(tmp_path, content, **options):
    with pytest.raises(InputError) as caught:
        load(tmp_path, content, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "model_state", "simclr_state", "encoder_state_dict", "online_network_state_dict", "params_ema", "a b",
        "generator",
    ],
)  # fmt: skip
def test_weights_under_any_key_are_found_and_told(tmp_path, key):
    report = load(tmp_path, {key: WEIGHTS, "epoch": 3, "optimizer": {"state": {0: torch.ones(2)}}})
    assert report.weights_digest == digest_weights(SOURCE)
    assert report.nesting == (key,)
    assert report.place_reason == f"the only place in the file that holds all {COUNT} tensors of the encoder"
    assert dict(report.set_aside)["optimizer"] == "state of training"


@pytest.mark.parametrize("beside", [{}, {"text.weight": torch.ones(2)}], ids=["alone", "beside another"])
@pytest.mark.parametrize("prefix", ["visual.", "module.0.", "wrapped.net.", "a.b.c.d.", "encoder_1."])
def test_weights_behind_any_prefix_are_found_and_told(tmp_path, prefix, beside):
    report = load(tmp_path, {"state_dict": prefixed(prefix) | beside})
    assert report.weights_digest == digest_weights(SOURCE)
    assert (report.nesting, report.prefix) == (("state_dict",), prefix)
    assert report.set_aside == ((("text", "beside the encoder"),) if beside else ())


def test_several_places_are_refused_and_named_by_the_options_that_choose(tmp_path):
    content = {"first": {"inner": prefixed("net1.")}, "second": OTHER}
    message = refused(tmp_path, content)
    assert f"2 places hold all {COUNT} tensors of the encoder, with different numbers" in message
    named = re.search(r"choose with (\S+) or (\S+)", message)
    assert named is not None
    assert named.groups() == ("key=first.inner&prefix=net1.", "key=second")
    report = load(tmp_path, content, key="first.inner", prefix="net1.")
    assert report.weights_digest == digest_weights(SOURCE)
    assert report.place_reason == "asked for: key=first.inner&prefix=net1."
    for options in ({"key": "second"}, {"key": "second", "prefix": ""}):
        assert load(tmp_path, content, **options).weights_digest == digest_weights(network(2))
    assert load(tmp_path, content, prefix="net1").weights_digest == digest_weights(SOURCE)


def test_two_prefixes_in_one_mapping_are_refused_and_chosen_between(tmp_path):
    content = prefixed("left.") | prefixed("right.", OTHER)
    assert "prefix=left. or prefix=right." in refused(tmp_path, content)
    report = load(tmp_path, content, prefix="right.")
    assert report.weights_digest == digest_weights(network(2))
    assert dict(report.set_aside) == {"left": "beside the encoder"}


def test_copies_of_the_same_numbers_are_one_place(tmp_path):
    copies = {name: value.clone() for name, value in WEIGHTS.items()}
    assert load(tmp_path, {"last": WEIGHTS, "best": copies}).nesting == ("last",)


def test_a_known_place_comes_before_others_and_key_decides_otherwise(tmp_path):
    content = {"state_dict": WEIGHTS, "swa": OTHER}
    report = load(tmp_path, content)
    assert report.weights_digest == digest_weights(SOURCE)
    assert report.place_reason == "where plain weights keeps them"
    assert load(tmp_path, content, key="swa").weights_digest == digest_weights(network(2))


def test_broken_weights_at_a_known_place_do_not_give_way_unasked(tmp_path):
    broken = {f"{name}_" if name == "conv1.weight" else name: value for name, value in WEIGHTS.items()}
    message = refused(tmp_path, {"state_dict": broken, "backup": OTHER})
    assert message.endswith("key=backup would fit")


def test_a_named_place_is_read_whole_or_not_at_all(tmp_path):
    content = {"state_dict": WEIGHTS, "half": {k: v for k, v in OTHER.items() if "layer3" not in k}}
    assert f"of the encoder's {COUNT} tensors are not in the file" in refused(tmp_path, content, key="half")
    message = refused(tmp_path, content, key="nowhere")
    assert "key=nowhere leads to no tensors; tensors lie at state_dict, half" in message
    assert "are two ways to choose" in refused(tmp_path, content, key="half", weights="ema")


def test_a_deeper_network_at_an_unknown_place_is_still_refused(tmp_path):
    message = refused(tmp_path, {"my_model": CifarResNet(20).state_dict()})
    assert "tensors fit nowhere in the encoder" in message


WRONG = {
    "a web page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "a gzip": gzip.compress(b"\x80\x02."),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + b"\0" * 600,
    "a quantised GGUF file": b"GGUF" + b"\0" * 600,
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("ending", ["pth", "safetensors", "npz"])
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path, what, ending):
    (tmp_path / f"x.{ending}").write_bytes(WRONG[what])
    with pytest.raises(InputError, match=f"no checkpoint but {what}"):
        load_weights(network(3), tmp_path / f"x.{ending}")


def test_a_zipped_page_a_torchscript_archive_and_a_tar_are_called_what_they_are(tmp_path):
    (tmp_path / "x.pth").write_bytes(gzip.compress(b"<html>no</html>"))
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "y.pt")
    with tarfile.open(tmp_path / "z.pth", "w") as archive:
        archive.add(tmp_path / "x.pth", "x.pth")
    for name, what in (
        ("x.pth", "a web page"),
        ("y.pt", "a TorchScript archive"),
        ("z.pth", "a tar archive"),
    ):
        with pytest.raises(InputError, match=f"no checkpoint but {what}"):
            load_weights(network(3), tmp_path / name)


def test_pruned_and_quantised_weights_are_called_so(tmp_path):
    pruned = network(1)
    prune.l1_unstructured(pruned.conv1, "weight", 0.5)
    message = refused(tmp_path, {"state_dict": pruned.state_dict()})
    assert "its weights are pruned (conv1.weight_orig and conv1.weight_mask in the place of" in message
    packed = dict(WEIGHTS)
    packed["conv1.weight"] = torch.quantize_per_tensor(packed["conv1.weight"], 0.1, 0, torch.qint8)
    assert "its weights are quantised (conv1.weight)" in refused(tmp_path, {"state_dict": packed})
    packed = {k: v for k, v in WEIGHTS.items() if k != "conv1.weight"} | {"conv1.qweight": torch.ones(3, 3)}
    assert "its weights are quantised (conv1.qweight)" in refused(tmp_path, packed)


def test_an_object_in_the_place_of_weights_is_named(tmp_path):
    assert "'model', an object of Linear" in refused(tmp_path, {"model": nn.Linear(2, 2)})
