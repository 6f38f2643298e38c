import numpy as np
from sklearn.datasets import load_digits

from mitools.datasets import open_data


def test_digits_are_those_of_scikit_learn():
    data, peer = open_data("digits"), load_digits()
    assert len(data) == 1797
    np.testing.assert_array_equal(data.labels, peer.target)
    assert list(data.classes) == list("0123456789")
    pixels = np.stack([np.asarray(data[i][0]) for i in range(100)])
    assert pixels.shape == (100, 8, 8, 3)
    np.testing.assert_allclose(pixels[..., 0] / 255, peer.images[:100] / 16, atol=0.5 / 255)
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])
