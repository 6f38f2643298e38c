"""A small study of view encoders: an epoch on a few scenes, and a decoder of an epoch."""

from typing import Any

import pytest

SCENES = "scenes?size=16&n=48"


@pytest.fixture
def view_study(training: dict[str, Any]) -> dict[str, Any]:
    """All that the studies of view encoders have, but for the views."""
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser")}
    options = {"temperature": 0.1, "head_width": 16, "head": "linear"}
    return {
        "training": shared
        | {"data": SCENES, "method": "cmc", "options": options, "epochs": 1, "batch_size": 16},
        "seeds": [0, 1],
        "evaluation": {"data": "scenes?size=16&n=96&part=test"},
    }


@pytest.fixture
def segmented_study(view_study: dict[str, Any]) -> dict[str, Any]:
    """With a decoder."""
    return view_study | {"segmentation": {"epochs": 1, "batch_size": 16, "width": 8}}
