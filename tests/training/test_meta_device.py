"""Every pure function of losses, and what networks and memory compute, once on the meta device.

A tensor that is made on the CPU where it should be made beside its inputs raises there: no GPU is needed.
"""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mitools.training.losses
import mitools.training.memory
import mitools.training.networks
from mitools.encoders.architectures.convnet import ConvNet
from mitools.training.losses import (
    barlow_twins,
    cross_entropy,
    ctc_infonce,
    diagonal_entropy,
    imsvd,
    infonce,
    infonce_nats,
    invariance_cross_entropy,
    log_partition,
    multiview,
    nce,
    ntxent,
    ntxent_nats,
    ntxent_with_negatives,
    off_diagonal_entropy,
    point_contrast,
    supcon,
    transform_invariance,
    two_views,
    vicreg,
)
from mitools.training.losses.barlow_twins import without_diagonal
from mitools.training.losses.imsvd import soft_pair
from mitools.training.memory.ctc_bank import CTCBank
from mitools.training.memory.memory_bank import MemoryBank
from mitools.training.memory.queue import KeyQueue
from mitools.training.networks.decoder import ConvDecoder
from mitools.training.networks.heads import (
    EncoderWithHead,
    JigsawHead,
    ProjectionHead,
    RepresentationAndClassifier,
)
from mitools.training.networks.points import EncoderWithPoints
from mitools.training.networks.projector import BatchNorm, Projector
from mitools.training.networks.unet import UNet

META = torch.device("meta")
K, N, D = 4, 10, 6


def rows(n: int = K) -> Tensor:
    return torch.empty(n, D, device=META, requires_grad=True)


def items(n: int = K) -> Tensor:
    return torch.empty(n, dtype=torch.int64, device=META)


def own() -> Tensor:
    return torch.empty(K, N, dtype=torch.bool, device=META)


def points() -> EncoderWithPoints:
    network = EncoderWithHead(ConvNet(8), ProjectionHead(128, D), 128)
    return EncoderWithPoints(network, "layers", (3, 8, 8), D)


def soft() -> Tensor:
    return torch.empty(K, D // 2, 2, device=META, requires_grad=True)


LOSSES: dict[Callable[..., Tensor], tuple[Any, ...]] = {
    cross_entropy: (rows(), items()),
    ntxent: (rows(), rows()),
    ntxent_nats: (rows(), rows()),
    ntxent_with_negatives: (rows(), rows(), rows(N)),
    infonce: (rows(), rows()),
    infonce_nats: (rows(), rows()),
    supcon: (rows(), items()),
    ctc_infonce: (rows(), rows(), rows(N), own()),
    two_views: (rows(), rows()),
    point_contrast: (rows(), rows(2 * K).unflatten(0, (K, 2))),
    multiview: ([rows(), rows(), rows()], [(0, 1), (1, 2)]),
    nce: (rows(), rows(), rows(N), rows(1).sum(), 20),
    log_partition: (rows(), rows(), rows(N), 20),
    imsvd: (rows(), rows(), 2),
    transform_invariance: (soft(), soft()),
    invariance_cross_entropy: (soft(), soft()),
    diagonal_entropy: (soft(), soft()),
    off_diagonal_entropy: (soft(), soft()),
    barlow_twins: (rows(), rows()),
    vicreg: (rows(), rows()),
}

MODULES: dict[type[nn.Module], Callable[[], object]] = {
    ProjectionHead: lambda: ProjectionHead(D, 3).to(META)(rows()),
    JigsawHead: lambda: JigsawHead(D, 3, "mlp").to(META)(rows(9 * K)),
    RepresentationAndClassifier: lambda: RepresentationAndClassifier(D, 3).to(META)(rows()),
    EncoderWithHead: lambda: EncoderWithHead(nn.Identity(), ProjectionHead(D, 3), D).to(META)(rows()),
    EncoderWithPoints: lambda: points().to(META)(torch.empty(K, 3, 8, 8, device=META)),
    ConvDecoder: lambda: ConvDecoder(D, 2, (5, 5)).to(META)(rows()),
    Projector: lambda: Projector(D, 3, 4, layers=2).to(META)(rows()),
    BatchNorm: lambda: BatchNorm(D).to(META)(rows()),
    UNet: lambda: UNet(ConvNet(8), torch.empty(K, 3, 16, 16), (16, 16), 3, 8).to(META)(
        torch.empty(K, 3, 16, 16, device=META)
    ),
    MemoryBank: lambda: MemoryBank(N, D).to(META).fill(nn.Identity(), [(items(), rows())]),
    KeyQueue: lambda: KeyQueue(N, D).to(META).add(rows(), items()),
    CTCBank: lambda: CTCBank(N, D, negatives=3).to(META)(items(), 0),
}


def defined_in(room: ModuleType) -> list[object]:
    """Everything public that the modules of a room define."""
    found = []
    for path in Path(room.__path__[0]).glob("[!_]*.py"):
        module = import_module(f"{room.__name__}.{path.stem}")
        public = (value for name, value in vars(module).items() if not name.startswith("_"))
        found += [value for value in public if getattr(value, "__module__", None) == module.__name__]
    return found


def test_no_loss_is_forgotten() -> None:
    functions = {found for found in defined_in(mitools.training.losses) if inspect.isfunction(found)}
    assert functions - {soft_pair, without_diagonal} == set(LOSSES)


def test_no_network_and_no_memory_is_forgotten() -> None:
    found = defined_in(mitools.training.networks) + defined_in(mitools.training.memory)
    assert {one for one in found if isinstance(one, type) and issubclass(one, nn.Module)} == set(MODULES)


@pytest.mark.parametrize("loss", list(LOSSES), ids=lambda loss: loss.__name__)
def test_a_loss_is_a_scalar_where_its_inputs_are(loss: Callable[..., Tensor]) -> None:
    value = loss(*LOSSES[loss])
    assert value.device == META
    assert value.shape == ()
    value.backward()


@pytest.mark.parametrize("module", list(MODULES), ids=lambda module: module.__name__)
def test_a_module_computes_where_it_is(module: type[nn.Module]) -> None:
    found = MODULES[module]()
    tensors = found if isinstance(found, tuple) else [found] if isinstance(found, Tensor) else []
    assert all(tensor.device == META for tensor in tensors)
