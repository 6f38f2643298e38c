import numpy as np
import pytest

from mitools.core.entropy import mutual_information, nats_to_bits
from mitools.core.errors import InputError
from mitools.datasets.synthetic.attributes import Attributes, checked_joint, dependent_joint, uniform_joint

VALUES = {"color": ("red", "green"), "digit": ("2", "3", "4"), "position": ("left", "right")}


def test_entropies_labels_and_classes_of_every_combination():
    truth = Attributes(VALUES, uniform_joint((2, 3, 2)))
    assert truth.bits(("color",)) == pytest.approx(1.0, abs=1e-12)
    assert truth.bits(("digit", "position")) == pytest.approx(np.log2(6), abs=1e-12)
    assert truth.bits(()) == 0.0
    codes = np.array([[0, 2, 1], [1, 0, 0]])
    for shared in [("position", "color"), ("color", "position")]:
        assert truth.classes(shared) == ["red left", "red right", "green left", "green right"]
        assert truth.labels(codes, shared).tolist() == [1, 2]
    assert truth.labels(codes, ()).tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 8, 3), (3, 5, 1)])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
def test_dependent_table_shares_the_stated_bits_and_keeps_every_attribute_uniform(shape, share, axes):
    finest = np.lcm(shape[0], shape[1])
    coupled = np.zeros((shape[0], shape[1]))
    for k in range(finest):
        coupled[k * shape[0] // finest, k * shape[1] // finest] += 1 / finest
    most = nats_to_bits(mutual_information(coupled))
    joint = dependent_joint(shape, axes, share * most)
    assert nats_to_bits(mutual_information(joint.sum(axis=2))) == pytest.approx(share * most, abs=1e-9)
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        assert np.allclose(joint.sum(axis=others), 1 / shape[axis], atol=1e-12)
    assert np.allclose(joint, joint.sum(axis=2, keepdims=True) / shape[2], atol=1e-15)


def test_more_than_can_be_shared_is_refused_with_the_most():
    with pytest.raises(InputError, match=r"between 0 and 2 bits, not 2\.5"):
        dependent_joint((4, 4, 4), (0, 1), 2.5)
    with pytest.raises(InputError, match=r"not -1"):
        dependent_joint((4, 4, 4), (0, 1), -1.0)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (np.full((4, 4), 1 / 16), "shape"),
        (np.full((2, 3, 2), 0.1), "sum to one"),
        (np.array(["a"]), "probabilities"),
        (uniform_joint((2, 3, 2)) - np.eye(2)[:, None, :], "non-negative"),
    ],
)
def test_wrong_tables(table, match):
    with pytest.raises(InputError, match=match):
        checked_joint(table, (2, 3, 2))


@pytest.mark.parametrize(
    ("shared", "match"), [(["colour"], "accepted: color"), (["color", "color"], "twice")]
)
def test_wrong_names(shared, match):
    with pytest.raises(InputError, match=match):
        Attributes(VALUES, uniform_joint((2, 3, 2))).bits(shared)


def test_redraw_keeps_the_named_attributes_and_follows_the_conditional_of_the_others():
    joint = dependent_joint((2, 3, 2), (0, 1), 0.5)
    truth = Attributes(VALUES, joint)
    u = (np.arange(30_000) + 0.5) / 30_000
    codes = np.tile([1, 0, 1], (len(u), 1))
    fresh = truth.redraw(codes, ("color",), u)
    assert (fresh[:, 0] == 1).all()
    measured = np.histogramdd(fresh[:, 1:], bins=(3, 2), range=((0, 3), (0, 2)))[0] / len(u)
    assert np.allclose(measured, joint[1] / joint[1].sum(), atol=1e-4)
    assert np.array_equal(truth.redraw(codes, ("color", "digit", "position"), u), codes)
