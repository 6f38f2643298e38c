import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import mitools
from mitools.cli.main import run
from mitools.core.errors import InputError


def audit(encoders, data, **options):
    return mitools.audit(encoders, data, critic=False, **({"progress": False, "control": False} | options))


@pytest.fixture
def result(rows):
    X, y = rows
    return audit({"rows": X, "two": X[:, :2], "one": X[:, :1]}, (X, y))


def test_nothing_is_written_unless_a_folder_is_given(untouched, images, network, rows):
    found = audit({"mine": network, "pixels": "builtin:pixels"}, images(), control=True, layers=["output"])
    found.plot()
    assert repr(found)
    assert found._repr_html_()
    mitools.certify(*rows)
    mitools.correlate(found.table.assign(bits=[1, 2]).iloc[[0, 1, 1]].assign(linear_acc=[0.1, 0.2, 0.4]))
    mitools.calibrate(*rows, "class_posterior", bits=2, truths=[1.0], progress=False)
    study = {"data": ["digits?limit=100"], "encoders": ["builtin:pixels"], "estimators": []}
    assert mitools.study(study, progress=False).cells["state"].tolist() == ["done"]
    with pytest.raises(InputError):
        audit({"broken": nn.Linear(1, 1)}, rows)


def test_the_table_is_that_of_the_files(rows, tmp_path):
    X, y = rows
    found = audit({"rows": X, "two": X[:, :2], "one": X[:, :1]}, (X, y), folder=tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "results.csv")
    assert list(written.columns) == list(found.table.columns)
    assert written["i_class_bits"].tolist() == found.table["i_class_bits"].tolist()
    assert pd.read_csv(tmp_path / "out" / "comparisons.csv")["verdict"].tolist() == list(
        found.comparisons["verdict"]
    )
    correlation = pd.read_csv(tmp_path / "out" / "correlation.csv")
    assert correlation["column"].tolist() == list(found.correlation["column"])
    estimates = json.loads((tmp_path / "out" / "estimates.json").read_text())["encoders"]
    assert estimates["rows"]["estimates"]["i_class"] == found.estimates["rows"]["i_class"].to_dict()
    assert {path.name for path in found.files} >= {
        "results.csv",
        "brackets.png",
        "against_linear_accuracy.svg",
    }
    assert all(path.is_file() for path in found.files)
    assert found.influence_nats["rows"].shape == (found.estimates["rows"]["i_class"].n_report,)

    saved = audit({"rows": X, "two": X[:, :2], "one": X[:, :1]}, (X, y)).save(tmp_path / "again")
    assert {path.name for path in saved} == {path.name for path in found.files}
    again = pd.read_csv(tmp_path / "again" / "results.csv")
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), written.drop(columns="seconds"))


def test_saving_resamples_nothing_again(result, tmp_path, monkeypatch):
    found = result.correlation
    monkeypatch.setattr(
        "mitools.report.encoder_rows.correlate", lambda *given, **more: pytest.fail("resampled")
    )
    result.save(tmp_path)
    assert len(pd.read_csv(tmp_path / "correlation.csv")) == len(found)


def test_an_audit_shows_itself(result):
    text, html = repr(result), result._repr_html_()
    for shown in (text, html):
        assert "i_class_bits" in shown
        assert "bits of class information in rows, of H(C) = 1.575" in shown
        assert "3 pairs of encoders differ" in shown
    assert html.count("<tr") == 4
    assert (result.data, dict(result.failures)) == ("rows", {})


def test_figures_are_drawn_where_the_caller_wants_them(result, rows):
    figure, axes = plt.subplots()
    assert result.plot("brackets", ax=axes) is axes
    assert axes.has_data()
    plt.close(figure)
    panels = result.plot("scatter")
    assert len(panels) > 5
    plt.close("all")
    with pytest.raises(InputError, match="unknown figure 'bracket'; accepted: brackets, scatter or depth"):
        result.plot("bracket")
    with pytest.raises(InputError, match="no network has several layers"):
        result.plot("depth")


def test_layers_have_a_figure_by_depth(rows):
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
    found = audit(net, rows, layers="all")
    assert found.table["layer"].tolist() == ["0", "2", "output"]
    assert found.plot("depth") is not None
    plt.close("all")


def test_an_audit_goes_into_a_correlation(result):
    found = mitools.correlate(result, target="linear_acc")
    assert found.target == "linear_acc"
    assert "i_class_bits" in found.table["column"].tolist()
    assert "encoder" in found.not_numeric
    assert "with linear_acc, over 3 rows" in found._repr_html_()


class Counting(nn.Module):
    """A network that counts the items that passed through it."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.linear, self.scale, self.seen = nn.Linear(3, 4), scale, 0

    def forward(self, batch):
        self.seen += len(batch)
        return self.linear(batch) * self.scale


def test_kept_features_are_reused_and_never_stale(rows, tmp_path):
    torch.manual_seed(0)
    net, cache = Counting(), tmp_path / "cache"
    first = audit(net, rows, cache=cache).table
    assert net.seen == 240 + 8  # and a probe of eight items
    again = audit({"other name": net.train()}, rows, cache=cache).table
    assert net.seen == 240 + 16
    assert again["i_class_bits"].tolist() == first["i_class_bits"].tolist()

    # What weights and architecture do not tell: an attribute, a hook, another forward.
    hook = net.register_forward_hook(lambda module, arguments, output: output * torch.tensor([1, 1, 0, 0.5]))
    net.seen = 0
    hooked = audit(net, rows, cache=cache).table
    assert net.seen == 248
    assert hooked["constant_dims"].tolist() == [1]
    hook.remove()
    net.scale, net.seen = -1.0, 0
    audit(net, rows, cache=cache)
    assert net.seen == 248
    X, y = rows
    net.scale, net.seen = 1.0, 0
    audit(net, (X + 1, y), cache=cache)
    assert net.seen == 248


def test_nothing_of_a_function_is_reused(rows, tmp_path):
    """Two functions of one name agree on the items of a probe and on no other."""
    X, y = rows
    probed = torch.from_numpy(X[np.unique(np.linspace(0, len(X) - 1, 8).round().astype(int))])

    def made(scale):
        def encode(batch):
            seen = (batch[:, None] == probed).all(dim=2).any(dim=1, keepdim=True)
            return torch.where(seen, batch, scale * batch)

        return encode

    kept = {"cache": tmp_path / "cache", "folder": tmp_path / "out"}
    first, second = (audit({"f": made(scale)}, (X, y), **kept).table for scale in (1, 0))
    assert first["i_class_bits"][0] > second["i_class_bits"][0] + 0.1


def test_images_that_a_function_prepares_are_read_at_every_call(images, tmp_path):
    from torchvision import transforms

    net, runs = nn.Sequential(nn.Flatten(), nn.Linear(192, 4)), []
    net.register_forward_hook(lambda module, arguments, output: runs.append(len(output)))
    named = transforms.Compose([transforms.ToTensor()])
    for prepare in (named, named, transforms.Compose([transforms.Lambda(transforms.ToTensor())])):
        audit(net, images(), preprocess=prepare, cache=tmp_path)
    named_again, function = runs.count(8), len(images())
    assert named_again >= 3
    assert sum(runs) == 3 * 8 + 2 * function


def test_an_audit_goes_on_from_a_folder(rows, tmp_path):
    audit({"rows": rows[0]}, rows, folder=tmp_path / "out")
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").iterdir()}
    audit({"rows": rows[0], "two": rows[0][:, :2]}, rows, folder=tmp_path / "out")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").iterdir()}
    assert kept.items() <= after.items()
    assert len(after) == 2 * len(kept)


def test_views_of_pictures(images, network, monkeypatch):
    from mitools.measures import critics

    estimator = critics.VariationalEstimator
    monkeypatch.setattr(
        critics, "VariationalEstimator", lambda *given, **more: estimator(*given, **more, max_steps=5)
    )
    found = audit({"mine": network}, images(), pairing=("same_class", "simclr"))
    assert found.table["i_simclr_bits"].notna().all()
    with pytest.raises(InputError, match="a function cannot prepare augmented views"):
        audit(network, images(), pairing="same_class,simclr", preprocess=lambda image: torch.zeros(3, 8, 8))


def test_a_spec_does_not_read_what_a_transform_made_for_another_network(images):
    data = images(lambda image: torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255)
    with pytest.raises(InputError, match="leave the transform out, so that each encoder prepares the images"):
        audit("builtin:random_conv?width=4", data)
    assert audit(["builtin:pixels", "builtin:pca?k=3"], data).table["dim"].tolist() == [192, 3]


@pytest.mark.parametrize(
    ("encoders", "words"),
    [
        (
            3,
            "an encoder is a int; give a spec such as 'timm:resnet50', a torch module, a function of a batch",
        ),
        (None, "an encoder is a NoneType; give a spec"),
        ({"mine": object()}, "encoder 'mine' is a object; give a spec"),
        ({3: nn.Flatten()}, "3 names an encoder; names are texts"),
        ([], "no encoder is given; give a spec"),
        ({}, "no encoder is given; give a spec"),
        (nn.Flatten, "Flatten is a class; give an instance of it, with its weights"),
        ("resnet50", "unknown source 'resnet50'"),
        (
            {"a": np.zeros((5, 3))},
            "a has 5 rows for the 240 items of rows; extract the features from the same",
        ),
        ({"a": np.zeros(240)}, "a has shape (240,) of float64; an encoder's rows are numbers (n, d)"),
        ({"a": np.full((240, 2), np.inf)}, "a is not finite as float32, first in row 0"),
        ({"a": pd.DataFrame({"b": ["c"] * 240})}, "a has shape (240,)"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_encoder_is_refused_in_one_sentence(rows, encoders, words):
    with pytest.raises(InputError) as caught:
        audit(encoders, rows)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.float16])
def test_items_of_another_type_than_the_weights_say_what_to_convert(dtype):
    items = torch.utils.data.TensorDataset(torch.ones(30, 2, 4, 4).to(dtype), torch.arange(30) % 3)
    net = nn.Sequential(nn.Flatten(), nn.Linear(32, 4))
    words = (
        f"encoder net: the module's weights are float32 and items are {str(dtype)[6:]}; convert one of them"
    )
    with pytest.raises(InputError, match=words):
        audit({"net": net}, items, device="cpu")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pairing": "same"}, "same"),
        ({"prior": "flat"}, "unknown class prior 'flat'"),
        ({"seed": -1}, "seed=-1 must be a whole number of at least 0"),
        ({"seed": 0.5}, "seed=0.5 must be a whole number"),
        ({"views": 1}, "views=1 must be a whole number of at least 2"),
        ({"batch_size": 0}, "batch_size=0 must be"),
        ({"workers": -1}, "workers=-1 must be"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"precision": "fp8"}, "fp8"),
        ({"layers": "nowhere"}, "no layer 'nowhere'"),
        ({"layers": "all", "pool": "max"}, "pool=max"),
        ({"preprocess": 3}, "preprocess is a int; give a function of a PIL image, or options such as"),
        ({"preprocess": {"size": 3}}, "unknown option 'size'"),
        ({"preprocess": {"mean": (0.5, 0.5)}}, "must be three numbers"),
        ({"label": "species"}, "label='species' names a column of a DataFrame"),
        ({"trained_head": True}, "only a run: has a trained head"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_option_is_refused_in_one_sentence(rows, options, words):
    with pytest.raises(InputError) as caught:
        audit(nn.Sequential(nn.Linear(3, 2)), rows, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_preprocess_that_gives_no_tensor(images, network):
    with pytest.raises(
        InputError, match="preprocess returns a Image; it must turn a PIL image into a tensor"
    ):
        audit(network, images(), preprocess=lambda image: image.rotate(90))


def test_names_of_encoders_that_have_none(rows):
    X, y = rows

    def halved(batch):
        return batch / 2

    found = audit([X, halved, nn.Flatten(), nn.Flatten(), "builtin:pixels"], (X, y))
    assert found.table["encoder"].tolist() == ["features", "halved", "Flatten", "Flatten#2", "pixels"]
    assert found.table["source"].tolist() == ["array", "function", "module", "module", "builtin"]


def test_the_command_line_and_python_go_through_the_same_door(image_tar, tmp_path, capsys, monkeypatch):
    asked = []
    door = mitools.api.audit

    def watched(*given, **options):
        asked.append((given, options))
        return door(*given, **options)

    monkeypatch.setattr("mitools.api.audit", watched)
    arguments = [
        "audit",
        "--data",
        f"tar:{image_tar}",
        "--encoder",
        "builtin:pixels",
        "--no-critic",
        "--json",
    ]
    assert run([*arguments, "--out", str(tmp_path / "out")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(asked) == 1
    assert {Path(path).name for path in document["files"]} >= {"results.csv", "brackets.svg"}


class Broken(nn.Linear):
    def state_dict(self, *given, **more):
        raise KeyError("sharded")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
@pytest.mark.parametrize(
    ("make", "layers", "words"),
    [
        (
            lambda: nn.LazyLinear(3),
            None,
            "weight has no shape, as in LazyLinear; call the network on a batch first",
        ),
        (lambda: nn.Linear(3, 2, device="meta"), None, "weight lies on the meta device and holds no numbers"),
        (
            lambda: torch.jit.script(nn.Sequential(nn.Linear(3, 4))),
            "all",
            "is TorchScript, whose layers cannot",
        ),
        (
            lambda: nn.Sequential(torch.jit.script(nn.Linear(3, 4)), nn.Linear(4, 2)),
            "all",
            "layer '0' is TorchScript, whose output cannot be read",
        ),
        (lambda: Broken(3, 2), None, "its weights cannot be read (KeyError: 'sharded'); give a function"),
    ],
)
def test_a_network_that_cannot_be_read_is_refused_in_one_sentence(rows, make, layers, words):
    with pytest.raises(InputError) as caught:
        audit({"odd": make()}, rows, layers=layers)
    assert str(caught.value).startswith("encoder odd")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
