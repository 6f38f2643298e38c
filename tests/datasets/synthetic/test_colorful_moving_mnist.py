import hashlib
import pickle
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch.utils.data import DataLoader

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.base import MultimodalData, modalities_of
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.glyphs import open_glyphs
from mitools.datasets.synthetic.moving_scenes import DIGIT_OFFSETS, FACTORS

SUBSETS = [s for size in range(4) for s in combinations(FACTORS, size)]
SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"
ALL = np.arange(20_000)


@pytest.fixture(scope="module")
def world():
    return ColorfulMovingMNIST(n=20_000, seed=1, shared=("digit", "background"))


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A world whose backgrounds are of one colour a class, so that everything can be read off the pixels."""
    root = tmp_path_factory.mktemp("flat")
    for k in range(4):
        (root / f"level{k}").mkdir()
        for item in range(5):
            Image.new("RGB", (40, 50), (20 * k, 20 * k, 20 * k)).save(root / f"level{k}" / f"{item}.png")
    return ColorfulMovingMNIST(n=300, seed=2, background=f"folder:{root}")


def test_meets_the_contract_of_labelled_data(world):
    image, label = world[7]
    assert (image.mode, image.size) == ("RGB", (64, 64))
    assert label == world.labels[7]
    assert world.labels.dtype == np.int64
    assert len(world.classes) == 100
    assert world.classes[11] == "1 checks"
    assert world.entropy_bits() == pytest.approx(2 * np.log2(10), abs=1e-9)


@pytest.mark.parametrize("shared", [s for s in SUBSETS if s and len(s) < 3])
def test_classes_follow_the_stated_table(world, shared):
    counts = np.bincount(world.label_of(shared), minlength=world.truth.marginal(shared).size)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert world.entropy_bits(shared) == pytest.approx(np.log2(len(counts)), abs=1e-9)


def test_everything_drawn_can_be_read_off_the_pixels(flat):
    """No learning: the background's class by a border pixel, the digit by its glyph, the place by its box."""
    frames = [1, 2, 7, 20]
    clips = flat.clips(np.arange(80), frames).numpy().astype(np.int64)
    places = flat.pixel_positions(np.arange(80), frames)
    glyphs = open_glyphs("digits", "train")
    digit_of = np.repeat(np.arange(10), glyphs.counts)
    assert places.min() == 0
    assert places.max() == DIGIT_OFFSETS - 1
    for item, (clip, path) in enumerate(zip(clips, places, strict=True)):
        level = 20 * flat.attributes[item, 2]
        for image, (top, left) in zip(clip, path, strict=True):
            box = image[0, top : top + 28, left : left + 28].copy()
            outside = image.copy()
            outside[:, top : top + 28, left : left + 28] = level
            assert (outside == level).all()
            inked = (glyphs.images * (255 - level) + level * 255) // 255
            distance = np.abs(inked - box).sum(axis=(1, 2))
            assert distance.min() == 0
            assert digit_of[distance.argmin()] == flat.attributes[item, 0]


def test_one_sequence_keeps_its_digit_and_background_and_moves_at_its_speed(flat):
    places = flat.pixel_positions(np.arange(300), range(1, 41))
    steps = np.abs(np.diff(places, axis=1))
    assert steps.max() <= 7
    longest = np.hypot(*np.moveaxis(steps, -1, 0)).max(axis=1)
    assert (np.abs(longest - 6.4) < 1.5).all()


def test_frames_may_be_any_and_in_any_order(world):
    whole = world.clips([5, 9], range(1, 31))
    assert whole.shape == (2, 30, 3, 64, 64)
    assert torch.equal(world.clips([5, 9], [20, 3]), whole[:, [19, 2]])
    assert torch.equal(world.compose([5, 9]), whole[:, 19])
    assert world.clips([0], [10**6]).shape == (1, 1, 3, 64, 64)


def test_the_clip_of_an_item_is_its_first_twenty_frames(world):
    assert isinstance(world, MultimodalData)
    assert modalities_of(world) == ("image", "clip")
    clip = world.modality(9, "clip")
    assert np.array_equal(clip, world.clips([9], range(1, 21))[0])
    assert np.array_equal(clip[19].transpose(1, 2, 0), np.asarray(world[9][0]))
    with pytest.raises(InputError, match="unknown modality of colorful_moving_mnist 'depth'; accepted: clip"):
        world.modality(9, "depth")


@pytest.mark.parametrize("level", ["instance", "class"])
@pytest.mark.parametrize("shared", SUBSETS)
def test_view_2_shares_exactly_the_named_factors(world, shared, level):
    pairs = world.pairs(shared, level=level)
    first, second = pairs.attributes(ALL)
    for axis, name in enumerate(FACTORS):
        if name in shared:
            assert np.array_equal(first[:, axis], second[:, axis])
        else:
            table = np.histogram2d(first[:, axis], second[:, axis], bins=world.truth.joint.shape[axis])[0]
            assert stats.chi2_contingency(table).pvalue > 1e-3, "the others are independent"
            assert stats.chisquare(table.sum(axis=0)).pvalue > 1e-3, "and uniform"


def test_what_each_subset_shares_is_stated(world):
    label = {"digit": np.log2(10), "position": 4.0, "background": np.log2(10)}
    glyphs = open_glyphs("digits", "train")
    instance = {
        "digit": np.log2(10) + np.mean(np.log2(glyphs.counts)),
        "position": 2 * np.log2(37),
        "background": np.log2(10 * 24) + 2 * np.log2(33),
    }
    for shared in SUBSETS:
        by_class, by_instance = world.pairs(shared, level="class"), world.pairs(shared)
        assert by_class.label_bits == by_class.shared_bits == by_instance.label_bits
        assert by_class.label_bits == pytest.approx(sum(label[f] for f in shared), abs=1e-9)
        assert by_instance.shared_bits == pytest.approx(sum(instance[f] for f in shared), abs=1e-9)


def test_view_1_is_the_first_frames_and_view_2_takes_the_very_instances(world):
    items = np.arange(40)
    clip, everything = world.pairs(FACTORS).compose(items)
    assert torch.equal(clip, world.clips(items, range(1, 11)))
    assert torch.equal(everything, world.compose(items))
    _, nothing = world.pairs(()).compose(items)
    assert not any(torch.equal(a, b) for a, b in zip(nothing, everything, strict=True))
    _, background = world.pairs(("background",)).compose(items)
    outside = torch.ones(40, 64, 64, dtype=torch.bool)
    scenes = [world.scenes(items), world.pairs(("background",))._second(items, world.scenes(items))]
    for scene in scenes:
        for k, (top, left) in enumerate(scene.point >> 16):
            outside[k, top : top + 28, left : left + 28] = False
    same = (background == everything).all(dim=1)
    assert same[outside].all()
    assert outside.float().mean() > 0.3


def test_at_level_class_the_instances_are_drawn_afresh(world):
    items = np.arange(2000)
    pairs = world.pairs(FACTORS, level="class")
    _, second = pairs.compose(items)
    frame = world.compose(items)
    assert not any(torch.equal(a, b) for a, b in zip(second, frame, strict=True))
    clip, image, label = pairs[3]
    assert clip.shape == (10, 3, 64, 64)
    assert torch.equal(image, second[3])
    assert label == world.label_of(FACTORS)[3]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch", [1, 13])
def test_the_same_for_any_workers_and_batches(workers, batch):
    data = ColorfulMovingMNIST(n=26, seed=6)
    pairs = data.pairs(("digit",))
    clips, images = pairs.compose(np.arange(26))
    loaded = list(DataLoader(pairs, batch_size=batch, num_workers=workers))
    assert torch.equal(torch.cat([clip for clip, _, _ in loaded]), clips)
    assert torch.equal(torch.cat([image for _, image, _ in loaded]), images)
    assert np.array_equal(torch.cat([label for _, _, label in loaded]), data.labels)
    items = [np.asarray(data[k][0]).transpose(2, 0, 1) for k in range(26)]
    assert np.array_equal(items, data.compose(np.arange(26)).numpy())
    copy = pickle.loads(pickle.dumps(data))
    assert torch.equal(copy.compose(np.arange(26)), data.compose(np.arange(26)))


def test_golden_pixels():
    """Whole-number arithmetic from the draws to the pixels: the same on every machine."""
    clips = ColorfulMovingMNIST(n=10, seed=11).clips(np.arange(10))
    assert hashlib.sha256(clips.numpy()).hexdigest() == GOLDEN


def test_the_digest_changes_with_every_choice():
    choices = [
        {},
        {"seed": 1},
        {"part": "test"},
        {"n": 11},
        {"frame": 19},
        {"grid": 5},
        {"shared": ("position",)},
    ]
    digests = [ColorfulMovingMNIST(**({"n": 10} | choice)).digest for choice in choices]
    assert len(set(digests)) == len(choices)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_composes_the_same_pixels():
    data = ColorfulMovingMNIST(n=20)
    here = data.clips(np.arange(20))
    assert torch.equal(data.to("cuda").clips(np.arange(20)).cpu(), here)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="no shared data beside the repository")
def test_mnist_over_classes_of_small_photographs():
    data = ColorfulMovingMNIST(
        n=100,
        shared=("background",),
        background=f"tar:{SHARED_DATA}/cifar10-test.tar.gz",
        glyphs=f"mnist:{SHARED_DATA}/mnist",
    )
    assert data.classes[:2] == ["airplane", "automobile"]
    assert data.entropy_bits() == pytest.approx(np.log2(10), abs=1e-9)
    assert data.clips(np.arange(4)).shape == (4, 20, 3, 64, 64)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n": 0}, "n=0"),
        ({"frame": 0}, "frame=0"),
        ({"grid": 38}, "grid=38"),
        ({"shared": ("colour",)}, "accepted: digit, position or background"),
    ],
)
def test_bad_arguments(options, match):
    with pytest.raises(InputError, match=match):
        ColorfulMovingMNIST(**options)


def test_bad_pairs(world):
    with pytest.raises(InputError, match="level=pixel"):
        world.pairs(level="pixel")
    with pytest.raises(InputError, match="past=0"):
        world.pairs(past=0)


def test_specs_open_what_they_say():
    data = open_data("colorful_moving_mnist?shared=position,digit&n=30&frame=5&grid=2&seed=4")
    same = ColorfulMovingMNIST(n=30, shared=("digit", "position"), frame=5, grid=2, seed=4)
    assert data.digest == same.digest
    assert data.entropy_bits() == pytest.approx(2 + np.log2(10), abs=1e-9)
    with pytest.raises(InputError, match="unknown option 'frames'"):
        open_data("colorful_moving_mnist?frames=3")


GOLDEN = "6916e858cbc00df6e6d0be5f96ec3c47f1fb3f0701472b301f60b8c585a810ea"
