"""A Lightning callback that logs a layer's class information; ``pip install "mitools[lightning]"``."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from mitools.core.errors import InputError
from mitools.estimators.inputs.class_prior import Prior
from mitools.integrations.class_information import ClassInformation


class ClassInformationCallback(Callback):
    """Log how much class information a layer carries, at the end of every validation epoch.

    Two numbers, in bits: ``NAME_bits``, a lower bound on I_class, and ``NAME_low``, above which the truth
    lies with 95% confidence. Where there is nothing to certify (a class with fewer than five items) they are
    NaN.

    Parameters
    ----------
    layer
        Name of a module inside the LightningModule, as ``named_modules`` has it: ``encoder``. Its output is
        averaged over space or tokens to one row an item.
    name
        What the numbers are called.
    max_items, prior, seed
        As for :class:`mitools.ClassInformation`.

    Examples
    --------
    .. code-block:: python

        trainer = Trainer(callbacks=[ClassInformationCallback("encoder")])
    """

    def __init__(
        self,
        layer: str,
        name: str = "class_information",
        max_items: int | None = 20_000,
        prior: Prior = "empirical",
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.name = name
        self.metric = ClassInformation(max_items, prior, seed)
        self._latest: Tensor | None = None
        self._handle: RemovableHandle | None = None

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to listen to the layer."""
        self.metric.reset()
        self._let_go()
        try:
            layer = pl_module.get_submodule(self.layer)
        except AttributeError:
            raise InputError(f"the module has no layer {self.layer!r}; named_modules() lists them") from None
        self._handle = layer.register_forward_hook(self._keep)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take the layer's rows of a batch ``(inputs, labels)``."""
        if self._latest is not None:
            self.metric.update(self._latest, batch[1])
        self._latest = None

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Certify, and log."""
        self._let_go()
        if trainer.sanity_checking:
            return
        bits = low = float("nan")
        try:
            estimate = self.metric.compute()
            bits, low = estimate.bits, float(estimate.settings["one_sided_low_bits"])
        except InputError:
            pass  # too few items to certify anything of
        # Every process has the same numbers already.
        pl_module.log_dict({f"{self.name}_bits": bits, f"{self.name}_low": low}, sync_dist=False)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Stop listening."""
        self._let_go()

    def _keep(self, module: Any, arguments: Any, output: Any) -> None:
        rows = output.detach()
        if rows.ndim == 3:  # tokens
            rows = rows.mean(dim=1)
        self._latest = rows.flatten(2).mean(dim=2) if rows.ndim > 2 else rows

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.remove()
        self._handle, self._latest = None, None
