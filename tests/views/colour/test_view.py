"""Channels of colour spaces as views: what is accepted, and what comes out."""

import pytest
import torch

from mitools.core.errors import InputError
from mitools.views.base import is_rgb, modality_of
from mitools.views.colour.spaces import SPACES
from mitools.views.colour.view import ColourView
from mitools.views.registry import make_view

IMAGES = torch.rand(3, 3, 5, 7, generator=torch.Generator().manual_seed(0))
NO_DRAWS = torch.empty(3, 0)


@pytest.mark.parametrize(
    ("spec", "space", "indices", "name"),
    [
        ("lab:l", "lab", [0], "lab:l"),
        ("lab:ab", "lab", [1, 2], "lab:ab"),
        ("lab:AB", "lab", [1, 2], "lab:ab"),
        ("lab", "lab", [0, 1, 2], "lab"),
        ("lab:lab", "lab", [0, 1, 2], "lab"),
        ("ydbdr:y", "ydbdr", [0], "ydbdr:y"),
        ("ydbdr:dbdr", "ydbdr", [1, 2], "ydbdr:dbdr"),
        ("ydbdr:drdb", "ydbdr", [2, 1], "ydbdr:drdb"),
        ("ycbcr:ycr", "ycbcr", [0, 2], "ycbcr:ycr"),
        ("ypbpr:pb", "ypbpr", [1], "ypbpr:pb"),
        ("rgb:gb", "rgb", [1, 2], "rgb:gb"),
        ("hed:hd", "hed", [0, 2], "hed:hd"),
    ],
)
def test_channels_are_read_by_their_letters(spec: str, space: str, indices: list[int], name: str) -> None:
    view = make_view(spec)
    assert (view.name, view.channels, view.draws) == (name, len(indices), 0)
    assert torch.equal(view(IMAGES, NO_DRAWS), SPACES[space].scaled(IMAGES)[:, indices])
    assert modality_of(view) == "image"


@pytest.mark.parametrize("space", sorted(SPACES))
def test_all_splits_of_a_space_make_it_whole(space: str) -> None:
    parts = [make_view(f"{space}:{letters}") for letters in SPACES[space].channels]
    whole = make_view(space)(IMAGES, NO_DRAWS)
    assert torch.equal(torch.cat([part(IMAGES, NO_DRAWS) for part in parts], dim=1), whole)
    assert float(whole.min()) >= 0
    assert float(whole.max()) <= 1


def test_only_red_green_and_blue_are_pixels() -> None:
    assert is_rgb(make_view("rgb"))
    assert torch.equal(make_view("rgb")(IMAGES, NO_DRAWS), IMAGES)
    assert not any(map(is_rgb, (make_view("lab"), make_view("rgb:bgr"), ColourView("rgb", (0,)))))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lab:x", "'x' begins with no channel; accepted: some of l, a, b"),
        ("lab:lx", "'x' begins with no channel"),
        ("ydbdr:d", "'d' begins with no channel; accepted: some of y, db, dr"),
        ("lab:aa", "a channel is named twice; accepted: some of l, a, b"),
        ("lab:l#0", "lab has no parts; leave #0 out"),
        ("lab:l?scale=2", "unknown option 'scale'; it takes none"),
    ],
)
def test_a_wrong_channel_is_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)
