import json

import numpy as np
import pytest
from PIL import Image

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.datasets.output.contact_sheet import Group, Row, draw_sheet
from mitools.datasets.output.preview import cdp_sheet, colorful_moving_mnist_sheet, preview, scenes_sheet
from mitools.datasets.synthetic.cdp import CDP
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.scenes.scenes import Scenes


def has_patch(sheet: Image.Image, picture: np.ndarray) -> bool:
    """Whether the picture, shape (3, height, width), lies somewhere on the sheet, pixel for pixel."""
    pixels = np.asarray(sheet)
    patch = picture.transpose(1, 2, 0)
    height, width, _ = patch.shape
    corners = np.argwhere((pixels == patch[0, 0]).all(axis=2))
    return any(np.array_equal(pixels[y : y + height, x : x + width], patch) for y, x in corners)


def test_a_sheet_holds_its_pictures_whole():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (3, 3, 16, 24), dtype=np.uint8)
    sheet = draw_sheet(
        "title", [Row("one", [Group(pictures[:2], "a")]), Row("two", [Group(pictures[2:], "b\nc")])]
    )
    assert all(has_patch(sheet, picture) for picture in pictures)
    assert not has_patch(sheet, pictures[0, :, ::-1])


def test_cdp_shows_the_pairs_of_every_subset_with_their_bits():
    data = CDP(n=1000)
    sheet, bits = cdp_sheet(data, 2)
    assert {name: round(v["entropy_bits"], 9) for name, v in bits.items()} == {
        "color": 2, "digit": 2, "position": 2, "color, digit": 4, "color, position": 4, "digit, position": 4,
        "color, digit, position": 6,
    }  # fmt: skip
    x, y = data.pairs(("color",)).compose([0, 1])
    assert all(has_patch(sheet, image.numpy()) for image in (*x, *y))


def test_colorful_moving_mnist_shows_the_frames_and_every_second_view():
    data = ColorfulMovingMNIST(n=10)
    sheet, bits = colorful_moving_mnist_sheet(data, 1)
    assert len(bits) == 7
    assert bits["digit"]["label_bits"] == pytest.approx(np.log2(10))
    assert bits["digit"]["shared_bits"] > bits["digit"]["label_bits"]
    assert all(has_patch(sheet, frame.numpy()) for frame in data.clips([0], [1, 5, 10, 20])[0])
    for shared in ((), ("position",), ("digit", "background")):
        assert has_patch(sheet, data.pairs(shared).compose([0])[1][0].numpy())


def test_scenes_show_every_modality_and_the_bits_of_every_attribute():
    data = Scenes(n=20, size=32)
    sheet, bits = scenes_sheet(data, 3)
    assert {name: values["entropy_bits"] for name, values in bits.items()} == {
        "shape": 2, "colour": pytest.approx(3), "material": 2, "pose": 2, "light": 2, "camera": 2,
    }  # fmt: skip
    found = data.render([0, 1, 2])
    near, far = found.depth.min(), found.depth.max()
    flip = np.array([1, -1, -1])[:, None, None]
    for item in range(3):
        depth = np.rint(255 * (found.depth[item].numpy() - near.item()) / (far - near).item())
        normals = np.rint(127.5 * (1 + found.normals[item].numpy() * flip))
        assert has_patch(sheet, found.image[item].numpy())
        assert has_patch(sheet, np.repeat(depth, 3, axis=0).astype(np.uint8))
        assert has_patch(sheet, normals.clip(0, 255).astype(np.uint8))
        assert has_patch(sheet, np.repeat(51 * found.segmentation[item].numpy(), 3, axis=0))


def test_known_mi_shows_densities_and_lists_the_truth_of_every_task():
    sheet, bits = preview("known_mi?n=500&seed=1", 6)
    assert bits["normal 1x1"]["true_bits"] == pytest.approx(-np.log2(1 - 0.75**2) / 2)
    assert bits["half cube of normal 1x1"] == bits["normal 1x1"]
    assert len(bits) >= 40
    pixels = np.asarray(sheet)
    assert (pixels < 128).all(axis=2).mean() > 0.01
    with pytest.raises(InputError, match="unknown option 'size'"):
        preview("known_mi?size=3", 6)


def test_command_writes_the_sheet_and_prints_the_bits(tmp_path, capsys):
    out = tmp_path / "sheets" / "cdp.png"
    assert (
        run(["datasets", "preview", "cdp?background=none&size=32", "--out", str(out), "--columns", "1"]) == 0
    )
    assert Image.open(out).format == "PNG"
    assert "color, digit, position" in capsys.readouterr().out
    assert (
        run(["datasets", "preview", "colorful_moving_mnist", "--out", str(out), "--columns", "1", "--json"])
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["sheet"] == str(out)
    assert document["shared"]["position"]["label_bits"] == pytest.approx(4)


@pytest.mark.parametrize(
    "spec", ["mnist:x", "cdp?shared=colour", "cdp?size=8", "cdp?background=folder:/nowhere"]
)
def test_a_wrong_request_is_one_line_and_exit_2(spec, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert run(["datasets", "preview", spec, "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_only_generators_can_be_previewed():
    with pytest.raises(InputError, match="accepted: cdp, colorful_moving_mnist"):
        preview("digits", 4)
