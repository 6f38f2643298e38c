"""What every method of the table keeps: its loss, its estimate, its state, and the names in recipes."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.training.losses import infonce_nats, ntxent_nats, ntxent_with_negatives
from mitools.training.methods import TRAINING_METHODS, Batch, Method, make_method
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData

N, K = 12, 6
LABELS = torch.arange(N) % 3
NAMES = list(TRAINING_METHODS)
NARROW = {"hidden": 32, "width": 16}
OPTIONS = {
    "cmc": {"views": ["image", "simclr"]},
    "predictive": {"views": ["simclr", "image"]},
    "imsvd": {"hidden": 32, "variables": 4, "units": 3},
    "barlow_twins": NARROW,
    "vicreg": NARROW,
}
"""What methods need on these images; projectors of the papers' sizes would take seconds to make."""

AN_ENCODER_A_VIEW = ("cmc", "predictive", "learned_views")


def pixels(seed: int, n: int = N) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 8, 8), generator=generator).to(torch.uint8)


def recipe_of(name: str, **changes: Any) -> TrainingRecipe:
    content = {"encoder": "convnet", "data": "digits", "method": name, "epochs": 2, "batch_size": K}
    if name in OPTIONS:
        content["options"] = OPTIONS[name]
    content |= changes
    return TrainingRecipe.model_validate(content)


def made(name: str, **changes: Any) -> Method:
    data = TrainingData(pixels(0), LABELS, 3, load_other=lambda spec: pixels(len(spec), 20))
    method = make_method(recipe_of(name, **changes), data)
    method.at_epoch(0)
    return method.train()


def batch_of(method: Method, step: int = 3) -> Batch:
    items = torch.arange(K)
    views = [method.data.draw(view, items, seed) for seed, view in enumerate(method.views)]
    return Batch(views, LABELS[items], items, step)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "learned_views"])  # a min-max
def test_a_step_down_the_gradient_lowers_the_loss(name: str) -> None:
    method = made(name)
    batch = batch_of(method)
    loss = method(batch)
    loss.value.backward()
    weights = [weight for weight in method.parameters() if weight.requires_grad]
    assert all(weight.grad is not None for weight in weights)
    with torch.no_grad():
        for weight in weights:
            weight -= 1e-3 * weight.grad
        assert method.loss(batch).value < loss.value


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_one_method_whatever_torch_drew_before(name: str) -> None:
    torch.manual_seed(7)
    a = made(name).state_dict()
    torch.manual_seed(8)
    b, other = made(name).state_dict(), made(name, seed=1).state_dict()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert any(not torch.equal(a[key], other[key]) for key in a)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in AN_ENCODER_A_VIEW])
def test_the_encoder_reads_images_and_the_head_stands_on_it(name: str) -> None:
    method = made(name).eval()
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    head = method.head()
    assert head is not None
    with torch.no_grad():
        assert torch.equal(head(method.encoder()(images)), method.network(images))
    with pytest.raises(InputError, match="one encoder for all views, none of its own for 'lab:l'"):
        method.encoder("lab:l")


@pytest.mark.parametrize(("name", "ceiling"), [("simclr", 2 * K - 1), ("class", 2 * K - 1), ("infonce", K)])
def test_the_estimate_is_the_bound_that_the_loss_is_below_its_ceiling(name: str, ceiling: int) -> None:
    method = made(name, options={"temperature": 0.2})
    batch = batch_of(method)
    loss = method.loss(batch)
    x, y = batch.embed(method.network)
    nats = (infonce_nats if name == "infonce" else ntxent_nats)(x, y, 0.2)
    assert loss.nats is not None
    assert loss.ceiling_nats == math.log(ceiling)
    torch.testing.assert_close(loss.nats, nats.detach())
    torch.testing.assert_close(loss.value.detach(), math.log(ceiling) - nats.detach())


@pytest.mark.parametrize("name", ["supcon", "simclr"])
def test_what_bounds_nothing_has_no_estimate(name: str) -> None:
    options = {"negatives": "noise"} if name == "simclr" else {}
    method = made(name, options=options)
    assert method.loss(batch_of(method))[1:3] == (None, None)


def test_cross_entropy_bounds_label_information() -> None:
    method = made("cross_entropy")
    loss = method.loss(batch_of(method))
    assert loss.nats is not None
    assert loss.ceiling_nats == pytest.approx(math.log(3))
    assert float(loss.nats) == pytest.approx(math.log(3) - float(loss.value.detach()))


def test_negatives_are_views_of_the_other_data_that_change_with_the_step() -> None:
    method = made("class", options={"negatives": "noise", "temperature": 0.3})
    a, b = (method.loss(batch_of(method, step)).value for step in (3, 4))
    assert a != b
    assert a == method.loss(batch_of(method, 3)).value
    # Without augmentation both views of an item are the item: which are drawn is a function of the step.
    rows = torch.from_numpy(np.random.default_rng([0, 2, 3]).integers(0, 20, K))
    others = (pixels(5, 20)[rows].float() / 255 - torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)) / (
        torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    )
    batch = batch_of(method, 3)
    x, y, *negatives = batch.embed(method.network, [*batch.views, others, others])
    torch.testing.assert_close(ntxent_with_negatives(x, y, torch.cat(negatives), 0.3), a)


def test_a_share_of_the_batch_has_the_views_of_the_whole() -> None:
    method = made("simclr")
    rows = torch.tensor([4, 1, 9, 7])
    whole = method.data.draw(method.views[0], rows, seed=5)
    parts = [method.data.draw(method.views[0], rows, 5, share) for share in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(torch.cat(parts), whole)


@pytest.mark.parametrize("name", ["simclr", "ctc"])
def test_in_half_precision_networks_alone_compute_in_it(name: str) -> None:
    method, half = made(name), partial(torch.autocast, "cpu", dtype=torch.bfloat16)
    exact = batch_of(method)
    with half():
        method.at_epoch(0)
        batch = replace(batch_of(method), precision=half)
    assert all(torch.equal(*views) for views in zip(exact.views, batch.views, strict=True))
    method.train()
    loss, expected = method.loss(batch).value, method.loss(exact).value
    assert loss.dtype == torch.float32
    assert loss != expected
    torch.testing.assert_close(loss, expected, rtol=0.05, atol=0.05)


def test_recipes_of_earlier_versions_mean_what_they_did(tmp_path: Path) -> None:
    older = {
        "encoder": "convnet",
        "data": "digits",
        "objective": "class",
        "temperature": 0.1,
        "head_width": 16,
        "negatives": None,
        "ctc": None,
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(older))
    recipe = read_recipe(path, TrainingRecipe)
    options = {"temperature": 0.1, "head_width": 16, "negatives": None}
    now = {"encoder": "convnet", "data": "digits", "method": "class", "options": options}
    assert recipe == TrainingRecipe.model_validate(now)
    assert recipe.options == options
    # A head's width and a temperature stood beside objectives that have no use for them.
    plain = make_recipe(older | {"objective": "cross_entropy"}, TrainingRecipe, "recipe")
    assert plain.options == {}
    # What is written is read as it is.
    assert TrainingRecipe.model_validate(recipe.model_dump()) == recipe


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": "simclr"}, "method and objective are two names of one key; give one of them"),
        ({"method": "simcrl"}, "there is no method 'simcrl'; did you mean simclr"),
        ({"method": 3}, "'method': .*valid string"),
        ({"options": {"temprature": 1.0}}, r"unknown key 'options\.temprature'; did you mean temperature"),
        ({"options": {"temperature": -1.0}}, r"'options\.temperature': .*greater than 0"),
        ({"temperature": "warm"}, "'temperature': .*valid number"),
        ({"options": 3}, "'options' must hold keys and values, not 3"),
        ({"method": "supcon", "negatives": "noise"}, "negatives from elsewhere are for simclr and class"),
        ({"method": "ctc", "options": {"border": 9}, "epochs": 9}, "ctc.border 9 must lie below epochs 9"),
        ({"ctc": {}}, "ctc is for the objective ctc, not for simclr"),
    ],
)
def test_a_wrong_recipe_is_one_line(changes: dict[str, Any], said: str) -> None:
    content = {"encoder": "convnet", "data": "digits", "method": "simclr"} | changes
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(content, TrainingRecipe, "recipe")
    assert "\n" not in str(caught.value)


def test_options_are_changed_by_name_and_checked() -> None:
    recipe = recipe_of("class", options={"temperature": 0.1})
    assert recipe.with_options(negatives="noise").options["negatives"] == "noise"
    assert recipe.with_options(negatives="noise").options["temperature"] == 0.1
    with pytest.raises(InputError, match=r"unknown key 'options\.negative'"):
        recipe.with_options(negative="noise")
