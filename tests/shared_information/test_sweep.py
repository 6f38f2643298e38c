"""A sweep varies an option of the views that take it."""

import pytest

from mitools.core.errors import InputError
from mitools.shared_information.view_pair import read_pair, read_sweep, swept


def test_a_sweep_sets_the_option_in_every_view_that_takes_it():
    pairs = swept(["simclr?crop_area=0.5&blur=0"], read_sweep("crop_area=0.2:1:3"))
    assert [pair.value for pair in pairs] == [0.2, 0.6, 1.0]
    assert pairs[0].views[0] == pairs[0].views[1]
    assert "crop_area=0.2" in pairs[0].views[0]
    assert "blur=0" in pairs[0].views[0]
    assert "0.5" not in pairs[1].name


def test_views_are_shown_by_the_names_that_they_are_given():
    pair = read_pair("lab:l&name=light, lab:ab".replace("&", "?"))
    assert pair.views == ("lab:l", "lab:ab")
    assert pair.name == "light, lab:ab"
    (first, _) = swept(["simclr?name=mine,image"], read_sweep("strength=0.2,0.4"))
    assert first.views == ("simclr?strength=0.2", "image")
    assert first.name == "mine, image"


def test_a_view_that_lacks_the_option_stays_as_it_is():
    (pair, _) = swept(["image,simclr"], read_sweep("strength=0.2,0.4"))
    assert pair.views == ("image", "simclr?strength=0.2")


@pytest.mark.parametrize(
    ("pair", "sweep", "message"),
    [
        # Out of the range of one view, though in that of the other.
        ("simclr,infomin", "strength=1,2", "sweep over strength: view 'simclr.strength=2': .* 1.25, not 2"),
        ("image,blur", "sigma=1,1e39", "sweep over sigma: view 'blur.sigma=1e.39': .* from 0.001 to 10000"),
        (
            "blur?sigma=1,blur?sigma=2",
            "sigma=3,4",
            "sweep over sigma, at 3: nothing in blur.sigma=3 is random",
        ),
    ],
)
def test_a_value_that_a_view_does_not_take_is_one_line(pair, sweep, message):
    with pytest.raises(InputError, match=message):
        swept([pair], read_sweep(sweep))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crop_area", "write OPTION"),
        ("crop_area=0.2:1", "write OPTION"),
        ("crop_area=0.2:1:1", "between 2 and"),
        ("crop_area=1,1", "two different"),
        ("crop_area=a,b", "write OPTION"),
        ("crop_area=nan,1", "two different finite"),
    ],
)
def test_a_sweep_that_cannot_be_read_is_one_line(text, message):
    with pytest.raises(InputError, match=message):
        read_sweep(text)


def test_an_option_that_no_view_takes_is_one_line():
    with pytest.raises(InputError, match="sweep over sigma"):
        swept(["lab:l,lab:ab"], read_sweep("sigma=1,2"))
