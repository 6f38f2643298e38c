"""Invertible generators: their blocks written out, their inverse, and their log-determinant by autograd."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from mitools.views.flow.generator import Coupling, CouplingBlock, FlowGenerator

COUPLINGS = get_args(Coupling)


def random_generator(coupling: Coupling, blocks: int = 6, scale: float = 1.0) -> FlowGenerator:
    """Give weights to all layers: the last of a block begins at 0."""
    generator = FlowGenerator(coupling, blocks, hidden=8).double()
    numbers = torch.Generator().manual_seed(0)
    for weight in generator.parameters():
        size = scale / max(1, weight[0].numel()) ** 0.5
        weight.data = size * torch.randn(weight.shape, generator=numbers, dtype=torch.float64)
    return generator


def images(count: int = 2, side: int = 2) -> Tensor:
    numbers = torch.Generator().manual_seed(1)
    return 2 * torch.rand(count, 3, side, side, generator=numbers, dtype=torch.float64) - 1


@pytest.mark.parametrize("kept", [0, 1, 2])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_block_adds_to_two_channels_or_scales_them_too(coupling: Coupling, kept: int) -> None:
    block = random_generator(coupling, blocks=3).blocks[kept]
    assert isinstance(block, CouplingBlock)
    x = images()
    found, log_det = block(x)
    first, second, last = (block.network[place] for place in (0, 2, 4))
    others = [channel for channel in range(3) if channel != kept]
    for item in range(2):
        for pixel in [(0, 0), (1, 0)]:
            colour = x[(item, slice(None), *pixel)]
            hidden = (first.weight[:, :, 0, 0] @ colour[kept : kept + 1] + first.bias).clamp(min=0)
            hidden = (second.weight[:, :, 0, 0] @ hidden + second.bias).clamp(min=0)
            of_kept = last.weight[:, :, 0, 0] @ hidden + last.bias
            factor = 1.0 if coupling == "volume_preserving" else of_kept[2:].tanh().exp()
            expected = colour.clone()
            expected[others] = colour[others] * factor + of_kept[:2]
            torch.testing.assert_close(found[(item, slice(None), *pixel)], expected)
    assert (log_det == 0).all() == (coupling == "volume_preserving")


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_the_log_determinant_is_that_of_the_jacobian(coupling: Coupling) -> None:
    generator = random_generator(coupling)
    for image in images():
        jacobian = torch.autograd.functional.jacobian(lambda x: generator(x[None]).values[0], image)
        of_all_pixels = torch.linalg.slogdet(jacobian.reshape(12, 12)).logabsdet
        log_det = generator(image[None]).log_det[0].detach()
        torch.testing.assert_close(log_det, of_all_pixels, rtol=1e-9, atol=1e-9)
        assert (abs(float(log_det)) < 1e-9) == (coupling == "volume_preserving")


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_the_inverse_gives_the_image_back(coupling: Coupling) -> None:
    generator, x = random_generator(coupling, scale=0.7), images(4, 8)
    y = generator(x).values
    assert float((y - x).detach().abs().max()) > 0.5
    torch.testing.assert_close(generator.inverse(y), x, rtol=0, atol=1e-12)
    generator, x = generator.float(), x.float()
    torch.testing.assert_close(generator.inverse(generator(x).values), x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_pixel_depends_on_its_own_colours_alone_and_on_each_of_them(coupling: Coupling) -> None:
    generator = random_generator(coupling, blocks=3)
    jacobian = torch.autograd.functional.jacobian(lambda x: generator(x[None]).values[0], images()[0])
    jacobian = jacobian.reshape(3, 4, 3, 4)
    pixels = torch.arange(4)
    assert (jacobian[:, pixels, :, pixels] != 0).all()
    jacobian[:, pixels, :, pixels] = 0
    assert (jacobian == 0).all()


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_untrained_it_is_the_identity_and_computes_where_it_is(coupling: Coupling) -> None:
    generator = FlowGenerator(coupling)
    x = images().float()
    assert torch.equal(generator(x).values, x)
    values, log_det = generator.to("meta")(x.to("meta"))
    assert (values.device.type, log_det.device.type) == ("meta", "meta")
    assert generator.inverse(values).device.type == "meta"
