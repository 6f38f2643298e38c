"""A partner shares what it is told to share with its image, and nothing else."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.base import modalities_of
from mitools.datasets.open import open_data
from mitools.views.registry import make_view

SPEC = "cdp?n=400&size=32&background=none&colors=4&digits=4&partners=color,none,color+digit+position"


def channels(image):
    """Tell which channels the digit on black has: its colour, of red, green, blue and white, shape (3,)."""
    most = np.asarray(image).reshape(3, -1).max(axis=1)
    return most > most.max() / 2


def test_partners_are_modalities_by_number():
    data = open_data(SPEC)
    assert modalities_of(data) == ("image", "partner:1", "partner:2", "partner:3")
    assert modalities_of(open_data("cdp?n=10&size=32")) == ("image",)


def test_the_shared_colour_is_alike_and_another_is_drawn_afresh():
    data = open_data(SPEC)
    images = [np.moveaxis(np.asarray(data[k][0]), 2, 0) for k in range(100)]
    own = np.array([channels(image) for image in images])
    alike = [
        np.mean([(channels(data.modality(k, name)) == own[k]).all() for k in range(100)])
        for name in ("partner:1", "partner:2", "partner:3")
    ]
    assert alike[0] == alike[2] == 1.0
    # One of four colours by chance; 100 draws of a quarter lie outside 12 to 40 once in a thousand.
    assert 0.12 <= alike[1] <= 0.40


def test_partners_differ_from_the_image_and_from_each_other():
    data = open_data(SPEC.replace("background=none", "background=embedded"))
    image = np.moveaxis(np.asarray(data[0][0]), 2, 0)
    partners = [data.modality(0, f"partner:{number}") for number in (1, 2, 3)]
    assert all(partner.shape == image.shape and partner.dtype == np.uint8 for partner in partners)
    assert len({one.tobytes() for one in [image, *partners]}) == 4


def test_data_with_other_partners_are_other_data():
    digests = {
        open_data(f"cdp?n=10&size=32{more}").digest for more in ("", "&partners=color", "&partners=none")
    }
    assert len(digests) == 3


def test_an_attribute_that_is_none_is_one_line():
    with pytest.raises(InputError, match="no attribute 'colour'"):
        open_data("cdp?n=10&size=32&partners=colour")


def test_the_view_is_the_partner_in_unit_range():
    import torch

    view = make_view("partner:2")
    assert (view.name, view.modality, view.channels, view.draws) == ("partner:2", "partner:2", 3, 0)
    drawn = view(torch.full((1, 3, 2, 2), 255, dtype=torch.uint8), torch.empty(1, 0))
    assert drawn.dtype == torch.float32
    assert drawn.max() == 1.0


@pytest.mark.parametrize("name", ["partner:0", "partner:a", "partner:1?size=3", "partner#1"])
def test_a_partner_that_cannot_be_named_is_one_line(name):
    with pytest.raises(InputError, match="partner"):
        make_view(name)
