"""Frames of clips, and the flow between them."""

import sys

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.views import optical_flow
from mitools.views.base import draw_numbers, is_rgb, modality_of
from mitools.views.item_views import draw_views
from mitools.views.optical_flow import FASTEST, OpticalFlowView
from mitools.views.registry import make_view

CLIPS = torch.randint(0, 256, (2, 12, 3, 4, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
NO_DRAWS = torch.empty(2, 0)


def test_frames_are_counted_from_one() -> None:
    frames, frame = make_view("frames:3-5"), make_view("frame:12")
    assert torch.equal(frames(CLIPS, NO_DRAWS), CLIPS[:, 2:5] / 255)
    assert torch.equal(frame(CLIPS, NO_DRAWS), CLIPS[:, 11] / 255)
    assert torch.equal(make_view("frames:1-1")(CLIPS, NO_DRAWS)[:, 0], make_view("frame:1")(CLIPS, NO_DRAWS))
    for view in (frames, frame):
        assert (view.channels, view.draws, modality_of(view), is_rgb(view)) == (3, 0, "clip", True)
    assert (frames.name, frame.name) == ("frames:3-5", "frame:12")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("frame:13", "the clips have frames 1 to 12, and frame 13 is needed"),
        ("frames:11-13", "the clips have frames 1 to 12, and frames 11 to 13 are needed"),
        ("optical_flow:5", "the clips have frames 1 to 12, and frames 0 to 10 are needed"),
        ("frame:any", "the clips have 10 frames, and a random one with 5 to either side needs 11"),
    ],
)
def test_clips_that_are_too_short_are_one_line(spec: str, said: str) -> None:
    if spec.startswith("optical"):
        pytest.importorskip("skimage")
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)(CLIPS[:, :10] if "any" in spec else CLIPS, torch.rand(2, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("frames", "which frames. write the first and the last, counted from 1, as frames:1-10"),
        ("frames:0-3", "which frames"),
        ("frames:5-3", "which frames"),
        ("frames:5", "which frames"),
        ("frame", "which frame. write its number, counted from 1, or any for a random one, as frame:20"),
        ("frame:0", "which frame"),
        ("frame:last", "which frame"),
        ("frame:1?x=1", "unknown option 'x'"),
        ("frames:1-2#0", "leave #0 out"),
        ("frame:20?shift=1", "unknown option 'shift'; it takes none"),
        ("frame:any?shift=6", "shift=6 must be at most 5"),
        ("frame:any?shift=-1", "shift=-1 must be a whole number"),
        ("optical_flow:x", "which frame. write its number, .* as optical_flow:6"),
    ],
)
def test_wrong_names_are_one_line(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec)
    assert "\n" not in str(caught.value)


def test_a_random_frame_is_any_with_five_to_either_side_and_its_neighbour_follows() -> None:
    """Clips whose pixels say which frame they are of."""
    clips = torch.arange(1, 21, dtype=torch.uint8).reshape(1, 20, 1, 1, 1).expand(900, 20, 3, 2, 2)
    views = [make_view(name) for name in ("frame:any", "frame:any?shift=3", "frame:7")]
    assert draw_numbers(views) == [0, 0, 2]
    one, later, seventh = (
        (view[:, 0, 0, 0] * 255).round() for view in draw_views(views, clips, np.arange(900), seed=0)
    )
    assert torch.equal(later, one + 3)
    assert (seventh == 7).all()
    numbers, counts = one.unique(return_counts=True)
    assert numbers.tolist() == list(range(6, 16))
    assert chisquare(counts.numpy()).pvalue > 1e-4
    assert [view.name for view in views] == ["frame:any", "frame:any?shift=3", "frame:7"]


def moving(right: int, down: int, frames: int = 11, side: int = 32) -> Tensor:
    """A smooth texture that moves by so many pixels a frame, shape (1, frames, 3, side, side)."""
    coarse = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    texture = functional.interpolate(coarse, size=(96, 96), mode="bicubic").clamp(0, 1)[0]
    shown = [
        texture[:, 32 - down * t : 32 - down * t + side, 32 - right * t : 32 - right * t + side]
        for t in range(frames)
    ]
    return (torch.stack(shown)[None] * 255).to(torch.uint8)


def test_the_flow_of_a_moving_texture_is_its_motion() -> None:
    pytest.importorskip("skimage")
    view = make_view("optical_flow")
    found = view(moving(right=1, down=-2), NO_DRAWS)
    assert found.shape == (1, view.channels, 32, 32) == (1, 20, 32, 32)
    pixels = ((found - 0.5) * 2 * FASTEST)[..., 8:-8, 8:-8].mean(dim=(0, 2, 3)).reshape(10, 2)
    torch.testing.assert_close(pixels, torch.tensor([1.0, -2.0]).expand(10, 2), atol=0.05, rtol=0)


def test_the_flow_lies_around_the_middle_or_the_frame_that_is_named() -> None:
    """A texture that rests, and moves from frame 11 to 12 alone."""
    pytest.importorskip("skimage")
    clip = moving(1, 0, frames=2, side=16)
    clip = torch.cat([clip[:, :1].expand(1, 11, 3, 16, 16), clip[:, 1:]], dim=1)
    middle, late = (view(clip, NO_DRAWS) for view in (OpticalFlowView(), OpticalFlowView(7)))
    torch.testing.assert_close(middle, torch.full_like(middle, 0.5), atol=1e-3, rtol=0)
    moved = (late - 0.5).abs().amax(dim=(0, 2, 3))
    assert (moved[:18] < 1e-3).all()
    assert moved[18] > 0.5 / (2 * FASTEST)
    random = make_view("optical_flow:any")  # frames 6 and 7 have five to either side
    assert torch.equal(random(clip, torch.tensor([[0.1]])), middle)
    assert torch.equal(random(clip, torch.tensor([[0.9]])), late)
    assert draw_numbers([random, make_view("frame:any?shift=1")]) == [0, 0]


def test_fields_of_frames_that_come_again_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TV-L1: each field is the difference of its frames."""
    pytest.importorskip("skimage")
    asked: list[int] = []

    def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        asked.append(1)
        return np.stack([after - before, before - after])

    monkeypatch.setattr(optical_flow, "_flow", difference)
    monkeypatch.setattr(optical_flow, "_KEPT", optical_flow._KeptFields())
    monkeypatch.setattr(optical_flow, "KEPT_BYTES", 15 * 2 * 4 * 5 * 4)
    view = make_view("optical_flow:6")
    first = view(CLIPS[:1], NO_DRAWS[:1])
    assert len(asked) == 10
    assert torch.equal(view(CLIPS[:1], NO_DRAWS[:1]), first)
    assert torch.equal(make_view("optical_flow:7")(CLIPS[:1], NO_DRAWS[:1])[:, :18], first[:, 2:])
    assert len(asked) == 11, "one field of frame 7 lies beyond those of frame 6"
    both = view(CLIPS, NO_DRAWS)
    assert torch.equal(both[:1], first)
    assert len(asked) == 21, "ten of another clip, which push six of the first out"
    assert torch.equal(view(CLIPS, NO_DRAWS), both)
    assert len(asked) > 21
    grey = torch.einsum("c,tchw->thw", torch.tensor(optical_flow.LUMA), CLIPS[0] / 255)
    torch.testing.assert_close((first[0, 0] - 0.5) * 2 * FASTEST, grey[1] - grey[0], atol=1e-5, rtol=0)


def test_flow_without_its_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(
        InputError, match=r"view 'optical_flow': needs skimage.*pip install .mitools.flow."
    ) as e:
        make_view("optical_flow")
    assert "\n" not in str(e.value)
