"""MoCo: queries, keys and queue by hand, the branch of nine crops, and a stopped run that goes on."""

import math
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.encoders import open_encoder
from mitools.training.loop import trainer
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.methods.base import Batch
from mitools.training.methods.moco import MoCo
from mitools.training.methods.registry import make_method
from mitools.training.networks.heads import JigsawHead
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData

N, K = 40, 6

RUN: dict[str, Any] = {
    "encoder": "convnet", "data": "digits?limit=64", "method": "moco", "epochs": 2, "batch_size": 16,
    "options": {"negatives_count": 24, "momentum": 0.9, "jigsaw": "jigsaw", "head_width": 16},
    "log_every": 1,
}  # fmt: skip


def moco(epochs: int = 2, **options: Any) -> MoCo:
    pixels = torch.randint(0, 256, (N, 3, 12, 12), generator=torch.Generator().manual_seed(0))
    data = TrainingData(pixels.to(torch.uint8), torch.arange(N) % 3, 3)
    recipe = RUN | {"epochs": epochs, "batch_size": K, "augmentation": "infomin",
                    "options": {"negatives_count": 10} | options}  # fmt: skip
    method = make_method(TrainingRecipe.model_validate(recipe), data)
    assert isinstance(method, MoCo)
    return method.train()


def batch_of(method: MoCo, step: int = 0, first: int | None = None) -> Batch:
    items = torch.arange(K) + (K * step if first is None else first)
    views = [method.data.draw(view, items, seed + 10 * step) for seed, view in enumerate(method.views)]
    return Batch(views, torch.zeros(K, dtype=torch.int64), items, step)


def by_hand(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    queries, keys = functional.normalize(queries, dim=1), functional.normalize(keys, dim=1)
    scores = torch.cat([(queries * keys).sum(dim=1, keepdim=True), queries @ queue.T], dim=1)
    return functional.cross_entropy(scores / temperature, torch.zeros(len(queries), dtype=torch.int64))


@pytest.mark.parametrize("head", ["mlp", "linear"])
def test_a_step_is_cross_entropy_against_the_queue_and_then_the_keys_come_in(head: str) -> None:
    method = moco(head=head, momentum=0.5, temperature=0.2)
    batch, queue = batch_of(method), method.negatives._queues[0]
    with torch.no_grad():
        for weight in method.network.parameters():  # so that the moving average is somewhere else
            weight.add_(0.02)
        queries, keys = method.network(batch.views[0]), method.momentum_network(batch.views[1])
    before, old = queue.rows.clone(), [weight.clone() for weight in method.momentum_network.parameters()]
    loss = method.loss(batch)
    torch.testing.assert_close(loss.value.detach(), by_hand(queries, keys, before, 0.2))
    assert loss.ceiling_nats == math.log(11)
    torch.testing.assert_close(loss.nats, math.log(11) - loss.value.detach())
    assert torch.equal(queue.rows, before)
    loss.value.backward()
    assert all(weight.grad is None for weight in method.momentum_network.parameters())
    with torch.no_grad():
        method.after_step(batch)
    torch.testing.assert_close(queue.rows[:K], functional.normalize(keys, dim=1))
    assert torch.equal(queue.rows[K:], before[K:])
    for was, now, leads in zip(
        old, method.momentum_network.parameters(), method.network.parameters(), strict=True
    ):
        torch.testing.assert_close(now.detach(), (was + leads.detach()) / 2)
    assert isinstance(method.head(), torch.nn.Linear) is (head == "linear")


def test_an_items_own_key_of_an_earlier_step_is_no_negative_of_it() -> None:
    """Items 0 to 5 come in, and then items 4 to 9: two of these six meet themselves in the queue of ten."""
    method = moco(jigsaw="jigsaw?crop_area=0.5", temperature=0.2)
    with torch.no_grad():
        method.loss(batch_of(method))
        method.after_step(batch_of(method))
        batch, queue = batch_of(method, 1, first=4), method.negatives._queues[0]
        assert queue.items.tolist() == [0, 1, 2, 3, 4, 5, -1, -1, -1, -1]
        queries, keys = method.network(batch.views[0]), method.momentum_network(batch.views[1])
        without = [[row for row in range(10) if row != item] for item in (4, 5)]
        values = [by_hand(queries[k : k + 1], keys[k : k + 1], queue.rows[without[k]], 0.2) for k in (0, 1)]
        values += [by_hand(queries[k : k + 1], keys[k : k + 1], queue.rows, 0.2) for k in range(2, K)]
        loss = method.loss(batch)
    ceiling = (2 * math.log(10) + 4 * math.log(11)) / K
    torch.testing.assert_close(loss.terms["nats[augmentation]"], ceiling - torch.stack(values).mean())
    assert loss.ceiling_nats == math.log(11)


def test_nine_crops_make_one_query_of_the_same_key() -> None:
    """Every crop through the encoder by itself, in its order; the loss is the mean of both branches."""
    method = moco(jigsaw="jigsaw?crop_area=0.5", temperature=0.2)
    batch = batch_of(method)
    crops = batch.views[2]
    assert crops.shape == (K, 27, 3, 3)
    loss = method.loss(batch)
    head, queue = method.jigsaw_head, method.negatives._queues[0].rows
    assert head is not None
    with torch.no_grad():
        queries, keys = method.network(batch.views[0]), method.momentum_network(batch.views[1])
        parts = [head.of_crop(method.network.encoder(crops[:, 3 * k : 3 * k + 3])) for k in range(9)]
        jigsaw = head.joined(torch.cat(parts, dim=1))
    one, other = (by_hand(rows, keys, queue, 0.2) for rows in (queries, jigsaw))
    torch.testing.assert_close(loss.value.detach(), (one + other) / 2)
    torch.testing.assert_close(loss.terms["nats[augmentation]"], math.log(11) - one)
    torch.testing.assert_close(loss.terms["nats[jigsaw]"], math.log(11) - other)
    loss.value.backward()
    assert all(weight.grad is not None for weight in head.parameters())


def test_the_head_of_crops_keeps_their_order() -> None:
    head = JigsawHead(4, 2, "linear")
    rows = torch.randn(18, 4)
    swapped = rows.clone()
    swapped[[0, 1]] = rows[[1, 0]]
    found, other = head(rows), head(swapped)
    assert found.shape == (2, 2)
    assert not torch.allclose(found[0], other[0])
    torch.testing.assert_close(found[1], other[1])


def test_a_stopped_run_ends_with_the_weights_and_the_queue_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = TrainingRecipe.model_validate(RUN)
    whole = train(recipe, tmp_path / "whole")
    loss = trainer._Run._loss

    def stopped(self: Any, prepared: Any, batch: Batch) -> Any:
        if batch.step == 6:
            raise KeyboardInterrupt
        return loss(self, prepared, batch)

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "parts")
    assert RunFolder(tmp_path / "parts").epochs() == [1]
    parts = train(recipe, tmp_path / "parts")
    (_, expected), (_, found) = whole.training_state() or (0, {}), parts.training_state() or (0, {})
    assert {"negatives.queues.0.rows", "negatives.queues.0.items"} <= set(expected["method"])
    assert any(name.startswith("momentum_network.") for name in expected["method"])
    for name, value in expected["method"].items():
        assert torch.equal(value, found["method"][name]), name
    assert open_encoder(f"run:{whole.path}").digest == open_encoder(f"run:{parts.path}").digest


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    """Keys of both processes come into the queue of each, and gradients of the crops are averaged."""
    recipe = tmp_path / "recipe.yaml"
    # Not AdamW, whose first steps turn the rounding of a gradient near 0 into a step of full size.
    run = RUN | {"optimiser": {"name": "sgd", "learning_rate": 0.05}}
    recipe.write_text(yaml.safe_dump(run))
    train(TrainingRecipe.model_validate(run), tmp_path / "one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    settings = os.environ | {"OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
                             "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}  # fmt: skip
    command = [sys.executable, "-P", "-m", "mitools", "train", str(recipe), "--device", "cpu"]
    both = [
        subprocess.Popen([*command, "--out", str(tmp_path / "two")],
                         env=settings | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(2)
    ]  # fmt: skip
    # Not their exit codes: gloo may abort a process whose peer has left, when all is computed and written.
    for process in both:
        process.wait(timeout=300)
    one, two = (RunFolder(tmp_path / name) for name in ("one", "two"))
    assert len(two.metrics()) == 8
    (_, expected), (_, found) = one.training_state() or (0, {}), two.training_state() or (0, {})
    assert set(expected["method"]) == set(found["method"])
    items = expected["method"]["negatives.queues.0.items"]
    assert len(set(items.tolist())) > 1
    for name, value in expected["method"].items():
        torch.testing.assert_close(found["method"][name], value, rtol=0, atol=5e-6, msg=name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"jigsaw": "simclr"}, "options.jigsaw names 'simclr', which has no nine crops; write jigsaw"),
        ({"jigsaw": "jigsaw?keep=2"}, "keep"),
        ({"momentum": 1.0}, "'options.momentum': .*less than 1"),
        ({"head": "deep"}, "'options.head'"),
    ],
)
def test_a_wrong_recipe_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(RUN | {"options": options}, TrainingRecipe, "recipe")
    assert "\n" not in str(caught.value)


def test_a_queue_that_the_data_cannot_fill_is_refused() -> None:
    with pytest.raises(InputError, match="negatives_count 40 must be fewer than the data's 40 items"):
        moco(negatives_count=40)
    assert len(moco(negatives_count=None).negatives._queues[0]) == N - 1  # of 72 keys in two epochs


def test_a_queue_that_the_run_cannot_fill_is_refused() -> None:
    """One epoch in batches of 6 makes 36 keys of 40 items."""
    with pytest.raises(InputError, match="negatives_count 37 is more than the 36 keys"):
        moco(1, negatives_count=37)
    assert len(moco(1, negatives_count=None).negatives._queues[0]) == 36
