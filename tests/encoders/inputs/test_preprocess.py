from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.encoders import Preprocess
from mitools.encoders.inputs.preprocess import crop_fraction, preprocess_origin, timm_preprocess

CONFIG = {
    "input_size": (3, 48, 48),
    "crop_pct": 0.875,
    "crop_mode": "center",
    "interpolation": "bicubic",
    "mean": (0.4, 0.5, 0.6),
    "std": (0.2, 0.25, 0.3),
}


def image(width, height):
    rng = np.random.default_rng(width * height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(48, 48), (131, 57), (57, 131), (20, 33), (54, 54)])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"crop_mode": "squash"},
        {"crop_pct": 1.0},
        {"interpolation": "bilinear"},
        {"crop_pct": 0.95, "input_size": (3, 31, 31)},
    ],
)
def test_evaluation_agrees_with_timm(size, change):
    from timm.data import create_transform

    config = CONFIG | change
    preprocess = timm_preprocess(config, "peer")
    ours = preprocess.finish(preprocess.evaluate(image(*size))[None])[0]
    torch.testing.assert_close(ours, create_transform(**config)(image(*size)), rtol=0, atol=1e-6)


def test_native_size_leaves_the_pixels_alone():
    pixels = Preprocess().evaluate(image(7, 5))
    assert pixels.dtype == torch.uint8
    np.testing.assert_array_equal(pixels.permute(1, 2, 0), np.asarray(image(7, 5)))


def test_finishing_works_on_views_as_on_single_images():
    pixels = torch.randint(0, 256, (2, 4, 3, 5, 5), dtype=torch.uint8)
    preprocess = Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    torch.testing.assert_close(preprocess.finish(pixels)[1, 2], preprocess.finish(pixels[1, 2]))
    expected = (pixels[0, 0, 1, 2, 3] / 255 - 0.2) / 0.6
    torch.testing.assert_close(preprocess.finish(pixels)[0, 0, 1, 2, 3], expected)


def test_every_field_changes_the_key():
    variants = [
        Preprocess(),
        Preprocess(size=32),
        Preprocess(size=32, crop_fraction=0.5),
        Preprocess(size=32, resize="squash"),
        Preprocess(size=32, interpolation="bicubic"),
        Preprocess(mean=(0.0, 0.0, 0.0)),
        Preprocess(std=(1.0, 1.0, 1.0)),
        Preprocess(mean=(0.4850001, 0.456, 0.406)),
    ]
    assert len({variant.key for variant in variants}) == len(variants)


def test_options_override_and_a_size_by_hand_is_not_cropped():
    spec = Spec("x", "timm", "x", {"image_size": "32", "mean": "0,0.5,1", "std": "1,2,0.5"})
    changed = timm_preprocess(CONFIG, "x").overridden(spec)
    assert changed == Preprocess(32, 1.0, "shorter_side", "bicubic", (0.0, 0.5, 1.0), (1.0, 2.0, 0.5))


def test_every_option_may_be_given_alone():
    base = timm_preprocess(CONFIG, "x")
    changes = {
        "crop": ("0.5", {"crop_fraction": 0.5}),
        "resize": ("squash", {"resize": "squash"}),
        "interpolation": ("nearest", {"interpolation": "nearest"}),
    }
    for key, (text, change) in changes.items():
        spec = Spec("x", "timm", "x", {key: text})
        assert base.overridden(spec) == replace(base, **change)
        assert preprocess_origin("its own", spec) == f"its own; {key} as the spec says"
    assert preprocess_origin("its own", Spec("x", "timm", "x", {"arch": "y"})) == "its own"
    both = base.overridden(Spec("x", "timm", "x", {"crop": "0.5", "image_size": "32"}))
    assert (both.size, both.crop_fraction) == (32, 0.5)


def test_a_crop_fraction_gives_the_size_it_was_made_of():
    for crop in range(1, 400, 7):
        for resized in range(crop, 500, 3):
            key = Preprocess(size=crop, crop_fraction=crop_fraction(crop, resized)).key
            assert key.startswith(f"shorter_side {resized} bilinear, centre crop {crop},")


@pytest.mark.parametrize(
    "options",
    [
        {"crop": "0"},
        {"crop": "1.5"},
        {"crop": "all"},
        {"resize": "stretch"},
        {"interpolation": "cubic"},
        {"image_size": "0"},
        {"image_size": "big"},
        {"mean": "0.5"},
        {"mean": "a,b,c"},
        {"std": "1,1,0"},
        {"mean": "0,0,inf"},
    ],
)
def test_an_option_out_of_form_is_refused(options):
    (key,) = options
    with pytest.raises(InputError, match=f"{key}="):
        Preprocess().overridden(Spec("x", "timm", "x", options))


@pytest.mark.parametrize(
    "change", [{"crop_mode": "border"}, {"input_size": (1, 48, 48)}, {"input_size": (3, 48, 32)}]
)
def test_what_is_not_supported_is_said(change):
    with pytest.raises(InputError, match="only RGB squares by center or squash are supported"):
        timm_preprocess(CONFIG | change, "odd")
