"""What the loop draws of items with several modalities: one tensor each, and views that go together."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.training.loop import modalities_in_memory
from mitools.training.loop.drawing import draw_views, present
from mitools.training.loop.modalities_in_memory import load_modality
from mitools.training.methods.base import Method
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.registry import make_view


class Rooms:
    """Five images of 8 x 8; item 2 lacks its depth, and item 4 may have another size."""

    name, classes, digest = "rooms", ["a"], "rooms"
    labels = np.zeros(5, dtype=np.int64)
    modalities = ("depth", "normals")

    def __init__(self, last: int = 8) -> None:
        self.last = last

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.new("RGB", (8, 8)), 0

    def modality(self, index: int, name: str) -> NDArray[np.float32] | None:
        if name == "normals" or index == 2:
            return None
        side = self.last if index == 4 else 8
        return np.full((1, side, side), 1.0 + index, dtype=np.float32)


def test_every_item_is_read_once_and_what_it_lacks_is_zeros() -> None:
    values, known = load_modality(Rooms(), "depth", None)
    assert values[:, 0, 0, 0].tolist() == [1, 2, 0, 4, 5]
    assert known.tolist() == [True, True, False, True, True]
    assert load_modality(Rooms(last=12), "depth", 4).values.shape == (5, 1, 4, 4)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (Rooms(), "clip", "rooms has no clip; its views can be drawn from image, depth, normals"),
        (Rooms(), "normals", "no item of rooms has its normals"),
        (Rooms(last=6), "depth", "depth of rooms differs in size; give the recipe an image_size"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(data: Rooms, name: str, said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}$"):
        load_modality(data, name, None)


def test_no_more_is_loaded_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modalities_in_memory, "LARGEST_BYTES", 5 * 64 * 4 - 1)
    with pytest.raises(InputError, match="depth of 5 items fills more than 0 GiB; give an image_size or a"):
        load_modality(Rooms(), "depth", None)
    monkeypatch.setattr(modalities_in_memory, "LARGEST_BYTES", 5 * 64 * 4)
    assert len(load_modality(Rooms(), "depth", None).values) == 5


class Views(Method):
    """Nothing but views."""

    def __init__(self, names: list[str], data: TrainingData) -> None:
        recipe: Any = {"encoder": "convnet", "data": "digits", "method": "simclr"}
        super().__init__(TrainingRecipe.model_validate(recipe), data)
        self.views = [make_view(name) for name in names]


def data() -> TrainingData:
    places = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8).expand(5, 3, 8, 8)
    labels = torch.zeros(5, dtype=torch.int64)
    return TrainingData(
        places.contiguous(), labels, 1, load_modality=lambda name: load_modality(Rooms(), name, None)
    )


def test_two_patches_at_a_distance_have_one_corner_and_depth_comes_from_the_data() -> None:
    pair = ["patch?size=2&distance=3#0", "patch?size=2&distance=3#1"]
    method = Views([*pair, "depth"], data())
    rows = torch.tensor([3, 0, 2, 4])
    first, second, depth = draw_views(method.data, method, [rows], seed=0, step=5, share=slice(1, 4))
    mean, std = 0.485, 0.229
    corners = [((patch[:, 0, 0, 0] * std + mean) * 255).round() for patch in (first, second)]
    # (d, d) further is 3 rows of 8 and 3 columns.
    assert torch.equal(corners[1], corners[0] + 3 * 8 + 3)
    torch.testing.assert_close(depth[:, 0, 0, 0], (torch.tensor([1.0, 0.0, 5.0]) / 10 - 0.5) / 0.5)
    again = draw_views(method.data, method, [rows], seed=0, step=5, share=slice(0, 4))
    assert torch.equal(again[0][1:], first)
    other = draw_views(method.data, method, [rows], seed=0, step=6, share=slice(0, 4))
    assert not torch.equal(other[0], again[0])


def test_it_is_told_who_lacks_what() -> None:
    method = Views(["image", "depth"], data())
    rows = torch.tensor([2, 1])
    found = present(method.data, method.views, rows)
    assert found is not None
    assert found.tolist() == [[True, True], [False, True]]
    assert present(method.data, method.views[:1], rows) is None


def test_a_patch_without_room_is_one_line() -> None:
    with pytest.raises(InputError, match="have no room in images of 8x8") as caught:
        data().view_shape(make_view("patch?size=4&distance=5#0"))
    assert "\n" not in str(caught.value)
