"""Images as cameras and programs write them: turned, transparent, deep, in CMYK, damaged."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data
from mitools.datasets.images.decode import DEEP, TRANSPARENT, TURNED, Reading, decode_image, header_facts

RAMP = np.repeat(np.linspace(0, 255, 8).astype(np.uint8)[:, None], 6, 1)
COLOURS = np.stack([RAMP, RAMP[::-1], np.full_like(RAMP, 9)], -1)
# The orientations of EXIF, by what undoes them: what a viewer shows is COLOURS each time.
STORED = {
    1: COLOURS, 2: COLOURS[:, ::-1], 3: COLOURS[::-1, ::-1], 4: COLOURS[::-1], 5: COLOURS.swapaxes(0, 1),
    6: np.rot90(COLOURS, 1), 7: np.rot90(COLOURS, 2).swapaxes(0, 1), 8: np.rot90(COLOURS, -1),
}  # fmt: skip


def saved(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation, kind):
    tags = Image.Exif()
    tags[274] = orientation
    return saved(Image.fromarray(np.ascontiguousarray(STORED[orientation])), kind, exif=tags)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_stated_orientation_is_applied_unless_it_is_to_be_ignored(orientation, kind):
    content = turned(orientation, kind)
    np.testing.assert_array_equal(np.asarray(decode_image(content, "x")), COLOURS)
    if kind == "TIFF":  # Pillow itself turns them
        return
    stored = np.asarray(decode_image(content, "x", Reading(upright=False)))
    np.testing.assert_array_equal(stored, STORED[orientation])
    assert header_facts(content) == TURNED * (orientation > 1)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_an_orientation_is_seen_in_the_header_of_every_format(kind):
    assert header_facts(turned(6, kind)) == TURNED
    assert header_facts(turned(1, kind)) == 0
    assert header_facts(saved(Image.fromarray(COLOURS), kind)) == 0


def transparent(mode):
    alpha = np.full(RAMP.shape, 0, np.uint8)
    alpha[:, 3:] = 255
    image = Image.fromarray(np.dstack([COLOURS, alpha]))
    if mode == "P":
        palette = Image.fromarray(COLOURS).quantize(16)
        return saved(palette, transparency=palette.getpixel((0, 0)))
    return saved(image.convert(mode))


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), (10, 200, 30)])
def test_transparency_is_laid_on_the_stated_colour(background):
    found = np.asarray(decode_image(transparent("RGBA"), "x", Reading(background)))
    np.testing.assert_array_equal(found[:, :3], np.broadcast_to(background, (8, 3, 3)))
    np.testing.assert_array_equal(found[:, 3:], COLOURS[:, 3:])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_of_every_mode_is_seen(mode):
    assert header_facts(transparent(mode)) == TRANSPARENT
    first = np.asarray(decode_image(transparent(mode), "x", Reading((1, 2, 3))))
    assert (first[0, 0] == (1, 2, 3)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_clipped(kind):
    deep = np.array([[0, 257, 32896, 65535]], np.uint16)
    content = saved(Image.fromarray(deep), kind)
    np.testing.assert_array_equal(np.asarray(decode_image(content, "x"))[0, :, 0], [0, 1, 128, 255])
    assert kind != "PNG" or header_facts(content) == DEEP


def test_cmyk_gets_the_colours_that_were_printed():
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[..., 1:3] = 255  # magenta and yellow without black: red
    for kind in ("JPEG", "TIFF"):
        found = np.asarray(decode_image(saved(Image.fromarray(inks, "CMYK"), kind), "x")).astype(int)
        assert np.abs(found - (255, 0, 0)).max() < 8


def folder(tmp_path, files):
    for name, content in files.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    return f"folder:{tmp_path / 'data'}"


PLAIN = {f"{c}/{i}.png": saved(Image.fromarray(COLOURS)) for c in "ab" for i in range(3)}


def notes(spec):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = open_data(spec)
    return data, [str(one.message) for one in caught if issubclass(one.category, DataNote)]


def test_what_was_turned_and_composited_is_counted_and_told(tmp_path):
    files = {"a/turned.jpg": turned(6, "JPEG"), "b/clear.png": transparent("RGBA")}
    data, told = notes(folder(tmp_path, PLAIN | files))
    assert told == [
        "data: 1 of 8 images turned as the orientation in their EXIF says;"
        " exif=ignore leaves them as they are stored",
        "data: 1 of 8 images with transparency laid on the colour 255,255,255; background= names another",
    ]
    other, told = notes(f"folder:{tmp_path / 'data'}?exif=ignore&background=black")
    assert told == [
        "data: 1 of 8 images with transparency laid on the colour 0,0,0; background= names another"
    ]
    assert other.digest != data.digest
    assert np.asarray(other[4 + 3][0])[0, 0].tolist() == [0, 0, 0]


def test_plain_images_are_read_without_a_word(tmp_path):
    data, told = notes(folder(tmp_path, PLAIN))
    assert told == []
    assert open_data(f"folder:{tmp_path / 'data'}?background=black").digest == data.digest


@pytest.mark.parametrize("option", ["background=pink", "background=1,2", "exif=no", "on_error=ignore"])
def test_options_of_another_value_are_refused(tmp_path, option):
    with pytest.raises(InputError, match=option.partition("=")[0]):
        open_data(folder(tmp_path, PLAIN) + f"?{option}")


def test_damaged_images_stop_the_reading_or_are_left_out_and_listed(tmp_path):
    spec = folder(tmp_path, PLAIN | {"a/bad.png": b"no image", "c/worse.png": b""})
    with pytest.raises(InputError, match=r"a/bad\.png: cannot be read as an image"):
        [open_data(spec)[index] for index in range(8)]
    data, told = notes(f"{spec}?on_error=skip")
    assert (list(data.classes), data.labels.tolist(), len(data.skipped)) == (["a", "b"], [0] * 3 + [1] * 3, 2)
    assert "2 of 8 images are damaged and were left out: " in told[0]
    assert "a/bad.png" in told[0]
    assert "c/worse.png" in told[0]
    assert "1 classes have no image left: c" in told[1]
    assert [data[index][1] for index in range(6)] == data.labels.tolist()
    assert data.digest != open_data(folder(tmp_path / "clean", PLAIN)).digest


def test_what_archivers_leave_is_no_class_and_an_empty_class_is_named(tmp_path):
    spec = folder(tmp_path, PLAIN | {"__MACOSX/a/._x.png": b"", "a/._x.png": b""})
    assert list(open_data(spec).classes) == ["a", "b"]
    (tmp_path / "data" / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no images directly inside"):
        open_data(spec)
    data, told = notes(f"{spec}?on_error=skip")
    assert list(data.classes) == ["a", "b"]
    assert told == ["data: class 'empty' has no images and was left out"]
