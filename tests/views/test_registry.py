"""Views by name: what is accepted, what is refused, and what every one of them must do."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import mitools
from mitools.core.errors import InputError
from mitools.views.augmentation.simclr import PAPER, SimCLRView
from mitools.views.base import View, modality_of, view_key
from mitools.views.image import ImageView
from mitools.views.item_views import ItemViews
from mitools.views.recipes import AugmentationRecipe
from mitools.views.registry import VIEWS, make_view, shown_view
from mitools.views.specs import parse_view_spec, view_family

NEED_A_RUN = {"flow"}
"""Views that are read from a run's folder; their own tests make one."""

EXAMPLES = sorted(
    {"simclr", "infomin", "rgb", "lab:l", "frame:any?shift=2"}
    | {row.example for name, row in VIEWS.items() if name not in NEED_A_RUN}
)

ON_THE_CPU = {"optical_flow", "infomin"}
"""Views that say that they, or what they choose by their random numbers, are computed on the CPU."""


def items_of(modality: str, count: int, height: int, width: int) -> Tensor:
    """Make items as data have them, of any modality."""
    shape = {
        "image": (3,),
        "depth": (1,),
        "normals": (3,),
        "segmentation": (1,),
        "clip": (20, 3),
        "partner:1": (3,),
    }[modality]
    generator = torch.Generator().manual_seed(1)
    uniform = torch.rand(count, *shape, height, width, generator=generator)
    if modality == "normals":
        return torch.nn.functional.normalize(2 * uniform - 1, dim=1)
    bytes_of = {"segmentation": 20, "clip": 256, "partner:1": 256}
    return (uniform * bytes_of[modality]).to(torch.uint8) if modality in bytes_of else uniform


@pytest.mark.parametrize("spec", sorted(set(EXAMPLES) - ON_THE_CPU))
def test_every_view_runs_without_a_device_of_its_own(spec: str) -> None:
    """On `meta` a tensor that was left on the CPU raises, and so does a choice that waits for the device."""
    view = make_view(spec)
    items = items_of(modality_of(view), 2, 48, 64).to("meta")
    drawn = view(items, torch.rand(2, view.draws, device="meta"))
    assert drawn.device.type == "meta"
    assert (len(drawn), drawn.shape[-3]) == (2, view.channels)
    assert drawn.dtype == torch.float32


@pytest.mark.parametrize("spec", EXAMPLES)
def test_every_view_is_a_pure_function_of_its_own_row(spec: str) -> None:
    view, generator = make_view(spec), torch.Generator().manual_seed(0)
    count, height, width = (2, 12, 10) if spec in ON_THE_CPU else (6, 48, 40)
    items = items_of(modality_of(view), count, height, width)
    draws = torch.rand(count, view.draws, generator=generator)
    kept, state = (items.clone(), draws.clone()), torch.get_rng_state()
    together = view(items, draws)
    assert torch.equal(view(items, draws), together)
    assert float(together.min()) >= -0.5
    assert float(together.max()) <= 1.5
    torch.testing.assert_close(
        torch.cat([view(items[k : k + 1], draws[k : k + 1]) for k in range(count)]), together
    )
    torch.testing.assert_close(view(items.flip(0), draws.flip(0)), together.flip(0))
    assert torch.equal(items, kept[0])
    assert torch.equal(draws, kept[1])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("spec", EXAMPLES)
def test_every_name_makes_an_equal_view(spec: str) -> None:
    view = make_view(spec)
    assert isinstance(view, View)
    assert make_view(view.name) == view
    assert view_key(view) == view.name


@pytest.mark.parametrize(
    ("spec", "recipe", "name"),
    [
        ("simclr", PAPER, "simclr"),
        ("simclr?strength=1.0&blur=large", PAPER, "simclr"),
        ("simclr?strength=0.5&blur=0", AugmentationRecipe(), "simclr?strength=0.5&blur=0"),
        (
            "simclr?auto=svhn&crop_area=0.2&flip=0&jitter=1&grey=0.1&blur=0.25",
            AugmentationRecipe(
                crop_area=0.2, flip=0.0, jitter_strength=1.0, jitter=1.0, grey=0.1, blur=0.25, auto="svhn"
            ),
            "simclr?crop_area=0.2&flip=0&jitter=1&grey=0.1&blur=0.25&auto=svhn",
        ),
    ],
)
def test_a_spec_names_every_key_of_the_recipe(spec: str, recipe: AugmentationRecipe, name: str) -> None:
    assert make_view(spec) == SimCLRView(recipe) == make_view(recipe)
    assert make_view(spec).name == name


def test_a_view_is_itself_and_names_are_listed() -> None:
    view = ImageView()
    assert make_view(view) is view
    assert {view_family(name) for name in mitools.list_views()} == set(VIEWS)
    assert mitools.list_views("SIM*") == ["simclr?strength=0.5"]
    assert mitools.list_views("nothing*") == []


def test_parts_and_numbers_are_read() -> None:
    spec = parse_view_spec("patch?size=64&distance=128#1")
    assert (spec.source, spec.name, spec.options, spec.number) == (
        "patch",
        "",
        {"size": "64", "distance": "128"},
        1,
    )
    assert parse_view_spec("lab:ab").name == "ab"
    assert parse_view_spec("frames:1-10").name == "1-10"
    assert parse_view_spec("flow:runs/a#b#0").name == "runs/a#b"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("simcrl", "unknown view 'simcrl'; did you mean simclr"),
        ("", "unknown view ''"),
        ("simclr?strenth=1", "unknown option 'strenth'; accepted: .*strength"),
        (
            "simclr?strength=1.3",
            "'simclr.strength=1.3': 'jitter_strength': .*less than or equal to 1.25, not 1.3",
        ),
        ("simclr?strength=nan", "'jitter_strength': .*not nan"),
        ("simclr?strength=-1", "greater than or equal to 0, not -1"),
        ("simclr?strength=strong", "valid number, not 'strong'"),
        ("simclr?crop_area=0", "'crop_area': .*greater than 0"),
        ("simclr?blur=small", "'blur': must be between 0 and 1, or large, not 'small'"),
        ("simclr?blur=1.1", "'blur': must be between 0 and 1, or large, not 1.1"),
        ("simclr?auto=mnist", "'auto': .*'cifar10', 'imagenet' or 'svhn', not 'mnist'"),
        ("simclr?strength", "not of the form key=value"),
        ("simclr?strength=1&strength=1", "given twice"),
        ("simclr:strong", "view 'simclr:strong': simclr has no parts; leave :strong out"),
        ("simclr#0", "view 'simclr#0': simclr has no parts; leave #0 out"),
        ("image?size=3", "unknown option 'size'; it takes none"),
        ("python:views", "is not of the form python:module:name"),
        ("python:no_such_module:View", "cannot be imported .ModuleNotFoundError"),
        ("python:math:tan?x=1", "unknown option 'x'"),
        ("python:math:pi", "view 'python:math:pi' cannot be made"),
        ("python:os:getcwd", "is str, which lacks name, channels, draws"),
    ],
)
def test_a_wrong_name_is_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)


LARGE = "9" * 5000
"""More digits than Python makes a number of."""


@pytest.mark.parametrize(
    "spec",
    [
        *(f"depth?far={far}" for far in ("0", "nan", "1e400", "1e39", "1e-50", LARGE)),
        *("segmentation?classes=256", "partner:0", "frame:0"),
        *(f"{view}{LARGE}" for view in ("partner:", "frame:", "frames:1-", "optical_flow:", "simclr#")),
        *(f"simclr?strength={value}" for value in ("inf", "1e400", LARGE)),
        *(f"infomin?{option}={LARGE}" for option in ("magnitude", "steps", "crop_area", "jitter")),
        *(f"patch?{options}" for options in (f"size={LARGE}#0", f"distance={LARGE}#0", f"size=8#{LARGE}")),
        f"jigsaw?keep={LARGE}",
    ],
    ids=lambda spec: spec[:30],
)
def test_numbers_that_nothing_can_be_made_of_are_refused(spec: str) -> None:
    with pytest.raises(InputError):
        make_view(spec)


OWN = '''
class Darker:
    """Half as bright, or less."""

    name, channels, draws = "darker", 3, 1

    def __call__(self, items, draws):
        return items * draws[:, :, None, None] / 2
'''


def test_a_view_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_views_for_test.py").write_text(OWN)
    view = make_view("python:own_views_for_test:Darker")
    items = torch.ones(4, 3, 2, 2)
    found: Tensor = ItemViews(view, count=3).of(items, np.arange(4))
    assert found.shape == (4, 3, 3, 2, 2)
    assert float(found.max()) < 0.5
    before = view_key(view)
    assert before.startswith("darker ")
    Path("own_views_for_test.py").write_text(OWN + "# changed\n")
    assert view_key(view) != before
    sys.modules.pop("own_views_for_test")


@pytest.mark.parametrize("spec", ["simclr?strength=0.5", "lab:ab", "patch?size=8&distance=8#1"])
def test_a_name_is_shown_and_changes_nothing_of_a_view(spec: str) -> None:
    head, hash_, number = spec.partition("#")
    named = f"{head}{'&' if '?' in head else '?'}name=mine{hash_}{number}"
    assert view_key(make_view(named)) == view_key(make_view(spec))
    assert (shown_view(named), shown_view(spec)) == ("mine", make_view(spec).name)


@pytest.mark.parametrize("spec", ["simclr?name=", "simclr?name=a&name=b"])
def test_a_name_is_given_once(spec: str) -> None:
    with pytest.raises(InputError, match="write name= once"):
        make_view(spec)


def test_a_name_is_not_that_of_another_view() -> None:
    with pytest.raises(InputError, match="infomin is another view's own name"):
        shown_view("simclr?strength=0.5&name=infomin")
    assert shown_view("simclr?name=simclr") == "simclr"
