"""Audits of images as people keep them: what a viewer shows counts, and changed files are never missed."""

import io
import os
import tarfile
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import mitools

N, SIDE = 80, 8


def certified(spec, cache):
    """Give the certified bits of the class in the pixels, and the upper end of their interval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audit = mitools.audit(
            {"pixels": "builtin:pixels"}, spec, critic=False, control=False, cache=str(cache), progress=False
        )
    row = audit.table.iloc[0]
    return row["i_class_bits"], row["i_class_low"]


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def exif(root):
    """Two classes that look alike as displayed; one is stored rotated under a tag that undoes it."""
    rng = np.random.default_rng(0)
    for label in (0, 1):
        for k in range(N):
            ramp = np.linspace(200, 40, SIDE)[:, None, None] + rng.normal(0, 8, (SIDE, SIDE, 3))
            image, tags = Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8)), Image.Exif()
            if label:
                image = image.transpose(Image.Transpose.ROTATE_90)
                tags[274] = 6
            save(image, root / f"c{label}" / f"{k}.jpg", exif=tags, quality=95)


def mirrored(root):
    """The same, as a phone's front camera stores it: mirrored, as PNG."""
    rng = np.random.default_rng(1)
    for label in (0, 1):
        for k in range(N):
            ramp = np.linspace(200, 40, SIDE)[None, :, None] + rng.normal(0, 8, (SIDE, SIDE, 3))
            image, tags = Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8)), Image.Exif()
            if label:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                tags[274] = 2
            save(image, root / f"c{label}" / f"{k}.png", exif=tags)


def hidden(root):
    """Pixels without any cover hold a colour that tells the class, and no viewer shows it."""
    rng = np.random.default_rng(2)
    for label in (0, 1):
        for k in range(N):
            pixels = rng.integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
            pixels[:4] = (250 * label, 0, 0, 0)
            pixels[4:, :, 3] = 255
            save(Image.fromarray(pixels), root / f"c{label}" / f"{k}.png")


SLOW = pytest.mark.slow


@pytest.mark.parametrize("case", [exif, pytest.param(mirrored, marks=SLOW), pytest.param(hidden, marks=SLOW)])
def test_classes_that_no_viewer_tells_apart_share_nothing(tmp_path, case):
    case(tmp_path / "x")
    bits, low = certified(f"folder:{tmp_path / 'x'}", tmp_path / "cache")
    assert low <= 0
    assert bits < 0.15
    if case is not hidden:  # as the pixels are stored, they tell the class
        assert certified(f"folder:{tmp_path / 'x'}?exif=ignore", tmp_path / "cache")[1] > 0.5


def flat(informative, rng):
    """Draw images of one size whose brightness tells the class, or does not."""
    values = [[60 + 100 * (label if informative else k % 2) for k in range(N // 2)] for label in (0, 1)]
    return [
        [
            np.full((SIDE, SIDE, 3), v, np.uint8) + rng.integers(0, 9, (SIDE, SIDE, 3), dtype=np.uint8)
            for v in row
        ]
        for row in values
    ]


def bmp(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "BMP")
    return stream.getvalue()


def as_folder(root, images):
    for label, row in enumerate(images):
        for k, pixels in enumerate(row):
            path = root / f"c{label}" / f"{k}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bmp(pixels))
            os.utime(path, (1e9, 1e9))
    return f"folder:{root}"


def as_tar(root, images):
    root.mkdir(exist_ok=True)
    with tarfile.open(root / "x.tar", "w") as archive:
        for label, row in enumerate(images):
            for k, pixels in enumerate(row):
                member = tarfile.TarInfo(f"c{label}/{k:03}.bmp")
                content = bmp(pixels)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    os.utime(root / "x.tar", (1e9, 1e9))
    return f"tar:{root}/x.tar"


def as_parquet(root, images):
    root.mkdir(exist_ok=True)
    content = [bmp(pixels) for row in images for pixels in row]
    labels = [label for label, row in enumerate(images) for _ in row]
    table = pa.table({"image": content, "label": labels})
    pq.write_table(table, root / "x.parquet", compression="none", use_dictionary=False)
    os.utime(root / "x.parquet", (1e9, 1e9))
    return f"parquet:{root}/x.parquet"


@pytest.mark.parametrize(
    "form", [as_folder, pytest.param(as_tar, marks=SLOW), pytest.param(as_parquet, marks=SLOW)]
)
def test_a_cache_is_not_believed_when_the_files_changed_under_equal_size_and_time(tmp_path, form):
    rng = np.random.default_rng(0)
    spec = form(tmp_path / "x", flat(True, rng))
    assert certified(spec, tmp_path / "cache")[1] > 0.5
    assert form(tmp_path / "x", flat(False, rng)) == spec
    bits, low = certified(spec, tmp_path / "cache")
    assert low <= 0
    assert bits < 0.15
