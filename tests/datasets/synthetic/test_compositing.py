import numpy as np
import pytest
import torch

from mitools.datasets.synthetic.compositing import _crop_by_index, _draw_by_index, crop, draw_glyphs

N, SIDE, GLYPH = 70, 20, 7


@pytest.fixture
def scene():
    random = torch.Generator().manual_seed(0)

    def whole(high, shape):
        return torch.randint(0, high, shape, generator=random)

    return {
        "canvas": whole(256, (N, 3, SIDE, SIDE)).to(torch.uint8),
        "glyphs": whole(256, (9, GLYPH, GLYPH)).to(torch.uint8),
        "index": whole(9, (N,)),
        "color": whole(256, (N, 3)).to(torch.uint8),
        "top": whole(SIDE - GLYPH + 1, (N,)),
        "left": whole(SIDE - GLYPH + 1, (N,)),
    }


def test_windows_are_cut_where_told(scene):
    index = torch.arange(N).flip(0)
    cut = crop(scene["canvas"], index, scene["top"], scene["left"], GLYPH)
    for k in range(N):
        rows = slice(int(scene["top"][k]), int(scene["top"][k]) + GLYPH)
        columns = slice(int(scene["left"][k]), int(scene["left"][k]) + GLYPH)
        assert torch.equal(cut[k], scene["canvas"][index[k], :, rows, columns])
    assert torch.equal(cut, _crop_by_index(scene["canvas"], index, scene["top"], scene["left"], GLYPH))


def test_glyphs_are_blended_by_their_coverage_and_nothing_else_changes(scene):
    expected = scene["canvas"].numpy().astype(np.int64)
    for k in range(N):
        top, left = int(scene["top"][k]), int(scene["left"][k])
        under = expected[k, :, top : top + GLYPH, left : left + GLYPH]
        alpha = scene["glyphs"][scene["index"][k]].numpy().astype(np.int64)
        ink = scene["color"][k].numpy().astype(np.int64)[:, None, None]
        expected[k, :, top : top + GLYPH, left : left + GLYPH] = (under * (255 - alpha) + ink * alpha) // 255
    drawn = scene["canvas"].clone()
    draw_glyphs(drawn, *(scene[key] for key in ("glyphs", "index", "color", "top", "left")))
    assert np.array_equal(drawn.numpy(), expected)


def test_the_path_for_accelerators_gives_the_same_pixels(scene):
    here, there = scene["canvas"].clone(), scene["canvas"].clone()
    draw_glyphs(here, *(scene[key] for key in ("glyphs", "index", "color", "top", "left")))
    _draw_by_index(there, scene["glyphs"][scene["index"]], *(scene[key] for key in ("color", "top", "left")))
    assert torch.equal(here, there)
    assert not torch.equal(here, scene["canvas"])
