"""Learned generators as views: what they draw, their names, and what is no learned view."""

from pathlib import Path

import pytest
import torch

from mitools.core.errors import InputError
from mitools.views.base import View, is_rgb, view_key
from mitools.views.colour.view import ColourView
from mitools.views.flow.generator import Coupling, FlowGenerator
from mitools.views.flow.generator_file import GENERATOR, read_generator, write_generator
from mitools.views.flow.view import own_view_at
from mitools.views.registry import make_view

NO_DRAWS = torch.empty(5, 0)


def write_run(
    run: Path, space: str = "ydbdr", epoch: int = 2, coupling: Coupling = "non_volume_preserving"
) -> FlowGenerator:
    """Write what a run keeps of its generator."""
    generator = FlowGenerator(coupling, blocks=4, hidden=5)
    numbers = torch.Generator().manual_seed(epoch)
    for weight in generator.parameters():
        weight.data = torch.randn(weight.shape, generator=numbers) / 3
    folder = run / "checkpoints" / f"epoch-{epoch:04d}"
    folder.mkdir(parents=True)
    write_generator(folder, generator, space)
    return generator


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 6, 4, generator=torch.Generator().manual_seed(0))


def test_its_views_are_the_first_channel_and_the_others(tmp_path: Path, images: torch.Tensor) -> None:
    generator = write_run(tmp_path / "run")
    expected = generator(2 * ColourView("ydbdr")(images, NO_DRAWS) - 1).values / 2 + 0.5
    first, second, whole = (make_view(f"flow:{tmp_path / 'run'}{part}") for part in ("#0", "#1", ""))
    assert [view.channels for view in (first, second, whole)] == [1, 2, 3]
    torch.testing.assert_close(whole(images, NO_DRAWS), expected.detach())
    torch.testing.assert_close(first(images, NO_DRAWS), expected[:, :1].detach())
    torch.testing.assert_close(second(images, NO_DRAWS), expected[:, 1:].detach())
    for view in (first, second, whole):
        assert isinstance(view, View)
        assert (view.draws, is_rgb(view)) == (0, False)
        assert make_view(view.name) == view
        assert not view(images, NO_DRAWS).requires_grad
        one = view(images[3:4], NO_DRAWS[:1])
        torch.testing.assert_close(one, view(images, NO_DRAWS)[3:4])
        assert view(images.to("meta"), NO_DRAWS.to("meta")).device.type == "meta"
    assert first != second


def test_the_last_checkpoint_is_read_unless_one_is_named(tmp_path: Path, images: torch.Tensor) -> None:
    run = tmp_path / "run"
    early, late = (write_run(run, "rgb", epoch) for epoch in (2, 10))
    drawn = make_view(f"flow:{run}")(images, NO_DRAWS)
    torch.testing.assert_close(drawn, late(2 * images - 1).values.detach() / 2 + 0.5)
    drawn = make_view(f"flow:{run}/checkpoints/epoch-0002")(images, NO_DRAWS)
    torch.testing.assert_close(drawn, early(2 * images - 1).values.detach() / 2 + 0.5)


def test_what_is_kept_under_its_key_is_of_its_weights(tmp_path: Path) -> None:
    write_run(tmp_path / "run", epoch=1)
    name = f"flow:{tmp_path / 'run'}#1"
    before = view_key(make_view(name))
    assert before.startswith(f"{name} ")
    assert view_key(make_view(name)) == before
    write_run(tmp_path / "run", epoch=3)
    assert view_key(make_view(name)) != before
    assert make_view(name).name == name


@pytest.mark.parametrize("coupling", ["volume_preserving", "non_volume_preserving"])
def test_a_file_gives_the_generator_back(coupling: Coupling, tmp_path: Path, images: torch.Tensor) -> None:
    generator = write_run(tmp_path, "hed", 1, coupling)
    found = read_generator(tmp_path / "checkpoints" / "epoch-0001" / GENERATOR)
    assert (found.space, found.generator.coupling) == ("hed", coupling)
    torch.testing.assert_close(found.generator(images).values, generator(images).values.detach())


def test_a_runs_own_views_lie_in_its_checkpoint() -> None:
    assert own_view_at("flow:.#1", Path("runs/a/epoch-0003")) == "flow:runs/a/epoch-0003#1"
    assert own_view_at("lab:l", Path("runs/a")) == "lab:l"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("flow:{run}#2", "#0 of one channel and #1 of two; there is no #2"),
        ("flow:{run}?space=rgb#0", "unknown option 'space'; it takes none"),
        ("flow#0", "write for example flow:runs/views#0"),
        ("flow:{none}#0", "none is no folder; name a folder that mitools train learnt views in"),
        ("flow:{empty}#0", "empty holds no checkpoint of a run; name a folder"),
        ("flow:{other}#1", "other is no run of learned_views, no generator lies in its checkpoints; name"),
        ("flow:{damaged}#0", "generator.safetensors: damaged, it holds no generator"),
        ("flow:{weights}#0", "generator.safetensors: damaged, it holds no generator"),
    ],
)
def test_what_is_no_learned_view_is_one_line(spec: str, said: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    write_run(tmp_path / "run")
    for name in ("empty", "other/checkpoints/epoch-0001", "damaged", "weights"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "damaged" / GENERATOR).write_bytes(b"no safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights" / GENERATOR)
    names = ("run", "none", "empty", "other", "damaged", "weights")
    with pytest.raises(InputError, match=said) as caught:
        make_view(spec.format(**{name: tmp_path / name for name in names}))
    assert "\n" not in str(caught.value)


def test_images_of_other_channels_are_one_line(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(InputError, match=r"#0': the generator reads images of 3 channels, not 1$"):
        make_view(f"flow:{tmp_path / 'run'}#0")(torch.rand(5, 1, 4, 4), NO_DRAWS)


@pytest.mark.parametrize("stray", ["epoch-9999", "epoch-x", "epoch-"])
def test_a_stray_checkpoint_is_passed_over(tmp_path: Path, images: torch.Tensor, stray: str) -> None:
    late = write_run(tmp_path / "run", "rgb", epoch=2)
    (tmp_path / "run" / "checkpoints" / stray).mkdir()
    drawn = make_view(f"flow:{tmp_path / 'run'}")(images, NO_DRAWS)
    torch.testing.assert_close(drawn, late(2 * images - 1).values.detach() / 2 + 0.5)
