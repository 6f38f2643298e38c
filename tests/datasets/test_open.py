import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data, require_classes
from mitools.datasets.readers.features import FeatureRows


def rows(labels, classes="abc"):
    labels = np.array(labels)
    features = np.arange(len(labels), dtype=np.float32)[:, None]
    return FeatureRows("rows", list(classes), features, labels, "digest")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digit", "unknown source 'digit'"),
        ("digits?part=test", "unknown option 'part'; accepted: classes, groups or ignore"),
        ("digits?limit=5", "limit=5 would leave classes of digits empty"),
        ("digits?limit=many", "limit=many must be a whole number"),
        ("digits?classes=1,eleven", "no class 'eleven'; accepted:"),
        ("digits?classes=1,1", "names a class twice"),
        ("folder:", "write for example folder:path/to/images"),
        ("tar:nowhere.tar", "nowhere.tar: no such file"),
    ],
)
def test_a_wrong_spec_is_one_line_that_names_the_part(spec, message):
    with pytest.raises(InputError) as caught:
        open_data(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limit_keeps_every_class_at_its_share():
    everything, some = open_data("digits"), open_data("digits?limit=300")
    assert len(some) == 300
    shares = np.bincount(everything.labels) * 300 / len(everything)
    assert np.abs(np.bincount(some.labels) - shares).max() <= 1
    assert some.digest != everything.digest


def test_limit_spreads_the_items_over_a_class():
    from mitools.datasets.selection import take_evenly

    kept = take_evenly(rows([0] * 100 + [1] * 100 + [2] * 100), 30)
    positions = np.array([kept[i][0][0] for i in range(30)])
    np.testing.assert_array_equal(positions, np.arange(5, 300, 10))


def test_a_limit_beyond_the_data_changes_nothing():
    assert open_data("digits?limit=5000").digest == open_data("digits").digest


def test_classes_are_kept_and_renumbered_in_the_order_named():
    everything, pair = open_data("digits"), open_data("digits?classes=7,3")
    assert list(pair.classes) == ["7", "3"]
    np.testing.assert_array_equal(np.bincount(pair.labels), np.bincount(everything.labels)[[7, 3]])
    original = np.flatnonzero((everything.labels == 7) | (everything.labels == 3))
    image, label = pair[5]
    assert label == int(everything.labels[original[5]] == 3)
    assert image.tobytes() == everything[int(original[5])][0].tobytes()


def test_a_modality_that_no_item_has_is_one_line():
    with pytest.raises(InputError, match="digits has images alone, and no modality 'depth'"):
        open_data("digits?limit=40").modality(0, "depth")


def test_classes_and_limit_go_together():
    pair = open_data("digits?classes=0,1&limit=40")
    assert np.bincount(pair.labels).tolist() == [20, 20]


def test_enough_classes_pass():
    assert require_classes(rows([0, 0, 1, 1, 2, 2]), 2) is None


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 0, 0], "a", "has 1 class ('a'); information about the class needs two or more"),
        ([0, 0, 1, 2, 2], "abc", "class 'b' has 1 image and needs at least 2"),
        ([0, 0, 1, 1], "abc", "class 'c' has 0 images and needs at least 2"),
    ],
)
def test_too_few_classes_or_images_are_refused(labels, classes, message):
    with pytest.raises(InputError) as caught:
        require_classes(rows(labels, classes), 2)
    assert message in str(caught.value)
