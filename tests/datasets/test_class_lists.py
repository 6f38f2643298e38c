import re

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.class_lists import IMAGENET100


def write_classes(root, names):
    for name in names:
        (root / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(root / name / "0.png")
    return f"folder:{root}"


def test_the_list_is_100_synsets():
    assert len(set(IMAGENET100)) == 100
    assert all(re.fullmatch(r"n\d{8}", name) for name in IMAGENET100)
    assert (IMAGENET100[0], IMAGENET100[4], IMAGENET100[-1]) == ("n02869837", "n13037406", "n02090622")


def test_a_folder_of_synsets_keeps_those_of_the_list_in_its_order(tmp_path):
    spec = write_classes(tmp_path / "imagenet", [*IMAGENET100, "n01440764", "n15075141"])
    data = open_data(f"{spec}?classes=imagenet100")
    assert len(data) == 100
    assert tuple(data.classes) == IMAGENET100
    assert np.array_equal(np.sort(data.labels), np.arange(100))
    everything = open_data(spec)
    item = list(data.labels).index(0)
    assert everything.classes[everything.labels[data.indices[item]]] == "n02869837"


def test_data_without_those_classes_are_told_in_one_line(tmp_path):
    spec = write_classes(tmp_path / "pets", ["cat", "dog", *IMAGENET100[1:]])
    with pytest.raises(
        InputError, match="classes=imagenet100: pets lacks 1 of its 100 classes, such as n02869837"
    ):
        open_data(f"{spec}?classes=imagenet100")
    assert list(open_data(f"{spec}?classes=dog,cat").classes) == ["dog", "cat"]
