"""Learned views: who minimises what, runs that stop, diverge or are shared, and what is made of them."""

import math
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.encoders import open_encoder
from mitools.encoders.architectures import build
from mitools.encoders.architectures.convnet import ConvNet
from mitools.encoders.untrained_twin import untrained_twin
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import NotFiniteError, train
from mitools.training.losses import infonce
from mitools.training.methods import Batch, make_method
from mitools.training.methods.multiview.learned_views import LearnedViews
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.flow.generator_file import GENERATOR, read_generator
from mitools.views.registry import make_view

BASE: dict[str, Any] = {
    "encoder": "tiny", "data": "digits?limit=64", "method": "learned_views", "epochs": 3, "batch_size": 16,
    "log_every": 1, "optimiser": {"learning_rate": 1e-3, "weight_decay": 0.0},
}  # fmt: skip
WIDTH = 128
"""Numbers that the encoder of a view gives."""

SEMI_SUPERVISED = {"learn": "semi_supervised", "labelled": "digits?limit=40", "hidden": 8, "head_width": 16}
K = 6


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know a network ``tiny``."""
    monkeypatch.setitem(build.NETWORKS, "tiny", partial(ConvNet, WIDTH // 16))


def recipe_of(options: dict[str, Any] | None = None, **changes: Any) -> TrainingRecipe:
    return make_recipe(BASE | {"options": options or {}} | changes, TrainingRecipe, "recipe")


def data_of(seed: int, count: int = 12, channels: int = 3) -> TrainingData:
    numbers = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, channels, 8, 8), generator=numbers).to(torch.uint8)
    return TrainingData(pixels, (torch.arange(count) + seed) % 3, 3, load_labelled=lambda spec: data_of(1))


def made(**options: Any) -> tuple[LearnedViews, Batch]:
    """Make a method whose generator is no identity, and a batch of its first items."""
    data = data_of(0)
    method = make_method(recipe_of(options, batch_size=K), data)
    assert isinstance(method, LearnedViews)
    numbers = torch.Generator().manual_seed(2)
    for weight in method.generator.parameters():
        weight.data = torch.randn(weight.shape, generator=numbers) / 5
    items = torch.arange(K)
    return method, Batch([data.draw(method.views[0], items, 0)], data.labels[items], items, step=4)


def gradients(method: LearnedViews, value: Tensor) -> dict[str, list[Tensor]]:
    method.zero_grad()
    value.backward()
    parts = {"generator": method.generator, "encoders": method.encoders, "classifiers": method.classifiers}
    return {
        name: [weight.grad.clone() for weight in part.parameters() if weight.grad is not None]
        for name, part in parts.items()
    }


def infonce_of(method: LearnedViews, images: Tensor) -> Tensor:
    """InfoNCE's loss between the views, the mean of both directions, without any reversal."""
    values = method.generator(images).values
    x, y = (network(part) for network, part in zip(method.encoders, values.split([1, 2], 1), strict=True))
    temperature = method.options.temperature
    return (infonce(x, y, temperature) + infonce(y, x, temperature)) / 2


def labels_of(method: LearnedViews, images: Tensor, labels: Tensor) -> Tensor:
    values = method.generator(images).values
    parts = zip(method.classifiers, values.split([1, 2], 1), strict=True)
    return torch.stack([functional.cross_entropy(network(part), labels) for network, part in parts]).sum()


def test_the_generator_reads_every_channel_between_minus_one_and_one() -> None:
    for space in ("rgb", "ydbdr"):
        method, batch = made(space=space)
        colours = make_view(space)(method.data.pixels[:K] / 255, torch.empty(K, 0))
        torch.testing.assert_close(batch.views[0], 2 * colours - 1)


def test_encoders_maximise_infonce_and_the_generator_minimises_it() -> None:
    method, batch = made(temperature=0.2)
    loss = method(batch)
    plain = infonce_of(method, batch.views[0])
    torch.testing.assert_close(loss.value, plain)
    assert loss.ceiling_nats == math.log(K)
    torch.testing.assert_close(loss.nats, math.log(K) - plain.detach())
    found, expected = gradients(method, loss.value), gradients(method, plain)
    torch.testing.assert_close(found["encoders"], expected["encoders"])
    assert float(max(one.abs().max() for one in expected["generator"])) > 1e-4
    torch.testing.assert_close(found["generator"], [-one for one in expected["generator"]])
    assert found["classifiers"] == []


def test_classifiers_and_generator_lower_the_cross_entropy_together() -> None:
    method, batch = made(learn="supervised")
    loss = method(batch)
    plain = labels_of(method, batch.views[0], batch.labels)
    torch.testing.assert_close(loss.value, plain)
    assert (loss.nats, loss.ceiling_nats) == (None, None)
    found, expected = gradients(method, loss.value), gradients(method, plain)
    torch.testing.assert_close(found["generator"], expected["generator"])
    torch.testing.assert_close(found["classifiers"], expected["classifiers"])
    assert float(sum(loss.terms.values())) == pytest.approx(plain.item())


def test_semi_supervised_is_eq_3_on_an_unlabelled_and_a_labelled_batch() -> None:
    method, batch = made(learn="semi_supervised", labelled="others")
    items = torch.from_numpy(method._order.items(batch.step)[0])
    others = data_of(1)
    labelled, labels = others.draw(method.views[0], items, 0), others.labels[items]
    all_images = torch.cat([batch.views[0], labelled])
    loss = method(batch)
    shared, wrong = infonce_of(method, all_images), labels_of(method, labelled, labels)
    torch.testing.assert_close(loss.value, shared + wrong)
    assert loss.ceiling_nats == math.log(2 * K)
    found = gradients(method, loss.value)
    generator = zip(
        gradients(method, labels_of(method, labelled, labels))["generator"],
        gradients(method, infonce_of(method, all_images))["generator"],
        strict=True,
    )
    torch.testing.assert_close(found["generator"], [kept - lowered for kept, lowered in generator])
    # The labels of the run's own data are not read, and each step has other labelled images.
    unread = Batch(batch.views, 0 * batch.labels, batch.items, batch.step)
    assert method(unread).value == loss.value
    assert method(Batch(batch.views, batch.labels, batch.items, batch.step + 1)).value != loss.value


def test_the_generator_moves_at_its_own_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, ...]] = []
    stepped = trainer._Run._step

    def note(self: Any, prepared: Any, step: int, rate: float) -> Any:
        loss = stepped(self, prepared, step, rate)
        seen.append((rate, *sorted({group["lr"] for group in self.optimiser.param_groups})))
        return loss

    monkeypatch.setattr(trainer._Run, "_step", note)
    train(recipe_of({"generator_rate": 5e-4}, epochs=1), tmp_path / "own")
    train(recipe_of(epochs=1), tmp_path / "third")
    for rates, factor in ((seen[:4], 1 / 2), (seen[4:], 1 / 3)):
        for rate, low, high in rates:
            assert (low, high) == pytest.approx((factor * rate, rate))


def weights(run: Path) -> dict[str, Tensor]:
    folder = run / "checkpoints" / "epoch-0003"
    files = ("encoder", "head", "generator")
    return {
        f"{file}.{name}": value
        for file in files
        for name, value in load_file(folder / f"{file}.safetensors").items()
    }


def test_a_stopped_run_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of(SEMI_SUPERVISED, augmentation={"crop_area": 0.6})
    train(recipe, tmp_path / "whole")
    kept = trainer._Run._keep

    def stop(self: Any, epoch: int) -> None:
        kept(self, epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_keep", stop)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "stopped")
    train(recipe, tmp_path / "stopped")
    whole, stopped = (weights(tmp_path / name) for name in ("whole", "stopped"))
    assert whole.keys() == stopped.keys()
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    found = read_generator(tmp_path / "whole" / "checkpoints" / "epoch-0003" / GENERATOR).generator
    images = torch.rand(4, 3, 8, 8)
    assert not torch.equal(found(images).values, images)
    torch.testing.assert_close(found.inverse(found(images).values), images, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    known_everywhere = {"options": SEMI_SUPERVISED, "encoder": "convnet"}
    path.write_text(yaml.safe_dump(BASE | known_everywhere))
    train(recipe_of(**known_everywhere), tmp_path / "one")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "LOCAL_WORLD_SIZE": "2"}
    both = [start(path, tmp_path / "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in range(2)]
    # Not their exit codes: gloo may abort a process whose peer has left, when all is computed and written.
    for process in both:
        process.wait(timeout=240)
    one, two = (RunFolder(tmp_path / name) for name in ("one", "two"))
    assert [record["step"] for record in two.metrics()] == list(range(12))
    for a, b in zip(one.metrics(), two.metrics(), strict=True):
        for term in ("infonce_loss", "label_loss1", "label_loss2"):
            assert b[term] == pytest.approx(a[term], abs=1e-4)
    first, second = (
        read_generator(run.path / "checkpoints" / "epoch-0003" / GENERATOR).generator for run in (one, two)
    )
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert float((first(images).values - images).abs().max()) > 1e-3
    torch.testing.assert_close(first(images).values, second(images).values, atol=1e-4, rtol=1e-3)


def start(recipe: Path, out: Path, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-m", "mitools", "train", str(recipe), "--out", str(out)]
    settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    with (out.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen([*command, "--device", "cpu"], env=settings, stdout=log, stderr=log)


def test_what_diverges_names_the_step_in_one_line(tmp_path: Path) -> None:
    recipe = recipe_of(optimiser={"learning_rate": 1e25}, epochs=2)
    with pytest.raises(NotFiniteError, match=r"the loss is not finite at step \d+; lower") as caught:
        train(recipe, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_the_run_is_the_encoders_of_its_learned_views_wherever_it_lies(tmp_path: Path) -> None:
    train(recipe_of(SEMI_SUPERVISED, epochs=1), tmp_path / "made")
    (tmp_path / "made").rename(tmp_path / "run")
    encoder = open_encoder(f"run:{tmp_path / 'run'}")
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    rows = encoder.module(images)
    for number, part in enumerate(encoder.module.parts):
        view = make_view(f"flow:{tmp_path / 'run'}#{number}")
        drawn = view(images, torch.empty(5, 0))
        torch.testing.assert_close(
            part.network((drawn - 0.5) / 0.5), rows[:, WIDTH * number : WIDTH * (number + 1)]
        )
    # An untrained twin is an untrained network of the same views.
    twin = untrained_twin(encoder, seed=1)
    assert twin is not None
    assert not torch.allclose(twin.module(images), rows)
    drawn = [part.view(images, torch.empty(5, 0)) for part in (twin.module.parts[0], encoder.module.parts[0])]
    assert torch.equal(*drawn)


def test_contrastive_training_takes_learned_views(tmp_path: Path) -> None:
    train(recipe_of(epochs=1), tmp_path / "views")
    names = [f"flow:{tmp_path / 'views'}#{number}" for number in (0, 1)]
    train(recipe_of({"views": names, "head_width": 16}, method="cmc", epochs=1), tmp_path / "cmc")
    encoder = open_encoder(f"run:{tmp_path / 'cmc'}")
    assert [part.view.name for part in encoder.module.parts] == names
    assert [part.channels for part in encoder.module.parts] == [1, 2]
    assert encoder.module(torch.rand(2, 3, 8, 8)).shape == (2, 2 * WIDTH)
    with pytest.raises(InputError, match="is no run of learned_views"):
        make_view(f"flow:{tmp_path / 'cmc'}#0")


@pytest.mark.slow
def test_views_are_measured(tmp_path: Path) -> None:
    import mitools

    train(recipe_of(epochs=1), tmp_path / "views")
    pair = ",".join(f"flow:{tmp_path / 'views'}#{number}" for number in (0, 1))
    found = mitools.measure_views("digits?limit=300", pair, methods="infonce", steps=30, progress=False)
    assert found.table["shared_bits"].notna().all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"learn": "semi_supervised"}, "from labelled images beside the run's own; name their data as"),
        ({"labelled": "digits"}, "options.labelled is for learn: semi_supervised; unsupervised reads"),
        ({"space": "ybdr"}, "unknown colour space 'ybdr'; accepted: rgb,"),
        ({"coupling": "glow"}, r"'options\.coupling'"),
        ({"blocks": 0}, r"'options\.blocks': .*greater than or equal to 1"),
    ],
)
def test_options_that_do_not_fit_are_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        recipe_of(options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        ({"learn": "supervised"}, {"data": "digits?classes=3"}, "digits.classes=3 has labels of one class"),
        (
            {"learn": "semi_supervised", "labelled": "digits?classes=3"},
            {},
            "has labels of one class, from which semi_supervised learns nothing",
        ),
        (SEMI_SUPERVISED, {"batch_size": 64}, "takes as many labelled images a step, and .* has 40; lower"),
    ],
)
def test_labels_that_are_missing_are_one_line(
    options: dict[str, Any], changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        train(recipe_of(options, **changes), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_images_without_three_channels_are_one_line() -> None:
    with pytest.raises(InputError, match=r"reads images of 3 channels, and those of digits.* have 1$"):
        make_method(recipe_of(batch_size=K), data_of(0, channels=1))
