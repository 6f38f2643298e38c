"""A tiny study of over-compression, and tables whose truth is written into them."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.cui2022.changes import SOURCE_DATA

DATA = "cdp?size=16&background=none&colors=2&digits=2&positions=1"

NOISE = (-0.01, 0.0, 0.01)
"""What is added to accuracies of three seeds: a difference that is alike for all seeds is told from 0."""


@pytest.fixture
def tiny_study() -> dict[str, Any]:
    """What every recipe of a study has: two epochs of a network of a second."""
    return {
        "training": {
            "encoder": "tiny",
            "data": f"{DATA}&n=48&shared=digit",
            "objective": "cross_entropy",
            "epochs": 2,
            "batch_size": 16,
            "keep_every": 1,
            "log_every": 3,
            "image_size": 16,
            "augmentation": {"crop_area": 1.0, "flip": 0.0, "jitter_strength": 0.0, "grey": 0.0},
        },
        "source": f"{DATA}&n=60&shared=digit&part=test",
        "targets": {"digits": "digits?limit=60&classes=7,8"},
        "measure": {"transfer_steps": 20, "critic_steps": 20, "input_components": 4},
    }


@pytest.fixture
def make_table() -> Callable[..., pd.DataFrame]:
    """Make a study's table: ``make_table({"vanilla": {1: 0.9, 2: 0.8}})`` has one target, ``colour``.

    Numbers are transfer at each epoch, of three seeds, by both classifiers. The source accuracy is 0.9 plus
    ``source`` of the setting; I(X;T) goes with the transfer, ten bits a unit; the best epoch on *select* is
    the best one. ``jitter`` moves every seed by itself, unlike for all settings.
    """

    def made(
        curves: Mapping[str, Mapping[int, float]],
        source: Mapping[str, float] | None = None,
        jitter: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        rows = []
        for setting, curve in curves.items():
            for seed, noise in enumerate(NOISE):
                own = 100 * noise * (jitter or {}).get(setting, 0.0)
                for epoch, value in curve.items():
                    for data in (SOURCE_DATA, "colour"):
                        accuracy = value + noise + own * (seed - 1) * (epoch == max(curve))
                        rows.append(
                            {
                                "setting": setting, "seed": seed, "epoch": epoch, "data": data,
                                "frozen_acc": accuracy, "logistic_acc": accuracy,
                                "logistic_acc_low": accuracy - 0.1, "logistic_acc_high": accuracy + 0.1,
                                "input_bits": 10 * accuracy, "label_bits": accuracy,
                                "input_select_bits": value, "label_select_bits": value,
                                "test_acc": 0.9 + noise + (source or {}).get(setting, 0.0), "test_n": 60,
                            }
                        )  # fmt: skip
        return pd.DataFrame(rows)

    return made
