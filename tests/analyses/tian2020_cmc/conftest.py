"""A small study of two views: what the analyses of this paper share."""

from typing import Any

import pytest


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
