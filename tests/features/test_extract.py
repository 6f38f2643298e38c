from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.readers.features import FeatureRows
from mitools.encoders import Preprocess, open_encoder
from mitools.encoders.layers.taps import tap
from mitools.features import FeatureStore, extract, extract_layers
from mitools.views.augmentation.simclr import SimCLRView
from mitools.views.image import ImageView
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

RNG = np.random.default_rng(0)
DATA = ImageArray(
    "noise",
    ["a", "b"],
    RNG.integers(0, 256, (37, 8, 8, 3), dtype=np.uint8),
    np.arange(37) % 2,
    "digest of noise",
)
ROWS = FeatureRows(
    "rows", ["a", "b"], RNG.normal(size=(37, 5)).astype(np.float32), np.arange(37) % 2, "rows' digest"
)
CONV = open_encoder("builtin:random_conv?width=4")


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "store")


def network(module, **changes):
    return replace(CONV, module=module, name="odd", network_digest="odd", **changes)


def expected(encoder, pixels):
    with torch.no_grad():
        return encoder.module(encoder.preprocess.finish(torch.from_numpy(pixels).permute(0, 3, 1, 2))).numpy()


def refused(*arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        extract(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert not list(options["store"].root.glob("*"))
    return str(caught.value)


@pytest.mark.parametrize(("batch_size", "workers"), [(256, 0), (5, 0), (1, 0), (8, 2)])
def test_one_row_an_item_in_order_whatever_the_batches_and_workers(store, batch_size, workers):
    features = extract(CONV, DATA, store=store, batch_size=batch_size, workers=workers)
    assert features.values.shape == (37, 1, 16)
    assert features.values.dtype == np.float32
    np.testing.assert_allclose(features.values[:, 0], expected(CONV, DATA.images), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(features.labels, DATA.labels)
    assert features.encoded


def test_a_second_pass_encodes_nothing(store):
    class Explosive(nn.Module):
        def forward(self, x):
            raise AssertionError("the encoder ran")

    first = extract(CONV, DATA, store=store)
    second = extract(replace(CONV, module=Explosive()), DATA, store=store)
    assert not second.encoded
    assert second.key == first.key
    np.testing.assert_array_equal(second.values, first.values)


def test_a_change_of_weights_preprocessing_data_or_views_is_encoded_anew(store):
    changes = [
        (CONV, DATA, None),
        (open_encoder("builtin:random_conv?width=4&seed=1"), DATA, None),
        (replace(CONV, preprocess=Preprocess(size=6)), DATA, None),
        (CONV, replace(DATA, digest="other"), None),
        (CONV, DATA, ItemViews(SimCLRView())),
        (CONV, DATA, ItemViews(SimCLRView(), seed=1)),
    ]
    features = [extract(encoder, data, store=store, views=views) for encoder, data, views in changes]
    assert all(feature.encoded for feature in features)
    assert len({feature.key for feature in features}) == len(changes)


def test_a_damaged_file_is_encoded_again(store):
    first = extract(CONV, DATA, store=store)
    path = store.path(first.key)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    again = extract(CONV, DATA, store=store)
    assert again.encoded
    np.testing.assert_allclose(again.values, first.values, atol=1e-6)


@pytest.mark.parametrize(("batch_size", "workers"), [(256, 0), (6, 0), (8, 2)])
def test_views_are_those_of_the_pairing_in_order(store, batch_size, workers):
    views = ItemViews(SimCLRView(), count=3, seed=2)
    features = extract(CONV, DATA, store=store, views=views, batch_size=batch_size, workers=workers)
    assert features.values.shape == (37, 3, 16)
    images = torch.from_numpy(DATA.images).permute(0, 3, 1, 2) / 255
    drawn = CONV.preprocess.normalise(views.of(images, np.arange(37)))
    for view in range(3):
        with torch.no_grad():
            wanted = CONV.module(drawn[:, view]).numpy()
        np.testing.assert_allclose(features.values[:, view], wanted, rtol=1e-4, atol=1e-5)


def test_views_are_of_the_image_in_the_encoders_size(store):
    one = ItemViews(ImageView(), count=1)
    for encoder in (CONV, replace(CONV, preprocess=Preprocess(size=6))):
        viewed = extract(encoder, DATA, store=store, views=one)
        np.testing.assert_allclose(viewed.values, extract(encoder, DATA, store=store).values, atol=1e-6)


def test_views_are_the_same_whatever_the_network_computes_in(store):
    views, pixels = ItemViews(SimCLRView()), open_encoder("builtin:pixels")
    plain = extract(pixels, DATA, store=store, views=views)
    half = extract(pixels, DATA, store=store, views=views, precision="bf16")
    np.testing.assert_allclose(half.values, plain.values, atol=1e-6)


def test_components_are_fitted_to_the_items_named_and_not_again(store, monkeypatch):
    pca, train = open_encoder("builtin:pca?k=4"), np.arange(20)
    features = extract(pca, DATA, store=store, fit_on=train)
    fitted = pca.fitted(DATA, train)
    np.testing.assert_allclose(features.values[:, 0], expected(fitted, DATA.images), rtol=1e-4, atol=1e-5)
    monkeypatch.setattr("sklearn.decomposition.PCA.fit", None)
    assert not extract(pca, DATA, store=store, fit_on=train).encoded


def test_pixels_keep_rows(store):
    features = extract(open_encoder("builtin:pixels"), ROWS, store=store)
    np.testing.assert_array_equal(features.values[:, 0], ROWS.features)


def test_precomputed_rows_pass_through(store, tmp_path):
    np.savez(tmp_path / "x.npz", features=ROWS.features.astype(np.float16), labels=DATA.labels)
    features = extract(open_encoder(f"features:{tmp_path}/x.npz"), DATA, store=store)
    np.testing.assert_array_equal(features.values[:, 0], ROWS.features.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(features.labels, DATA.labels)
    assert not features.encoded


def test_progress_is_reported(store):
    seen = []
    extract(CONV, DATA, store=store, batch_size=10, advance=lambda *report: seen.append(report))
    assert {what for what, _, _ in seen} == {f"encoding by {CONV.name}"}
    assert [total for _, _, total in seen] == [37] * len(seen)
    done = [count for _, count, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 37


class AtOneItem(nn.Module):
    """Returns one wrong row."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        y = x.flatten(1)[:, :4].clone()
        y[0] = self.value
        return y


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_outputs_that_are_not_finite_are_refused(store, value):
    message = refused(network(AtOneItem(value)), DATA, store=store, batch_size=4096)
    assert "encoder odd: 1 of 37 rows" in message


class Flat(nn.Module):
    """Returns a function of the flattened input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x.flatten(1))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Flat(lambda x: torch.complex(x, x)), "encoder odd returns complex numbers"),
        (Flat(lambda x: x[:, :0]), "encoder odd returns rows of 0 columns"),
        (nn.Conv2d(3, 2, 3), "encoder odd returns shape (37, 2, 6, 6) for 37 inputs"),
        (nn.Linear(5, 2), "encoder odd fails on inputs of 3x8x8"),
        (nn.Sequential(nn.Flatten(0)), "encoder odd returns shape (7104,) for 37 inputs"),
    ],
)
def test_networks_that_give_no_rows_are_refused(store, module, message):
    assert message in refused(network(module), DATA, store=store, batch_size=4096)


def test_views_and_convolutions_of_rows_are_refused(store):
    assert "reads images and rows holds feature rows" in refused(CONV, ROWS, store=store)
    pixels = open_encoder("builtin:pixels")
    assert "have no augmented views" in refused(pixels, ROWS, store=store, views=ItemViews(SimCLRView()))


class Odd:
    """A view of a number of channels, which may fail."""

    name, draws = "odd", 0

    def __init__(self, channels, fails=False):
        self.channels, self.fails = channels, fails

    def __call__(self, items, draws):
        if self.fails:
            raise RuntimeError("too small\nto cut")
        return items[:, : self.channels]


def test_views_that_the_encoder_cannot_read_or_that_fail_are_refused(store):
    grey, failing = ItemViews(Odd(1), count=1), ItemViews(Odd(3, fails=True), count=1)
    message = "reads images of 3 channels, and the view odd has 1"
    assert message in refused(CONV, DATA, store=store, views=grey)
    assert "view odd fails on images of 3x8x8 (too small to cut)" in refused(
        CONV, DATA, store=store, views=failing
    )


def test_views_of_something_else_than_one_image_are_refused(store):
    depth, nine = ItemViews(make_view("depth"), count=1), ItemViews(make_view("jigsaw"))
    said = "reads images, and the view depth is drawn from the data's depth"
    assert said in refused(CONV, DATA, store=store, views=depth)
    assert "reads one image at a time, and the view jigsaw gives 9 of each item" in refused(
        CONV, DATA, store=store, views=nine
    )


def test_a_patch_that_is_larger_than_the_image_is_refused_in_its_own_words(store):
    patches = ItemViews(make_view("patch?size=9#0"))
    message = refused(CONV, DATA, store=store, views=patches)
    assert message.startswith("view 'patch?size=9&distance=9#0': patches of 9x9")
    assert message.endswith("have no room in images of 8x8; size must be at most 8")


def test_patches_of_a_pair_are_encoded_of_one_corner(store):
    """Of rows that are the pixels themselves: where the patches overlap, they are equal."""
    first, second = (
        extract(
            open_encoder("builtin:pixels"),
            DATA,
            store=store,
            views=ItemViews(make_view(f"patch?size=4&distance=2#{number}"), count=3, seed=1),
        ).values.reshape(len(DATA), 3, 3, 4, 4)
        for number in (0, 1)
    )
    assert np.array_equal(first[..., 2:, 2:], second[..., :2, :2])
    assert len(np.unique(first[:, 0].reshape(len(DATA), -1), axis=0)) > len(DATA) / 2


class Uneven:
    """Images of two sizes, the larger ones last."""

    name, classes, digest = "uneven", ("a", "b"), "digest"
    labels = np.arange(40) % 2

    def __len__(self):
        return 40

    def __getitem__(self, index):
        return DATA[index % 37][0].resize((8, 8) if index < 20 else (9, 8)), int(self.labels[index])


@pytest.mark.parametrize("batch_size", [1, 4096])
def test_images_of_different_size_ask_for_one(store, batch_size):
    message = refused(open_encoder("builtin:pixels"), Uneven(), store=store, batch_size=batch_size)
    assert "give" in message
    assert "image_size=N" in message
    sized = open_encoder("builtin:pixels?image_size=8")
    assert extract(sized, Uneven(), store=store, batch_size=batch_size).values.shape == (40, 1, 192)


class Unreadable(Uneven):
    def __getitem__(self, index):
        if index == 13:
            raise InputError("image 13: cannot be read as an image")
        return DATA[index % 37]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_item_stays_one_line_even_from_a_worker(store, workers):
    message = refused(CONV, Unreadable(), store=store, batch_size=8, workers=workers)
    assert message == "image 13: cannot be read as an image"


def test_all_layers_come_from_one_pass_and_are_kept_one_by_one(store):
    passes = []

    class Counted(nn.Sequential):
        def forward(self, x):
            passes.append(len(x))
            return super().forward(x)

    network = replace(CONV, module=Counted(*CONV.module))
    tapped = tap(network, ["0", "2", "output"])
    first = extract_layers(tapped, DATA, store=store, batch_size=10)
    assert sum(passes) == 37
    assert [features.values.shape for features in first.values()] == [(37, 1, 4), (37, 1, 8), (37, 1, 16)]
    assert first["output"].key == extract(network, DATA, store=store).key
    maps = CONV.module[0](CONV.preprocess.finish(torch.from_numpy(DATA.images).permute(0, 3, 1, 2)))
    np.testing.assert_allclose(first["0"].values[:, 0], maps.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
    again = extract_layers(tap(network, ["2", "4"]), DATA, store=store)
    assert [features.encoded for features in again.values()] == [False, True]
    assert sum(passes) == 2 * 37
    assert "has 3 layers" in refused_quietly(tapped, DATA, store=store)


def refused_quietly(*arguments, **options):
    with pytest.raises(InputError) as caught:
        extract(*arguments, **options)
    return str(caught.value)


def test_an_interrupted_pass_goes_on_where_it_was_sealed(store, tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("mitools.features.extract"), "SHARD_BYTES", 10 * 16 * 4)
    tapped = tap(CONV, ["0", "output"])

    def interrupt(what, done, total):
        seen.append(done)
        if len(seen) == 5:
            raise KeyboardInterrupt

    seen = []
    with pytest.raises(KeyboardInterrupt):
        extract_layers(tapped, DATA, store=store, batch_size=5, advance=interrupt)
    before, seen = seen, [None] * 10
    found = extract_layers(tapped, DATA, store=store, batch_size=5, advance=interrupt)
    # The first report after the break: a batch (a core's share of 5 items) behind a seal at ten or more.
    assert 10 + before[0] <= seen[10] <= before[-1] + before[0]
    whole = extract_layers(tapped, DATA, store=FeatureStore(tmp_path / "undisturbed"), batch_size=5)
    for layer, features in whole.items():
        np.testing.assert_array_equal(found[layer].values, features.values)


def test_half_precision_is_kept_as_asked_under_another_key(store):
    plain = extract(CONV, DATA, store=store)
    kept = extract(CONV, DATA, store=store, kept_as="float16")
    computed = extract(CONV, DATA, store=store, precision="bf16")
    assert (kept.values.dtype, computed.values.dtype) == (np.float16, np.float32)
    assert len({plain.key, kept.key, computed.key}) == 3
    np.testing.assert_array_equal(kept.values, plain.values.astype(np.float16))
    np.testing.assert_allclose(computed.values, plain.values, rtol=0.05, atol=0.02)
    assert not np.array_equal(computed.values, plain.values)


def test_values_that_float16_cannot_keep_are_refused(store):
    class Large(nn.Flatten):
        def forward(self, x):
            return super().forward(x) * 1e6

    message = refused(network(Large()), DATA, store=store, kept_as="float16")
    assert "encoder odd gives values up to" in message
    assert "float16 cannot keep" in message


def test_an_unknown_precision_is_refused(store):
    assert "unknown precision 'fp8'; accepted: float32, bf16 or float16" in refused(
        CONV, DATA, store=store, precision="fp8"
    )


def test_an_interrupted_pass_leaves_nothing_and_goes_through_later(store):
    def interrupt(*report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(CONV, DATA, store=store, batch_size=4, advance=interrupt)
    assert not list(store.root.glob("*"))
    assert extract(CONV, DATA, store=store).encoded


def test_an_unknown_device_is_refused(store):
    assert "unknown device 'gpu'" in refused(CONV, DATA, store=store, device="gpu")
