"""What analyses share: images kept apart, options of data, and rows as columns."""

import numpy as np
import pytest

from mitools.analyses.shared.evaluation import Certified
from mitools.analyses.shared.training_runs import require_held_out, with_options
from mitools.core.errors import InputError
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.measures.measured import Measured


@pytest.mark.parametrize(
    ("training", "evaluation"),
    [
        ("cdp?size=32&n=500", "cdp?n=900&shared=color"),
        ("cdp?part=test", "cdp?part=test&seed=0"),
        ("folder:train", "folder:train?limit=20"),
        ("digits", "digits?limit=20"),
        ("torchvision:CIFAR100?root=data", "torchvision:CIFAR100?root=data&split=train"),
        ("clips:videos?frames=11&split=one.txt", "clips:videos?frames=20&split=one.txt"),
    ],
)
def test_the_same_images_are_refused(training: str, evaluation: str) -> None:
    with pytest.raises(InputError, match=r"name another part \(part=test\), split or seed"):
        require_held_out(training, evaluation)


@pytest.mark.parametrize(
    ("training", "evaluation"),
    [
        ("cdp?n=500", "cdp?n=500&part=test"),
        ("cdp?n=500", "cdp?n=500&seed=1"),
        ("folder:train", "folder:test"),
        ("cdp?n=500", "colorful_moving_mnist?n=500"),
        ("torchvision:CIFAR100?root=data&split=train", "torchvision:CIFAR100?root=data&split=test"),
        ("clips:videos?split=trainlist01.txt", "clips:videos?split=testlist01.txt"),
        ("tar:all.tar?under=train", "tar:all.tar?under=test"),
    ],
)
def test_other_images_are_accepted(training: str, evaluation: str) -> None:
    require_held_out(training, evaluation)
    with pytest.raises(InputError, match="images trained on"):
        require_held_out(evaluation, evaluation)


def test_options_are_added() -> None:
    assert with_options("cdp", shared="color") == "cdp?shared=color"
    assert with_options("cdp?n=5", shared="color") == "cdp?n=5&shared=color"


def test_a_certificate_becomes_columns_with_wilsons_interval() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    fitted = ClassPosterior().fit(rng.standard_normal((300, 2)) + 2 * labels[:, None], labels)
    estimates = {"i_class": fitted.dv_estimate_, "label_information": fitted.label_information_}
    measured = Measured({**estimates, "linear_acc": 0.9}, fitted.influence_)
    columns = Certified(measured).columns
    n, p, z = columns["n_report"], 0.9, 1.959964
    assert n == 300
    centre, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    assert columns["linear_acc_low"] == pytest.approx(centre - half / (1 + z**2 / n), abs=1e-4)
    assert columns["linear_acc_high"] == pytest.approx(centre + half / (1 + z**2 / n), abs=1e-4)
    assert columns["i_class_bits"] == pytest.approx(fitted.dv_estimate_.bits)
    assert columns["i_class_low"] < columns["i_class_bits"] < columns["i_class_high"]
