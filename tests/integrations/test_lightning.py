"""The callback under Lightning where it is installed, and called as Lightning does by a stand-in else."""

import importlib.util
import math
import sys
import types

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mitools.core.errors import InputError

INSTALLED = importlib.util.find_spec("lightning") is not None
Y = torch.arange(300) % 3
X = 3 * torch.eye(3)[Y] + torch.randn(300, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def callback_class(monkeypatch):
    if not INSTALLED:
        module = types.ModuleType("lightning.pytorch")
        for name in ("Callback", "LightningModule", "Trainer"):
            setattr(module, name, type(name, (), {}))
        monkeypatch.setitem(sys.modules, "lightning", types.ModuleType("lightning"))
        monkeypatch.setitem(sys.modules, "lightning.pytorch", module)
        monkeypatch.delitem(sys.modules, "mitools.integrations.lightning", raising=False)
    from mitools.integrations.lightning import ClassInformationCallback

    yield ClassInformationCallback
    if not INSTALLED:
        sys.modules.pop("mitools.integrations.lightning", None)


class Model(nn.Module):
    """What the callback sees of a LightningModule."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = nn.Linear(3, 8), nn.Linear(8, 3)
        self.logged = {}

    def forward(self, batch):
        return self.head(self.encoder(batch))

    def log_dict(self, values, **options):
        self.logged |= values


def validate(callback, model, batches, sanity_checking=False):
    trainer = types.SimpleNamespace(sanity_checking=sanity_checking)
    callback.on_validation_epoch_start(trainer, model)
    for number, batch in enumerate(batches):
        outputs = model(batch[0])
        callback.on_validation_batch_end(trainer, model, outputs, batch, number)
    callback.on_validation_epoch_end(trainer, model)


BATCHES = list(zip(X.split(64), Y.split(64), strict=True))


def test_a_layer_is_certified_at_the_end_of_validation(callback_class):
    torch.manual_seed(0)
    callback, model = callback_class("encoder"), Model()
    validate(callback, model, BATCHES)
    assert 0.9 < model.logged["class_information_low"] < model.logged["class_information_bits"] < 1.6
    assert not model.encoder._forward_hooks

    first = dict(model.logged)
    validate(callback, model, BATCHES)
    assert model.logged == first, "an epoch forgets the one before"
    validate(callback_class("encoder", name="mine"), model, BATCHES, sanity_checking=True)
    assert "mine_bits" not in model.logged


def test_maps_and_tokens_are_averaged(callback_class):
    callback = callback_class("encoder")
    for output, shape in [
        (torch.ones(2, 5), (2, 5)),
        (torch.ones(2, 7, 5), (2, 5)),
        (torch.ones(2, 5, 4, 4), (2, 5)),
    ]:
        callback._keep(None, None, output)
        assert callback._latest.shape == shape


def test_too_little_to_certify_is_no_number_and_no_error(callback_class):
    model = Model()
    validate(callback_class("encoder"), model, [(X[:4], Y[:4])])
    assert all(map(math.isnan, model.logged.values()))


def test_a_layer_that_is_not_there(callback_class):
    with pytest.raises(InputError, match="the module has no layer 'backbone'"):
        callback_class("backbone").on_validation_epoch_start(None, Model())


def test_an_exception_takes_the_hook_off(callback_class):
    callback, model = callback_class("encoder"), Model()
    callback.on_validation_epoch_start(None, model)
    callback.on_exception(None, model, KeyboardInterrupt())
    assert not model.encoder._forward_hooks


@pytest.mark.skipif(not INSTALLED, reason='Lightning is not installed: pip install "mitools[lightning]"')
def test_under_lightning_itself(callback_class, tmp_path):
    import lightning.pytorch as pl

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.encoder, self.head = nn.Linear(3, 8), nn.Linear(8, 3)

        def step(self, batch):
            return nn.functional.cross_entropy(self.head(self.encoder(batch[0])), batch[1])

        def training_step(self, batch, number):
            return self.step(batch)

        def validation_step(self, batch, number):
            self.log("loss", self.step(batch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    loader = DataLoader(TensorDataset(X, Y), batch_size=64)
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", callbacks=[callback_class("encoder")], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Module(), loader, loader)
    assert 0.9 < trainer.callback_metrics["class_information_bits"] < 1.6
