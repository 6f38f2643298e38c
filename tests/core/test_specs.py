"""The one-line language of encoders and data."""

import pytest

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import Spec, parse_spec

SOURCES = ["builtin", "checkpoint", "digits", "timm"]


@pytest.mark.parametrize(
    ("text", "source", "name", "options"),
    [
        ("digits", "digits", "", {}),
        ("timm:resnet50.a1_in1k", "timm", "resnet50.a1_in1k", {}),
        ("builtin:pca?k=16", "builtin", "pca", {"k": "16"}),
        (
            "checkpoint:a/b.pth?arch=python:models:make&layer=2",
            "checkpoint",
            "a/b.pth",
            {"arch": "python:models:make", "layer": "2"},
        ),
        ("checkpoint:x.pth?arch=timm:vit?", "checkpoint", "x.pth", {"arch": "timm:vit?"}),
        ("checkpoint:x.pth?note=a=b", "checkpoint", "x.pth", {"note": "a=b"}),
        ("digits?", "digits", "", {}),
    ],
)
def test_a_spec_is_source_name_and_options(
    text: str, source: str, name: str, options: dict[str, str]
) -> None:
    assert parse_spec(text, SOURCES) == Spec(text, source, name, options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tim:resnet50",
            "unknown source 'tim'; did you mean timm:resnet50? accepted: builtin, checkpoint, digits, timm",
        ),
        ("", "unknown source ''"),
        ("builtin:pca?k", "option 'k' is not of the form key=value"),
        ("builtin:pca?k=", "option 'k=' is not of the form key=value"),
        ("builtin:pca?=3", "option '=3' is not of the form key=value"),
        ("builtin:pca?k=3&k=4", "option 'k' is given twice"),
    ],
)
def test_what_cannot_be_read_says_which_part_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError, match="spec") as caught:
        parse_spec(text, SOURCES)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_option_names_the_nearest() -> None:
    spec = parse_spec("checkpoint:x.pth?arhc=resnet", SOURCES)
    with pytest.raises(InputError, match="unknown option 'arhc'; accepted: arch"):
        spec.only("arch", "layer", "precision", "size")
    with pytest.raises(InputError, match="unknown option 'arhc'; it takes none"):
        spec.only()
    parse_spec("builtin:pca?k=1", SOURCES).only("k", "seed")


@pytest.mark.parametrize("text", ["3.5", "-1", "x", "1e3", "\u0663", "4", "9" * 19, "9" * 6000])
def test_an_option_that_is_no_whole_number_or_too_small_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="whole number of at least 5"):
        parse_spec(f"builtin:pca?k={text}", SOURCES).integer("k", 16, at_least=5)


def test_a_whole_number_is_read_and_an_absent_one_is_the_default() -> None:
    spec = parse_spec("builtin:pca?k=5", SOURCES)
    assert spec.integer("k", 16, at_least=5) == 5
    assert spec.integer("seed", 7) == 7


def test_a_missing_name_is_shown_by_example() -> None:
    assert parse_spec("timm:resnet18", SOURCES).need_name("timm:resnet50") == "resnet18"
    with pytest.raises(InputError, match="write for example timm:resnet50"):
        parse_spec("timm:", SOURCES).need_name("timm:resnet50")


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("resnet5", ["resnet50", "vit", "pixels", "mlp"], "resnet50"),
        ("zzz", ["a", "b"], "a or b"),
        ("zzz", ["a", "b", "c", "d"], "a, b or c"),
        ("zzz", [], "nothing"),
        ("layer2", ["layer1", "layer1", "layer1"], "layer1"),
    ],
)
def test_the_nearest_names_are_said_as_people_say_them(name: str, known: list[str], said: str) -> None:
    assert nearest(name, known) == said
