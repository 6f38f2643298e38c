"""Contrastive temporal coding as a method: what moves the bank when, and what gets a gradient."""

import math

import pytest
import torch

from mitools.training.losses import cross_entropy
from mitools.training.methods import Batch, make_method
from mitools.training.methods.ctc import CTC
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData

ITEMS = torch.tensor([3, 0])


@pytest.fixture
def method() -> CTC:
    """In its first stage: two epochs, the second of which begins the second stage."""
    recipe = TrainingRecipe.model_validate(
        {
            "encoder": "convnet",
            "data": "digits",
            "method": "ctc",
            "options": {"border": 1, "momentum": 0.25, "beta": 2.0},
            "epochs": 2,
            "batch_size": 2,
        }
    )
    pixels = torch.randint(0, 256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    made = make_method(recipe, TrainingData(pixels.to(torch.uint8), torch.tensor([0, 1, 1, 0]), 2))
    assert isinstance(made, CTC)
    made.at_epoch(0)
    return made.train()


def batch_of(method: CTC) -> Batch:
    pixels = method.data.draw(method.views[0], ITEMS, seed=1)
    return Batch([pixels], method.data.labels[ITEMS], ITEMS)


def encoded(method: CTC, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Represent a batch, unit rows; the network keeps its statistics."""
    with torch.no_grad():
        kept = {name: value.clone() for name, value in network.state_dict().items()}
        rows = torch.nn.functional.normalize(network(batch.views[0]), dim=1)
        network.load_state_dict(kept)
        return rows


def test_stage_one_follows_after_the_step_and_stage_two_replaces_before_it(method: CTC) -> None:
    batch, start = batch_of(method), method.bank.rows.clone()
    queries = encoded(method, method.encoder(), batch)
    method.loss(batch)
    assert torch.equal(method.bank.rows, start)
    method.after_step(batch)
    mixed = torch.nn.functional.normalize(0.25 * start[ITEMS] + 0.75 * queries, dim=1)
    torch.testing.assert_close(method.bank.rows[ITEMS], mixed)
    assert torch.equal(method.bank.rows[[1, 2]], start[[1, 2]])

    method.at_epoch(1)
    method.train()
    keys, filled = encoded(method, method.frozen, batch), method.bank.rows.clone()
    method.loss(batch)
    torch.testing.assert_close(method.bank.rows[ITEMS], keys)
    assert not torch.allclose(filled[ITEMS], keys), "another view of the same items"
    method.after_step(batch)
    torch.testing.assert_close(method.bank.rows[ITEMS], keys)


def test_the_loss_is_cross_entropy_plus_the_stages_weight_times_infonce(method: CTC) -> None:
    for epoch, weight in ((0, 0.1), (1, 2.0)):
        method.at_epoch(epoch)
        method.train()
        batch = batch_of(method)
        loss = method.loss(batch)
        parts = loss.terms["cross_entropy"] + weight * loss.terms["infonce"]
        torch.testing.assert_close(loss.value.detach(), parts)
        assert loss.ceiling_nats == pytest.approx(math.log(2))
        assert loss.nats is not None
        assert float(loss.nats) == pytest.approx(math.log(2) - float(loss.terms["cross_entropy"]))
        with torch.no_grad():
            logits = method.network(batch.views[0])[:, :2]
        torch.testing.assert_close(loss.terms["cross_entropy"], cross_entropy(logits, batch.labels))


def test_only_the_network_gets_a_gradient(method: CTC) -> None:
    method.at_epoch(1)
    method.train()
    assert not any(part.training for part in method.frozen.modules())
    before = {name: value.clone() for name, value in method.frozen.state_dict().items()}
    method.loss(batch_of(method)).value.backward()
    assert all(weight.grad is not None for weight in method.network.parameters())
    assert all(weight.grad is None and not weight.requires_grad for weight in method.frozen.parameters())
    assert all(torch.equal(value, before[name]) for name, value in method.frozen.state_dict().items())
    assert not method.bank.rows.requires_grad


def test_all_that_is_remembered_is_in_the_state(method: CTC) -> None:
    names = set(method.state_dict())
    assert "bank.rows" in names
    assert any(name.startswith("frozen.") for name in names)
