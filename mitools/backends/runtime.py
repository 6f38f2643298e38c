"""Where training runs: device, precision, compilation, and several processes or machines."""

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mitools.backends.devices import resolve_device
from mitools.backends.gathering import gather_items, gather_with_gradient, share_tensors
from mitools.core.errors import InputError
from mitools.core.names import check_name

if TYPE_CHECKING:
    from accelerate import Accelerator

PRECISIONS = ("float32", "tf32", "bf16")


class Runtime:
    """One small interface over accelerate: alone on a CPU by default, the same code on many GPUs.

    Under ``accelerate launch`` or torchrun every process makes its own; nothing else changes.

    Parameters
    ----------
    device
        As :func:`mitools.backends.devices.resolve_device` reads it; of several processes each takes its own.
    precision
        ``float32``; ``tf32``, which lets a GPU round the factors of products; or ``bf16``, in which products
        and convolutions are computed while weights and losses stay in float32.
    compiled
        Whether networks go through ``torch.compile``.

    Raises
    ------
    InputError
        When the device is not there, or the precision is unknown or not the device's.
    """

    def __init__(self, device: str = "cpu", precision: str = "float32", compiled: bool = False) -> None:
        check_name("precision", precision, PRECISIONS)
        kind = resolve_device(device).type
        if precision == "tf32" and kind != "cuda":
            raise InputError(f"precision tf32 needs a CUDA device, not {kind}; take float32")
        self.precision = precision
        self.compiled = compiled
        self._cpu = kind == "cpu"

    @cached_property
    def accelerator(self) -> "Accelerator":
        """Start accelerate, which joins the other processes where there are some."""
        from accelerate import Accelerator, AutocastKwargs, DistributedDataParallelKwargs

        mixed = "bf16" if self.precision == "bf16" else "no"
        # What is prepared computes a loss too, which stays in float32: autocast() alone takes networks down.
        # Buffers may be whole memory banks: share_buffers() sends them when they must agree, no step does.
        settings = [AutocastKwargs(enabled=False), DistributedDataParallelKwargs(broadcast_buffers=False)]
        accelerator = Accelerator(cpu=self._cpu, mixed_precision=mixed, kwargs_handlers=settings)
        if self.precision == "tf32":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        return accelerator

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.accelerator.device

    @property
    def rank(self) -> int:
        """The number of this process over all machines."""
        return self.accelerator.process_index

    @property
    def processes(self) -> int:
        """How many processes there are over all machines."""
        return self.accelerator.num_processes

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.accelerator.is_main_process

    def prepare(self, module: nn.Module) -> nn.Module:
        """Put a module on the device, and average its gradients over the processes.

        Where compilation is asked for, each of the modules that it is made of is compiled: its networks, and
        not what calls them.
        """
        module = module.to(self.device)
        if self.device.type == "cuda" and self.processes > 1:
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        if self.compiled:
            for network in module.children():
                network.compile()
        prepared: nn.Module = self.accelerator.prepare_model(module)
        return prepared

    def autocast(self) -> AbstractContextManager[Any]:
        """Give the block in which networks compute in the precision."""
        from accelerate import AutocastKwargs

        return self.accelerator.autocast(AutocastKwargs(enabled=True))

    def share_buffers(self, module: nn.Module) -> None:
        """Give every process the buffers of the first: statistics of norms, banks and queues."""
        share_tensors(module.buffers())

    def gather(self, rows: Tensor) -> Tensor:
        """Join the batch's rows of all processes, with their gradient."""
        return gather_with_gradient(rows)

    def gather_items(self, values: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Join one row an item of all processes; no item counts twice."""
        return gather_items(values, index)

    def wait(self) -> None:
        """Wait until every process is here."""
        self.accelerator.wait_for_everyone()

    def close(self) -> None:
        """Leave the other processes, once all are here: one that ends early would break their connections."""
        if self.processes > 1:
            self.wait()
            self.accelerator.end_training()
