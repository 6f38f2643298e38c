import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from mitools.core.errors import InputError
from mitools.views.item_views import SimCLRViews

RNG = np.random.default_rng(0)
PICTURE = Image.fromarray(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8))


class Views(Dataset):
    def __init__(self, views):
        self.views = views

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return self.views.draw(PICTURE, index)


@pytest.mark.parametrize(("workers", "batch"), [(0, 5), (2, 1), (2, 4)])
def test_a_view_depends_on_seed_item_and_view_alone(workers, batch):
    views = SimCLRViews(count=3, seed=5)
    expected = torch.stack([views.draw(PICTURE, index) for index in range(12)])
    torch.manual_seed(workers)
    loaded = torch.cat(list(DataLoader(Views(views), batch_size=batch, num_workers=workers)))
    assert torch.equal(loaded, expected)


def test_more_views_keep_the_first_ones():
    assert torch.equal(SimCLRViews(count=4).draw(PICTURE, 3)[:2], SimCLRViews(count=2).draw(PICTURE, 3))


def test_views_differ_between_views_items_and_seeds():
    drawn = [SimCLRViews(count=3, seed=seed).draw(PICTURE, item) for seed in (0, 1) for item in (0, 1)]
    flat = torch.cat(drawn).flatten(1)
    assert len({row.numpy().tobytes() for row in flat}) == 12


def test_drawing_leaves_the_callers_random_numbers_alone():
    state = torch.get_rng_state()
    SimCLRViews().draw(PICTURE, 0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("size", "expected"), [(None, (20, 30)), (16, (16, 16))])
def test_views_have_the_encoders_size_or_the_images_own(size, expected):
    views = SimCLRViews().draw(PICTURE.resize((30, 20)), 0, size)
    assert views.shape == (2, 3, *expected)
    assert views.dtype == torch.uint8


def test_a_fifth_of_the_views_are_grey_and_half_of_them_mirrored():
    """The recipe's probabilities, read off the pixels; colour jitter is off, so that grey means grey."""
    ramp = np.zeros((16, 16, 3), dtype=np.uint8)
    ramp[..., 0] = np.arange(16) * 16
    drawn = torch.cat([SimCLRViews(strength=0).draw(Image.fromarray(ramp), index) for index in range(1000)])
    red, green = drawn[:, 0].float(), drawn[:, 1].float()
    grey = float((red == green).all(dim=(1, 2)).float().mean())
    mirrored = float((red[:, :, 0].mean(1) > red[:, :, -1].mean(1)).float().mean())
    assert abs(grey - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 2000)
    assert abs(mirrored - 0.5) < 4 * np.sqrt(0.25 / 2000)


def test_crops_have_the_areas_that_torchvision_draws():
    """A ramp in each direction: the range of values left in a crop gives its height and its width."""
    from torchvision.transforms import v2

    ramp = np.zeros((96, 96, 3), dtype=np.uint8)
    ramp[..., 0] = np.arange(96) * 2
    ramp[..., 1] = np.arange(96)[:, None] * 2
    drawn = [SimCLRViews(strength=0).draw(Image.fromarray(ramp), index, 32) for index in range(400)]
    flat = torch.cat(drawn).float()
    coloured = flat[(flat[:, 0] != flat[:, 1]).any(dim=(1, 2))][:, :2].flatten(2)
    lost_to_pixels = (32 - 1) / 32  # from the centre of the first pixel to that of the last
    area = ((coloured.amax(2) - coloured.amin(2)) / (2 * 96 * lost_to_pixels)).prod(dim=1).numpy()
    boxes = [v2.RandomResizedCrop(32).make_params([Image.fromarray(ramp)]) for _ in range(1000)]
    peer = np.array([box["height"] * box["width"] / 96**2 for box in boxes])
    assert 0.07 < area.min() < 0.12
    assert abs(area.mean() - peer.mean()) < 4 * peer.std() * np.sqrt(1 / 1000 + 1 / len(area))
    assert area.std() == pytest.approx(peer.std(), rel=0.15)


def test_only_images_beyond_32_pixels_are_blurred():
    checks = np.zeros((96, 96, 3), dtype=np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255

    def sharp(size):
        image = Image.fromarray(checks[:size, :size])
        drawn = torch.cat([SimCLRViews(strength=0).draw(image, index) for index in range(100)]).float()
        return drawn.std(dim=(1, 2, 3)).numpy()

    assert np.mean(sharp(32) < 5) == 0
    assert 0.2 < np.mean(sharp(96) < 5) < 0.6


def test_strength_widens_the_jitter():
    grey = Image.fromarray(np.full((8, 8, 3), 120, dtype=np.uint8))

    def spread(strength):
        views = torch.cat([SimCLRViews(strength=strength).draw(grey, index) for index in range(200)])
        return float(views.float().mean(dim=(1, 2, 3)).std())

    assert spread(0) == 0
    assert 0 < spread(0.3) < spread(1)


def test_every_setting_is_in_the_key():
    keys = {SimCLRViews(*settings).key for settings in [(), (3,), (2, 1), (2, 0, 0.5), (2, 0, 0.5000001)]}
    assert len(keys) == 5


@pytest.mark.parametrize(
    "settings",
    [{"count": 0}, {"seed": -1}, {"strength": -0.1}, {"strength": 3.0}, {"strength": float("nan")}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match="the strength between 0 and"):
        SimCLRViews(**settings)
