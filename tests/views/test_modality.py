"""Depth, normals and segmentation as views."""

import pytest
import torch

from mitools.core.errors import InputError
from mitools.views.base import is_rgb, modality_of
from mitools.views.registry import make_view

NO_DRAWS = torch.empty(1, 0)


def of(spec: str, items: torch.Tensor) -> list:
    return make_view(spec)(items, NO_DRAWS).tolist()


def test_depth_is_a_share_of_the_farthest() -> None:
    depth = torch.tensor([0.0, 2.5, 5.0, 10.0, 80.0]).reshape(1, 1, 1, 5)
    assert of("depth", depth) == [[[[0, 0.25, 0.5, 1, 1]]]]
    assert of("depth?far=5", depth) == [[[[0, 0.5, 1, 1, 1]]]]
    assert (make_view("depth?far=10.0").name, make_view("depth?far=5").name) == ("depth", "depth?far=5")


def test_normals_lie_about_a_half() -> None:
    normals = torch.tensor([[0.0, -1.0, 0.0], [0.6, 0.0, -0.8]]).T.reshape(1, 3, 1, 2)
    torch.testing.assert_close(
        make_view("normals")(normals, NO_DRAWS)[0, :, 0], torch.tensor([[0.5, 0.8], [0.0, 0.5], [0.5, 0.1]])
    )


def test_segmentation_is_one_channel_or_one_a_class() -> None:
    classes = torch.tensor([0, 1, 2, 255], dtype=torch.uint8).reshape(1, 1, 1, 4)
    plain, channels = make_view("segmentation"), make_view("segmentation?classes=2")
    assert (plain(classes, NO_DRAWS) * 255).round().to(torch.uint8).equal(classes)
    assert channels(classes, NO_DRAWS)[0, :, 0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert (plain.channels, channels.channels) == (1, 2)


def test_they_say_what_they_are_drawn_from() -> None:
    for name in ("depth", "normals", "segmentation"):
        view = make_view(name)
        assert (modality_of(view), is_rgb(view), view.draws, view.name) == (name, False, 0, name)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("depth?far=0", "far=0 must be a number from 0.001 to 100000, as far=10"),
        ("depth?near=1", "unknown option 'near'; accepted: far"),
        ("depth:near", "depth has no parts; leave :near out"),
        ("normals#0", "normals has no parts; leave #0 out"),
        ("normals?far=2", "unknown option 'far'; it takes none"),
        ("segmentation?classes=0", "classes=0 must be a whole number of at least 1"),
        ("segmentation?classes=a", "classes=a must be a whole number"),
    ],
)
def test_wrong_names_are_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)
