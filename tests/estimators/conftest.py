"""What tests of estimators share: truths by numerical integration, and tensors held to one device."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import xlogy
from scipy.stats import norm
from torch.overrides import TorchFunctionMode

GRID = 1500


@dataclass(frozen=True)
class Mixture:
    """Normal classes of unit variance on a line, at equal distances."""

    separation: float
    prior: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)

    def draw(
        self, n: int, rng: np.random.Generator, frequencies: tuple[float, ...] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw n features, shape (n, 1), and labels, with the prior's or other class frequencies."""
        labels = rng.choice(len(self.prior), n, p=frequencies or self.prior)
        return (self.separation * labels + rng.standard_normal(n))[:, None], labels

    def posterior(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The true p(c|x), shape (n, C)."""
        joint = norm.pdf(x.reshape(-1, 1), self._means()) * self.prior
        return joint / joint.sum(axis=1, keepdims=True)

    def same_class_nats(self) -> float:
        """I(X;Y) for X <- C -> Y: 2 H(X) - H(X, Y), by quadrature on a grid."""
        return _informations(self)[0]

    def label_nats(self) -> float:
        """I(X;C) = H(X) - H(X|C), by quadrature on a grid."""
        return _informations(self)[1]

    def _means(self) -> NDArray[np.float64]:
        return self.separation * np.arange(len(self.prior))


@lru_cache
def _informations(mixture: Mixture) -> tuple[float, float]:
    means, prior = mixture._means(), np.array(mixture.prior)
    grid, step = np.linspace(means[0] - 9, means[-1] + 9, GRID, retstep=True)
    given_class = norm.pdf(grid[:, None], means)
    marginal = given_class @ prior
    joint = (given_class * prior) @ given_class.T
    h_x, h_xy = -xlogy(marginal, marginal).sum() * step, -xlogy(joint, joint).sum() * step**2
    return float(2 * h_x - h_xy), float(h_x - 0.5 * np.log(2 * np.pi * np.e))


@pytest.fixture(scope="session")
def mixture() -> type[Mixture]:
    """The class of one-dimensional Gaussian mixtures."""
    return Mixture


@pytest.fixture(scope="session")
def mixture_of() -> Callable[[float], Mixture]:
    """Give four equal classes whose same-class information is so many bits."""

    @lru_cache
    def make(bits: float) -> Mixture:
        def excess(separation: float) -> float:
            return Mixture(separation).same_class_nats() - bits * np.log(2)

        return Mixture(float(brentq(excess, 0.1, 12, xtol=1e-6)))

    return make


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


class OneDevice(TorchFunctionMode):
    """Refuses a torch function whose tensors lie on two devices, as a GPU would; a scalar may lie anywhere.

    The meta device computes shapes and no values, and some of its functions take a tensor of the CPU for
    one of its own: this is what notices.
    """

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        devices = {value.device.type for value in _tensors([arguments, keywords or {}]) if value.ndim}
        if len(devices) > 1:
            raise RuntimeError(f"{function} was called with tensors on {' and '.join(sorted(devices))}")
        return function(*arguments, **(keywords or {}))


@pytest.fixture(scope="session")
def one_device() -> type[TorchFunctionMode]:
    """The context within which tensors may not lie on two devices."""
    return OneDevice


def modules_of(package: ModuleType) -> list[ModuleType]:
    """Every module of a package."""
    return [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]


def public_members(package: ModuleType) -> set[str]:
    """Every public function and class that a package's modules define, as ``module.name``; no protocols."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules_of(package)
        for name, member in vars(module).items()
        if (inspect.isfunction(member) or inspect.isclass(member))
        and member.__module__ == module.__name__
        and not name.startswith("_")
        and not getattr(member, "_is_protocol", False)
    }


@pytest.fixture(scope="session")
def public_members_of() -> Callable[[ModuleType], set[str]]:
    """The function that names what a package offers."""
    return public_members


@pytest.fixture
def without_values(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], None]:
    """Let the readings of a package run on tensors without values: nothing is checked, no number is taken."""

    def leave_out(package: ModuleType) -> None:
        for module in modules_of(package):
            for name, stand_in in (
                ("checked", lambda scores: scores.to(torch.float64, copy=True)),
                ("as_reading", lambda nats, influence, rows=None: (nats, influence)),
            ):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, stand_in)

    return leave_out
