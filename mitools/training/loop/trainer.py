"""The training loop: a recipe in, a run's folder out."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mitools.backends.runtime import Runtime
from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError, reason_of
from mitools.core.progress import Advance, silent, tell_state, uncounted
from mitools.datasets.open import open_data
from mitools.training.loop.batches import BatchSampler
from mitools.training.loop.conditions import computing_conditions
from mitools.training.loop.drawing import draw_views, present
from mitools.training.loop.images_in_memory import load_images
from mitools.training.loop.metrics_log import MetricsLog
from mitools.training.loop.modalities_in_memory import load_modality
from mitools.training.loop.optimisers import learning_rate, make_optimiser, set_rate
from mitools.training.loop.other_data import OtherData
from mitools.training.loop.run_folder import ANEW, RunFolder
from mitools.training.loop.trackers import Trackers, require_trackers
from mitools.training.methods.base import Batch, Loss, Method, Stage
from mitools.training.methods.registry import make_method, read_options
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import Modality, TrainingData

TRAINED_ON = "images trained on"
"""What the loop's progress counts."""


CHANNELS_LAST_FROM = 16
"""Images of a step from which a CPU computes convolutions with the channels of a pixel side by side: up to a
fourth faster there; with fewer images large networks are slower."""


class NotFiniteError(ArithmeticError):
    """The loss was no number any more; the last checkpoint before it is kept."""


def train(
    recipe: TrainingRecipe, out: Path, runtime: Runtime | None = None, advance: Advance | None = None
) -> RunFolder:
    """Train an encoder, or go on with a run that was stopped.

    Every random choice is a function of the seed and the step, and a checkpoint is written after every
    epoch: a run that is killed and started again ends with the weights of one that was not (bit for bit on
    one CPU process).

    Parameters
    ----------
    recipe
        What to do.
    out
        The run's folder; a finished run is returned as it is.
    runtime
        Device, precision and processes; one CPU process when None.
    advance
        Called with how many images are trained on, of all epochs' images.

    Returns
    -------
    RunFolder
        Of which the encoder is also the spec ``run:OUT``.

    Raises
    ------
    InputError
        When the recipe does not fit the data, or `out` holds another recipe's run.
    NotFiniteError
        When the loss is not finite; it names the step and the checkpoint that is kept.
    OSError
        When the disk is full; earlier checkpoints are kept.
    """
    recipe, folder = with_all_options(recipe), RunFolder(out)
    require_trackers(recipe.trackers)
    if not folder.is_finished(recipe):
        with uncounted(advance):  # what is read takes another time than what is trained
            run = _Run.prepare(recipe, folder, runtime or Runtime(), advance or silent)
        with computing_conditions(run.method, recipe, folder, run.runtime):
            run.go_on()
    return folder


def with_all_options(recipe: TrainingRecipe) -> TrainingRecipe:
    """Fill in the options of the user's own method, as a run's folder has them; this runs her code.

    Raises
    ------
    InputError
        When the code cannot be imported, or has no such option.
    """
    options = read_options(recipe.method, recipe.options).model_dump(mode="json")
    return recipe.model_copy(update={"options": options})


class _Run:
    """A run in progress."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        folder: RunFolder,
        runtime: Runtime,
        advance: Advance,
        data: TrainingData,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.runtime = runtime
        self.advance = advance
        self.data = data
        self.method: Method = make_method(recipe, data)
        own = recipe.batch_size // runtime.processes
        self.share = slice(runtime.rank * own, (runtime.rank + 1) * own)
        if runtime.device.type == "cpu" and own * len(self.method.views) >= CHANNELS_LAST_FROM:
            self.method.to(memory_format=torch.channels_last)
        labels = data.labels.cpu().numpy()
        self.batches = BatchSampler(labels, recipe.batch_size, self.method.pairing, recipe.seed)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.optimiser = make_optimiser(self.method, recipe.optimiser, self.method.rate_factors)

    @classmethod
    def prepare(cls, recipe: TrainingRecipe, folder: RunFolder, runtime: Runtime, advance: Advance) -> "_Run":
        """Load the data, make the method, and claim the folder."""
        if recipe.batch_size % runtime.processes:
            raise InputError(
                f"batch_size {recipe.batch_size} does not divide into {runtime.processes} processes"
            )
        labelled = open_data(recipe.data)
        images = load_images(labelled, recipe.image_size, advance)
        device = runtime.device
        other = OtherData(recipe, images, device, advance)

        def modality(name: str) -> Modality:
            values, present = load_modality(labelled, name, recipe.image_size, advance)
            return Modality(values.to(device), present)

        pixels, labels = images.pixels.to(device), images.labels.to(device)
        classes = len(labelled.classes)
        data = TrainingData(pixels, labels, classes, other.pixels, other.labelled, modality)
        run = cls(recipe, folder, runtime, advance, data)
        if runtime.is_main:
            folder.begin(recipe)
            folder.remember({"data": {labelled.name: labelled.digest}})
        runtime.wait()
        return run

    def go_on(self) -> None:
        """Train what is left to train."""
        done = self._resume()
        in_epoch = self.recipe.batch_size * self.steps_per_epoch
        self.advance(TRAINED_ON, done * in_epoch, self.recipe.epochs * in_epoch)
        if done == 0 and self.recipe.keep_every is not None:
            self._keep(0)
        prepared = self.runtime.prepare(self.method)
        log = self._log(done * self.steps_per_epoch) if self.runtime.is_main else None
        try:
            for epoch in range(done, self.recipe.epochs):
                self._begin(epoch)
                self._epoch(prepared, epoch, log)
                self._keep(epoch + 1)
        finally:
            if log is not None:
                log.close()

    def _log(self, from_step: int) -> MetricsLog:
        names, folder = self.recipe.trackers, self.folder.path
        trackers = Trackers(names, folder, self.recipe.model_dump(mode="json")) if names else None
        return MetricsLog(folder, from_step, trackers)

    def _resume(self) -> int:
        """Take up the latest checkpoint; returns the epochs that are done."""
        kept = self.folder.training_state()
        if kept is None:
            return 0
        epoch, state = kept
        if not isinstance(state, dict) or "method" not in state:
            raise InputError(
                f"{self.folder.path}: an earlier version stopped this run after epoch {epoch}, and training"
                " cannot go on from there; its weights stay, give another --out"
            )
        try:
            self.method.load_state_dict(state["method"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
            where = f"{self.folder.path}: what epoch {epoch} goes on from is damaged"
            raise InputError(f"{where} ({reason_of(error, 200)}); {ANEW}") from None
        return epoch

    def _keep(self, epoch: int) -> None:
        """Write a checkpoint, and remove the one before unless it is to be kept."""
        if self.runtime.is_main:
            state = {"method": self.method.state_dict(), "optimiser": self.optimiser.state_dict()}
            method = self.method
            self.folder.keep(epoch, method.encoder(), method.head(), state, method.write_beside)
            every, last = self.recipe.keep_every, epoch - 1
            ends_a_stage = any(last == stage.ends for stage in self.method.stages)
            if last in self.folder.epochs() and (every is None or last % every) and not ends_a_stage:
                self.folder.drop(last)
        self.runtime.wait()

    @torch.no_grad()
    def _begin(self, epoch: int) -> None:
        """Let the method prepare an epoch, alike in every process."""
        self.runtime.share_buffers(self.method)
        with self.runtime.autocast():
            self.method.at_epoch(epoch)

    def _epoch(self, prepared: nn.Module, epoch: int, log: MetricsLog | None) -> None:
        prepared.train()
        stage = _stage_at(self.method.stages, epoch)
        began, steps = (n * self.steps_per_epoch for n in (stage.begins, stage.ends - stage.begins))
        pending: list[Loss] = []
        started, images = time.perf_counter(), self.recipe.batch_size
        total = images * self.recipe.epochs * self.steps_per_epoch
        for position in range(self.steps_per_epoch):
            step = epoch * self.steps_per_epoch + position
            rate = learning_rate(stage.optimiser, step - began, steps, self.steps_per_epoch)
            pending.append(self._step(prepared, step, rate))
            if len(pending) == self.recipe.log_every or position == self.steps_per_epoch - 1:
                record = self._record(pending, step)
                speed = len(pending) * images / (time.perf_counter() - started)
                now = {"epoch": epoch, "stage": stage.number, "learning_rate": rate}
                if log is not None:
                    log.add(record | now | {"images_per_second": speed})
                pending, started = [], time.perf_counter()
                self.advance(TRAINED_ON, (step + 1) * images, total)
                tell_state(self.advance, _state(record, epoch, self.recipe.epochs))

    def _step(self, prepared: nn.Module, step: int, rate: float) -> Loss:
        """Move the weights once; returns the loss without its gradient."""
        set_rate(self.optimiser, rate)
        self.optimiser.zero_grad(set_to_none=True)
        batch = self._batch(step)
        loss = self._loss(prepared, batch)
        loss.value.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        with torch.no_grad():
            self.method.after_step(batch)
        return loss._replace(value=loss.value.detach())

    def _loss(self, prepared: nn.Module, batch: Batch) -> Loss:
        loss: Loss = prepared(batch)
        return loss

    def _batch(self, step: int) -> Batch:
        """Draw the views of a step: of all its items, this process's share."""
        shown = [torch.from_numpy(items) for items in self.batches.items(step)]
        views = draw_views(self.data, self.method, shown, self.recipe.seed, step, self.share)
        items = shown[0].to(self.data.labels.device)
        return Batch(
            views,
            self.data.labels[items],
            items,
            step,
            self.share,
            self.runtime.gather,
            self.runtime.autocast,
            present(self.data, self.method.views, shown[0]),
        )

    def _record(self, pending: list[Loss], step: int) -> dict[str, Any]:
        """Average what the last steps gave; here alone the device is waited for."""
        values = torch.stack([loss.value for loss in pending]).tolist()
        broken = next((k for k, value in enumerate(values) if not math.isfinite(value)), None)
        if broken is not None:
            kept = self.folder.epochs()
            raise NotFiniteError(
                f"the loss is not finite at step {step - len(pending) + 1 + broken}; lower the learning rate;"
                + (f" the weights after epoch {kept[-1]} are kept" if kept else " no checkpoint was written")
            )
        record: dict[str, Any] = {"step": step, "loss": float(np.mean(values))}
        for term in pending[0].terms:
            record[term] = float(torch.stack([loss.terms[term] for loss in pending]).mean())
        estimates = [loss.nats for loss in pending if loss.nats is not None]
        if estimates:
            record["in_training_bits"] = nats_to_bits(float(torch.stack(estimates).double().mean()))
        if pending[0].ceiling_nats is not None:
            record["ceiling_bits"] = nats_to_bits(pending[0].ceiling_nats)
        return record


def _state(record: dict[str, Any], epoch: int, epochs: int) -> str:
    """Say what people watch a run for."""
    bits = f", {record['in_training_bits']:.2f} bits" if "in_training_bits" in record else ""
    return f"epoch {epoch + 1} of {epochs}, loss {record['loss']:.3f}{bits}"


def _stage_at(stages: tuple[Stage, ...], epoch: int) -> Stage:
    """Find the stage that an epoch belongs to, counted from 0."""
    return next(stage for stage in stages if epoch < stage.ends)
