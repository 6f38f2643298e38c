import hashlib
import pickle

import numpy as np
import pytest
import torch
from scipy import stats
from torch.utils.data import DataLoader

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.base import MultimodalData, modalities_of
from mitools.datasets.selection import segments_of
from mitools.datasets.synthetic.scenes.layout import COLOURS, TRUTH
from mitools.datasets.synthetic.scenes.scenes import Scenes


def test_meets_the_contract_of_data_with_several_modalities():
    data = Scenes(50, seed=1, label=("shape", "colour"))
    assert isinstance(data, MultimodalData)
    assert modalities_of(data) == ("image", "depth", "normals", "segmentation")
    image, label = data[7]
    assert (image.mode, image.size) == ("RGB", (64, 64))
    assert data.classes[label] == f"{TRUTH.values['shape'][label // 8]} {list(COLOURS)[label % 8]}"
    assert label == data.labels[7]
    kinds = {name: data.modality(7, name) for name in data.modalities}
    assert {name: (array.shape, array.dtype.name) for name, array in kinds.items()} == {
        "depth": ((1, 64, 64), "float32"),
        "normals": ((3, 64, 64), "float32"),
        "segmentation": ((1, 64, 64), "uint8"),
    }


@pytest.mark.parametrize("label", TRUTH.names)
def test_every_attribute_is_uniform_and_its_entropy_known(label):
    data = Scenes(20_000, seed=2, label=(label,))
    counts = np.bincount(data.labels, minlength=len(data.classes))
    assert stats.chisquare(counts).pvalue > 1e-3
    assert data.entropy_bits() == pytest.approx(np.log2(len(counts)), abs=1e-9)


def test_attributes_are_independent_of_each_other():
    codes = Scenes(20_000, seed=2).attributes
    for first in range(5):
        for second in range(first + 1, 6):
            table = np.histogram2d(
                codes[:, first], codes[:, second], bins=codes.max(axis=0)[[first, second]] + 1
            )
            assert stats.chi2_contingency(table[0]).pvalue > 1e-4


def test_attributes_can_be_read_off_the_pixels():
    """No learning: the shape by the segmentation, the side by its middle, the colour by its hue."""
    data = Scenes(400, seed=3)
    found = data.render(np.arange(400))
    shape, colour, _, pose, *_ = data.attributes.T
    on_object = found.segmentation[:, 0].numpy() >= 2
    assert (found.segmentation.numpy().max(axis=(1, 2, 3)) == 2 + shape).all()
    middle = (on_object * np.arange(64)).sum(axis=(1, 2)) / on_object.sum(axis=(1, 2))
    assert ((middle > 31.5) == (pose % 2 == 1)).all()
    linear = (found.image.numpy() / 255.0) ** 2
    seen = (linear * on_object[:, None]).sum(axis=(2, 3))
    named = np.array(list(COLOURS.values())) ** 2
    hue = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (seen, named)]
    assert ((hue[0] @ hue[1].T).argmax(axis=1) == colour).mean() > 0.9


def test_glossy_objects_alone_have_highlights():
    data = Scenes(400, seed=4)
    found, material = data.render(np.arange(400)), data.attributes[:, 2]
    white = (found.image.numpy().min(axis=1) * (found.segmentation[:, 0].numpy() >= 2)).max(axis=(1, 2))
    pale = data.attributes[:, 1] == list(COLOURS).index("white")
    glossy = TRUTH.values["material"].index("glossy")
    assert white[(material == glossy) & ~pale].mean() > 1.5 * white[(material != glossy) & ~pale].mean()


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_for_any_workers_and_batches(workers):
    data = Scenes(20, seed=6, size=32)
    everything = data.render(np.arange(20))
    loader = DataLoader(data, batch_size=7, num_workers=workers, collate_fn=list)
    items = [item for batch in loader for item in batch]
    assert np.array_equal([np.asarray(image).transpose(2, 0, 1) for image, _ in items], everything.image)
    assert [label for _, label in items] == data.labels.tolist()
    copy = pickle.loads(pickle.dumps(data))
    backwards = copy.render(np.arange(20)[::-1])
    for name in everything._fields:
        whole = getattr(everything, name)
        assert torch.equal(getattr(backwards, name).flip(0), whole), name
        if name != "image":
            assert all(np.array_equal(copy.modality(k, name), whole[k]) for k in (0, 13, -1)), name


def test_the_modalities_of_an_item_cost_one_rendering(monkeypatch):
    data, calls = Scenes(10, size=16), []
    render = data.render
    monkeypatch.setattr(data, "render", lambda indices: calls.append(indices) or render(indices))
    data[4]
    for name in data.modalities:
        data.modality(4, name)
    assert len(calls) == 1
    for item in range(5, 10):
        data.modality(item, "depth")
    assert len(calls) == 2, "items in order are rendered together"
    data.modality(2, "depth")
    assert len(calls) == 3


def test_changing_what_was_read_changes_no_later_reading():
    data = Scenes(10, size=16)
    expected = data.render(np.arange(10))
    for _ in range(2):
        data.compose(np.arange(10)).zero_()
        data.compose([3]).zero_()
        data.modality(3, "depth")[:] = 0
    assert np.array_equal(data.modality(3, "depth"), expected.depth[3])
    assert torch.equal(data.compose([3])[0], expected.image[3])


def test_golden_pixels():
    """IEEE arithmetic from the draws to the pixels: the same on every machine."""
    image = Scenes(40, seed=11).compose(np.arange(40))
    assert hashlib.sha256(image.numpy()).hexdigest() == GOLDEN


def test_parts_and_seeds_differ():
    first = Scenes(20, size=16).compose(np.arange(20))
    for other in ({"part": "test"}, {"seed": 1}):
        assert not any((Scenes(20, size=16, **other).compose(np.arange(20)) == first).all(dim=(1, 2, 3)))


def test_the_digest_changes_with_every_choice():
    choices = [{}, {"seed": 1}, {"part": "test"}, {"n": 11}, {"size": 32}, {"label": ("pose",)}]
    assert len({Scenes(**({"n": 10} | choice)).digest for choice in choices}) == len(choices)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_renders_the_same():
    data = Scenes(40, seed=11)
    here = data.render(np.arange(40))
    there = data.to("cuda").render(np.arange(40))
    for name in here._fields:
        assert torch.equal(getattr(there, name).cpu(), getattr(here, name)), name


def test_specs_open_what_they_say():
    data = open_data("scenes?label=colour,light&n=30&size=32&seed=4&part=test")
    assert data.digest == Scenes(30, label=("colour", "light"), size=32, seed=4, part="test").digest
    assert data.entropy_bits() == pytest.approx(5)
    kept = open_data("scenes?n=30&limit=8&size=16")
    assert modalities_of(kept) == ("image", "depth", "normals", "segmentation")
    assert segments_of(kept) == ("floor", "wall", "box", "sphere", "cylinder", "cone")
    assert segments_of(open_data("digits?limit=20")) == ()
    assert np.array_equal(kept.modality(3, "depth"), kept.data.modality(int(kept.indices[3]), "depth"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("scenes?size=8", "size=8 must be at least 16"),
        ("scenes?label=color", "unknown label of scenes 'color'; accepted: shape, colour, material"),
        ("scenes?label=pose,pose", "names an attribute twice"),
        ("scenes?n=0", "n=0 must be a whole number of at least 1"),
        ("scenes?part=val", "part=val is unknown"),
        ("scenes:x", "scenes takes no name"),
        ("scenes?glyphs=digits", "unknown option 'glyphs'"),
    ],
)
def test_a_wrong_spec_is_one_line(spec, message):
    with pytest.raises(InputError, match=message) as caught:
        open_data(spec)
    assert "\n" not in str(caught.value)


def test_a_modality_that_scenes_lack_is_one_line():
    with pytest.raises(
        InputError, match="unknown modality of scenes 'clip'; accepted: depth, normals or seg"
    ):
        Scenes(5).modality(0, "clip")


GOLDEN = "a2fde057c74698730b60c392400c4d0cbbf80e6d2978ce0882e6307c7bd074e2"
