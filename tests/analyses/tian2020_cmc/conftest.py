"""A small study of two views: what the analyses of this paper share."""

from functools import partial
from typing import Any

import pytest

from mitools.analyses.tian2020_cmc import accuracy_words
from mitools.statistics.peak import peak_test


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape is refused by p < 0.025, which a hundred can say."""
    monkeypatch.setattr(accuracy_words, "peak_test", partial(peak_test, resamples=100))


@pytest.fixture
def pair_study(training: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """All that a study of two views has, but for the views: an epoch, and critics of seconds."""
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser", "data")}
    return {
        "training": shared | {"method": "cmc", "options": {"head_width": 16}, "epochs": 1, "batch_size": 16},
        "information": {
            "data": evaluation["data"], "cells": 2, "hidden": 16, "batch_size": 50, "steps": 10,
            "infonce_steps": 20,
        },
        "evaluation": evaluation,
    }  # fmt: skip
