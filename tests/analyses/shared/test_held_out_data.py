"""What analyses share: images kept apart, views as training draws them, and rows as columns."""

import numpy as np
import pytest
import torch
from PIL import Image

from mitools.analyses.lee2023.training_views import TrainingViews
from mitools.analyses.shared.evaluation import Certified
from mitools.analyses.shared.training_runs import require_held_out, with_options
from mitools.core.errors import InputError
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.measures.measured import Measured
from mitools.views.recipes import AugmentationRecipe


@pytest.mark.parametrize(
    ("training", "evaluation"),
    [
        ("cdp?size=32&n=500", "cdp?n=900&shared=color"),
        ("cdp?part=test", "cdp?part=test&seed=0"),
        ("folder:train", "folder:train?limit=20"),
        ("digits", "digits?limit=20"),
    ],
)
def test_the_same_images_are_refused(training: str, evaluation: str) -> None:
    with pytest.raises(InputError, match="name another part"):
        require_held_out(training, evaluation)


@pytest.mark.parametrize(
    ("training", "evaluation"),
    [
        ("cdp?n=500", "cdp?n=500&part=test"),
        ("cdp?n=500", "cdp?n=500&seed=1"),
        ("folder:train", "folder:test"),
        ("cdp?n=500", "colorful_moving_mnist?n=500"),
    ],
)
def test_other_images_are_accepted(training: str, evaluation: str) -> None:
    require_held_out(training, evaluation)
    with pytest.raises(InputError, match="images trained on"):
        require_held_out(evaluation, evaluation)


def test_options_are_added() -> None:
    assert with_options("cdp", shared="color") == "cdp?shared=color"
    assert with_options("cdp?n=5", shared="color") == "cdp?n=5&shared=color"


@pytest.fixture
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))


def test_views_depend_on_seed_item_and_view_alone(image: Image.Image) -> None:
    views = TrainingViews(count=3, seed=5)
    drawn = views.draw(image, 7)
    assert drawn.shape == (3, 3, 16, 16)
    assert drawn.dtype == torch.uint8
    assert torch.equal(TrainingViews(count=2, seed=5).draw(image, 7), drawn[:2])
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(views.draw(image, 8), drawn)
    assert not torch.equal(TrainingViews(count=3, seed=6).draw(image, 7), drawn)


def test_views_that_change_nothing_are_the_image_and_have_a_key_of_their_own(image: Image.Image) -> None:
    nothing = AugmentationRecipe(crop_area=1.0, flip=0.0, jitter_strength=0.0, grey=0.0)
    same = TrainingViews(recipe=nothing)
    assert torch.equal(same.draw(image, 0)[1], torch.from_numpy(np.array(image)).permute(2, 0, 1))
    assert same.key != TrainingViews().key


def test_a_certificate_becomes_columns_with_wilsons_interval() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    fitted = ClassPosterior().fit(rng.standard_normal((300, 2)) + 2 * labels[:, None], labels)
    estimates = {"i_class": fitted.dv_estimate_, "label_information": fitted.label_information_}
    measured = Measured({**estimates, "linear_acc": 0.9}, fitted.influence_)
    columns = Certified(measured).columns
    n, p, z = columns["n_report"], 0.9, 1.959964
    assert n == 60
    centre, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    assert columns["linear_acc_low"] == pytest.approx(centre - half / (1 + z**2 / n), abs=1e-4)
    assert columns["linear_acc_high"] == pytest.approx(centre + half / (1 + z**2 / n), abs=1e-4)
    assert columns["i_class_bits"] == pytest.approx(fitted.dv_estimate_.bits)
    assert columns["i_class_low"] < columns["i_class_bits"] < columns["i_class_high"]
