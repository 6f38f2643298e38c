import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.readers.features import FeatureRows
from mitools.encoders import Encoder, open_encoder
from mitools.encoders.inputs.read import finish_inputs, read_inputs
from mitools.encoders.sources.builtin import BUILTINS

DIGITS = open_data("digits")
TRAIN = np.arange(0, 1797, 2)


def outputs(encoder, data, indices):
    inputs = finish_inputs(read_inputs(data, indices, encoder.preprocess), encoder.preprocess)
    return encoder.module(inputs).numpy()


def images(indices):
    return np.stack([np.asarray(DIGITS[i][0]).transpose(2, 0, 1).ravel() / 255 for i in indices])


def rows(n=40, d=6):
    rng = np.random.default_rng(0)
    return FeatureRows(
        "rows", ["a", "b"], rng.normal(size=(n, d)).astype(np.float32), np.arange(n) % 2, "digest"
    )


def test_pixels_are_the_pixels():
    encoder = open_encoder("builtin:pixels")
    np.testing.assert_allclose(outputs(encoder, DIGITS, range(20)), images(range(20)), atol=1e-6)


def test_pixels_keep_rows_as_they_are():
    np.testing.assert_array_equal(outputs(open_encoder("builtin:pixels"), rows(), range(40)), rows().features)


@pytest.mark.parametrize("k", [1, 16])
def test_pca_agrees_with_scikit_learn_fitted_to_the_training_items(k):
    encoder = open_encoder(f"builtin:pca?k={k}").fitted(DIGITS, TRAIN)
    expected = PCA(k, svd_solver="full").fit(images(TRAIN)).transform(images(range(50)))
    ours = outputs(encoder, DIGITS, range(50))
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=1e-3)


def test_pca_reads_rows():
    encoder = open_encoder("builtin:pca?k=3").fitted(rows(), np.arange(30))
    expected = PCA(3).fit(rows().features[:30]).transform(rows().features)
    np.testing.assert_allclose(np.abs(outputs(encoder, rows(), range(40))), np.abs(expected), atol=1e-5)


def test_pca_digest_follows_what_determines_the_components():
    pca = open_encoder("builtin:pca?k=4")
    assert pca.fitted_digest(DIGITS, TRAIN) == pca.fitted(DIGITS, TRAIN).network_digest
    digests = {
        pca.fitted_digest(DIGITS, TRAIN),
        pca.fitted_digest(DIGITS, TRAIN[1:]),
        pca.fitted_digest(open_data("digits?limit=1700"), TRAIN),
        open_encoder("builtin:pca?k=5").fitted_digest(DIGITS, TRAIN),
        open_encoder("builtin:pca?k=4&image_size=4").fitted_digest(DIGITS, TRAIN),
    }
    assert len(digests) == 5


def test_pca_is_never_fitted_to_unnamed_items():
    with pytest.raises(InputError, match="say which items are for training"):
        open_encoder("builtin:pca").fitted(DIGITS, None)


def test_pca_with_too_many_components_is_refused():
    with pytest.raises(InputError, match="10 training items of 192 numbers have no 16 components"):
        open_encoder("builtin:pca?k=16").fitted(DIGITS, np.arange(10))


def test_random_convolutions_depend_on_their_seed_alone():
    torch.manual_seed(0)
    first = open_encoder("builtin:random_conv")
    state = torch.get_rng_state()
    again, other = open_encoder("builtin:random_conv?width=64"), open_encoder("builtin:random_conv?seed=1")
    assert torch.equal(torch.get_rng_state(), state)
    assert first.digest == again.digest != other.digest
    features = outputs(first, DIGITS, range(30))
    assert features.shape == (30, 256)
    np.testing.assert_array_equal(features, outputs(again, DIGITS, range(30)))
    assert features.std(axis=0).max() > 0.01


def test_random_convolutions_keep_the_scale_of_their_input():
    """He initialisation: the mean square of a layer's output is about that of its input."""
    features = outputs(open_encoder("builtin:random_conv?width=128"), DIGITS, range(200))
    assert 0.02 < np.sqrt((features**2).mean()) < 2


OTHER_THAN_USUAL = {"image_size": "4", "k": "3", "layer": "0", "seed": "1", "width": "8"}


@pytest.mark.parametrize("name", BUILTINS)
def test_every_option_makes_another_digest(name):
    options = [*BUILTINS[name].options, "image_size", *(["layer"] if name == "random_conv" else [])]
    changed = [f"{option}={OTHER_THAN_USUAL[option]}" for option in options]
    specs = [f"builtin:{name}", *(f"builtin:{name}?{one}" for one in [*changed, "&".join(changed)])]
    digests = [open_encoder(spec).digest for spec in specs]
    assert len({*digests, open_encoder(f"builtin:{name}?image_size=5").digest}) == len(set(specs)) + 1
    assert digests == [open_encoder(spec).digest for spec in specs]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("builtin:pixel", "unknown name 'pixel'; accepted: pca, pixels or random_conv"),
        ("builtin:", "write for example builtin:pixels"),
        ("builtin:pca?k=0", "k=0 must be a whole number of at least 1"),
        ("builtin:pixels?k=3", "unknown option 'k'"),
        ("builtin:random_conv?width=x", "width=x must be a whole number"),
    ],
)
def test_wrong_specs_are_refused(spec, message):
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert message in str(caught.value)


def test_builtins_are_encoders_with_short_names():
    names = [
        open_encoder(f"builtin:{name}").name
        for name in ["pixels", "pca?k=8", "random_conv", "random_conv?seed=2"]
    ]
    assert names == ["pixels", "pca8", "random_conv64", "random_conv64-seed2"]
    assert isinstance(open_encoder("builtin:pixels"), Encoder)
