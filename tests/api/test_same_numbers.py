"""The same weights on the same items give the same row, to the last digit, wherever they come from."""

import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import v2

import mitools
from mitools.cli.main import run
from mitools.encoders.architectures import CifarResNet

PLACE = ["encoder", "network", "source", "digest", "seconds"]
"""Columns that say what was measured and not what was found."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BY_HAND = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, network_maker):
    """The file that the network's weights were saved to."""
    path = tmp_path_factory.mktemp("checkpoint") / "mine.pth"
    torch.save({"state_dict": network_maker().state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def image_tar(tmp_path_factory, image_tar_writer):
    """A tar of three classes of 40 images."""
    return image_tar_writer(tmp_path_factory.mktemp("images") / "images.tar", [40, 40, 40])


@pytest.fixture(scope="module")
def of_the_command_line(image_tar, checkpoint):
    """The row of the network, audited on the command line."""
    out = checkpoint.parent / "out"
    arguments = ["audit", "--data", f"tar:{image_tar}", "--out", str(out), "--cache", str(out / "features")]
    arguments += ["--no-critic", "--encoder", f"checkpoint:{checkpoint}?arch=cifar_resnet8"]
    assert run(arguments) == 0
    return pd.read_csv(out / "results.csv").drop(columns=PLACE)


def row_of(encoders, data, **options):
    found = mitools.audit(encoders, data, critic=False, progress=False, **options)
    assert found.failures == {}
    return found.table.drop(columns=PLACE)


def same(found, expected):
    assert list(found.columns) == list(expected.columns)
    for column in expected:
        # As CSV has them: the digits of every number.
        one, other = (table[column].fillna("").to_csv(index=False) for table in (found, expected))
        assert one == other, column


def test_a_network_built_by_hand_and_a_dataset_give_the_row_of_the_command_line(
    of_the_command_line, images, network, checkpoint
):
    loaded = CifarResNet(8)
    loaded.load_state_dict(torch.load(checkpoint)["state_dict"])
    same(row_of({"mine": loaded}, images(BY_HAND)), of_the_command_line)
    # In training mode, and by a loader that shuffles and has batches of its own.
    loader = DataLoader(images(BY_HAND), batch_size=7, shuffle=True, drop_last=True)
    same(row_of({"mine": network}, loader), of_the_command_line)


def test_pictures_that_the_audit_prepares_give_it_too(of_the_command_line, images, network):
    same(row_of(network, images()), of_the_command_line)
    same(row_of([network], images(), preprocess=BY_HAND), of_the_command_line)
    same(row_of({"a": network}, images(), preprocess={"mean": MEAN, "std": STD}), of_the_command_line)
    bytes_only = images(v2.PILToTensor())
    same(row_of(network, bytes_only), of_the_command_line)


def test_methods_functions_and_rows_give_it_too(of_the_command_line, images, network):
    of_a_twin = [name for name in of_the_command_line if name.startswith("control")] + ["warnings"]
    alone = of_the_command_line.drop(columns=of_a_twin)
    network.eval()
    data = images(BY_HAND)
    with torch.no_grad():
        network.to(memory_format=torch.channels_last)
        batch = torch.stack([image for image, _ in data]).contiguous(memory_format=torch.channels_last)
        features = network(batch)
        network.to(memory_format=torch.contiguous_format)
    encoders = {
        "method": network.forward,
        "function": lambda batch: network(batch).numpy(),
        "tensor": features.requires_grad_(),
        "table": pd.DataFrame(features.detach().numpy()),
    }
    found = row_of(encoders, data).drop(columns=of_a_twin)
    same(found.iloc[[2]].reset_index(drop=True), alone)
    same(found.iloc[[3]].reset_index(drop=True), alone)
    for number in (0, 1):  # where the weights lie in memory moves the last digit of a convolution
        one = found.iloc[number]
        assert one["i_class_bits"] == pytest.approx(alone["i_class_bits"][0], abs=1e-4)
        assert one["linear_acc"] == alone["linear_acc"][0]


def test_specs_read_the_pictures_of_a_dataset(image_tar, images):
    specs = ["builtin:pixels", "builtin:pca?k=4", "builtin:random_conv?width=4"]
    same(row_of(specs, images()), row_of(specs, f"tar:{image_tar}"))
