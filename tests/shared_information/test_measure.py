"""What views share is read right where the truth is known, and kept."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import mitools
from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.report.views import pairs_table
from mitools.shared_information.measure import measure_view_pairs
from mitools.shared_information.settings import ViewSettings
from mitools.shared_information.view_pair import read_pair

# Regimes are judged by the lower bound, though a point estimate stands first.
BOTH = ("binned", "infonce")
QUICK = ViewSettings(methods=BOTH, steps=60, batch_size=64, check_every=20, width=8, embedding=16)
CDP = "cdp?n=1000&size=24&background=none&colors=4&digits=2&positions=1&shared=color&partners=color,none"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Two images that share their colour, of 2 bits, and two that share nothing."""
    out = tmp_path_factory.mktemp("views")
    pairs = [read_pair("image,partner:1"), read_pair("image,partner:2")]
    return measure_view_pairs(open_data(CDP), pairs, out=out, settings=QUICK), out


def test_images_that_share_their_colour_share_two_bits(measured):
    found = measured[0].pairs[0]
    assert [one.kind for one in found.shared] == ["point estimate", "lower bound"]
    assert pairs_table(measured[0])["shared_bits"][0] == found.shared[1].bits
    shared = found.shared[found.judged_by]
    low, high, _ = shared.interval_bits
    assert shared.kind == "lower bound"
    assert low <= 2.0
    assert high >= 1.95
    assert 2.0 <= nats_to_bits(found.shared_up_to[1]) < 2.5
    # A critic that is sure of its pairs is wrong about others.
    assert shared.null_bits < 0.1


def test_images_that_share_nothing_read_zero(measured):
    found = measured[0].pairs[1]
    low, high, _ = found.shared[1].interval_bits
    assert low <= 0.0 <= nats_to_bits(found.shared_up_to[1]) < 0.3
    assert high < 0.1


def test_what_a_view_says_of_the_label_is_the_colour_or_nothing(measured):
    with_colour, without = measured[0].pairs
    for found in (with_colour.image, *with_colour.of_view, without.of_view[0]):
        assert found.estimates[0].bits == pytest.approx(2.0, abs=0.1)
        for estimate, up_to in zip(found.estimates, found.up_to, strict=True):
            assert estimate.interval_bits.low <= 2.0 <= nats_to_bits(up_to) + 1e-9
    low, high, _ = without.of_view[1].estimates[0].interval_bits
    assert low < 0.02
    assert high < 0.1


def test_regimes_follow_from_the_truth(measured):
    with_colour, without = measured[0].pairs
    # Shared are exactly the label's two bits, of which a lower bound shows slightly less.
    assert "excess" not in with_colour.regime.name
    assert without.regime.name == "missing information"
    assert "view 2" in without.regime.sentence


def test_small_crops_lose_the_position(tmp_path):
    data = open_data("cdp?n=500&size=32&background=none&colors=2&digits=2&shared=position")
    patches = read_pair("patch?size=10&distance=10#0")  # a tenth of the area, each at a place of its own
    settings = replace(QUICK, steps=40)
    (found,) = measure_view_pairs(data, [patches], out=tmp_path, settings=settings).pairs
    assert found.image.estimates[0].bits == pytest.approx(2.0, abs=0.1)
    for reading in found.of_view:
        assert reading.estimates[0].interval_bits.high < 1.0
    assert min(lack.low for lack in found.lacks) > 0.9
    assert "less of the label off view 1 than off the image" in found.regime.sentence
    assert "missing information" in found.regime.name


@pytest.fixture(scope="module")
def task_folder(tmp_path_factory):
    """Where readings of the images are kept, for all pairs of views."""
    return tmp_path_factory.mktemp("task")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("partner", "truth", "regime"),
    [(1, 2.0, "missing information"), (2, 4.0, "sweet spot"), (3, 0.0, "missing information")],
    ids=["colour", "colour and digit", "nothing"],
)
def test_views_are_read_right_by_a_task_of_four_bits(partner, truth, regime, task_folder):
    data = open_data("cdp?n=1200&size=32&background=none&shared=color,digit&partners=color,color+digit,none")
    settings = ViewSettings(methods=("infonce",), steps=120, batch_size=64, width=8, embedding=16)
    pair = read_pair(f"image,partner:{partner}")
    (found,) = measure_view_pairs(data, [pair], out=task_folder, settings=settings).pairs
    of_label = zip((*found.of_view, found.image), (4.0, truth, 4.0), strict=True)
    readings = [(found.shared[0], found.shared_up_to[0], truth)]
    for reading, bits in of_label:
        readings += [(*one, bits) for one in zip(reading.estimates, reading.up_to, strict=True)]
    for estimate, up_to, bits in readings:
        assert estimate.interval_bits.low <= bits, estimate
        # The range ends, and holds the truth, but of the 4 bits that two images share: with twice the images
        # InfoNCE rises too steeply for an end to be told.
        assert (up_to is None) == (estimate.method == "infonce" and bits == 4.0), estimate
        assert up_to is None or nats_to_bits(up_to) >= bits - 1e-9, estimate
        # The least is InfoNCE of 4 bits, still rising after 120 steps on 1,200 images: 3.39, 0.848 of them.
        assert estimate.bits >= (0.83 * bits or -0.05), estimate
    assert found.regime.name == regime


def test_a_second_call_reads_what_was_kept(measured, monkeypatch):
    found, out = measured
    monkeypatch.setattr("mitools.shared_information.measure.fit_views", None)
    again = measure_view_pairs(open_data(CDP), [read_pair("image,partner:1")], out=out, settings=QUICK)
    assert again.pairs[0].shared[0].to_dict() == found.pairs[0].shared[0].to_dict()
    assert again.pairs[0].lacks == found.pairs[0].lacks


def test_the_front_door_and_its_files(measured, tmp_path):
    _, _out = measured
    named = {"steps": 250, "batch_size": 128, "width": 8, "embedding": 16}
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (60, 3, 8, 8), dtype=np.uint8), np.repeat([0, 1, 2], 20)
    found = mitools.measure_views(
        (torch.from_numpy(pixels), labels),
        "simclr",
        methods="infonce",
        **named | {"steps": 3},
        folder=tmp_path / "out",
        device="cpu",
        progress=False,
    )
    assert {path.name for path in found.files} == {
        "views.csv", "readings.csv", "estimates.json", "reading.txt", "regimes.png", "regimes.svg",
        "regimes.pdf", "report.html",
    }  # fmt: skip
    assert found.table["h_y_bits"].tolist() == pytest.approx([math.log2(3)])
    # Nothing is in noise, and nothing is claimed.
    assert found.table["regime"].tolist() == ["cannot be told"]


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ("lab:l,lab:ab,image", "give one view, or two"),
        ("image", "nothing in image is random, so two draws are one and the same"),
        ("image,image", "nothing in image is random"),
        ("lab:l?name=a, lab:l", "nothing in lab:l is random"),
        ("blur,blur?sigma=0.70", "nothing in blur.sigma=0.7 is random"),
        ("simclr,", "give one view, or two"),
        ("smclr", "simclr"),
    ],
)
def test_views_that_make_no_pair_are_one_line(views, message):
    with pytest.raises(InputError, match=message):
        read_pair(views)


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"folds": 1}, "folds is 1"), ({"width": 12}, "multiple of 8"), ({"methods": ()}, "no method")],
)
def test_settings_out_of_range_are_one_line(setting, message):
    with pytest.raises(InputError, match=message):
        ViewSettings(**setting)
