"""Transfer with the backbone unfrozen: it trains a copy, on what is not reported on alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.estimators.inputs.splits import split
from mitools.metrics.transfer import TransferProtocol, frozen_transfer
from mitools.training.loop.fine_tuning import FineTuning, fine_tuned_transfer
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.views.recipes import AugmentationRecipe

SHORT = FineTuning(epochs=8, batch_size=16, learning_rate=0.05)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    content = {
        "encoder": "convnet",
        "data": "digits?limit=64&classes=0,1",
        "objective": "cross_entropy",
        "epochs": 1,
        "batch_size": 32,
    }
    run = train(TrainingRecipe.model_validate(content, strict=False), tmp_path_factory.mktemp("run") / "a")
    found = open_encoder(f"run:{run.path}")
    assert isinstance(found, Encoder)
    return found


def test_training_the_backbone_too_beats_the_frozen_one(encoder: Encoder) -> None:
    data = open_data("digits?limit=500&classes=3,5,8,9")
    parts = split(len(data), data.labels, 0)
    before = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    right = fine_tuned_transfer(encoder, data, parts, SHORT)
    assert all(torch.equal(value, before[name]) for name, value in encoder.module.state_dict().items())
    images = torch.stack([encoder.preprocess.evaluate(data[item][0]) for item in range(len(data))])
    with torch.no_grad():
        features = encoder.module.eval()(encoder.preprocess.finish(images)).numpy()
    frozen = frozen_transfer(features, data.labels, parts, TransferProtocol(steps=60))
    assert right.shape == frozen.shape == (len(parts.report),)
    # Paired over the same images: more are right than chance allows.
    gain = right.astype(float) - frozen
    assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain))
    assert np.array_equal(right, fine_tuned_transfer(encoder, data, parts, SHORT))


def test_augmented_views_are_trained_on_where_asked(encoder: Encoder) -> None:
    data = open_data("digits?limit=120&classes=3,8")
    parts = split(len(data), data.labels, 0)
    once = FineTuning(epochs=1, batch_size=32, augmentation=AugmentationRecipe())
    right = fine_tuned_transfer(encoder, data, parts, once)
    assert np.array_equal(right, fine_tuned_transfer(encoder, data, parts, once))
    assert len(right) == len(parts.report)


def test_a_rate_too_high_is_one_line(encoder: Encoder, tmp_path: Path) -> None:
    data = open_data("digits?limit=100&classes=3,8")
    with pytest.raises(InputError, match=r"fine-tuning diverged at learning rate 1e\+20"):
        fine_tuned_transfer(
            encoder, data, split(len(data), data.labels, 0), FineTuning(epochs=3, learning_rate=1e20)
        )
