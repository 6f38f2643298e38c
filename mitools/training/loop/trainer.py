"""The training loop: a recipe in, a run's folder out."""

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed
from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.progress import Advance, silent
from mitools.datasets.open import open_data
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.sources.run import ENCODER, HEAD
from mitools.training.loop.batches import Batches
from mitools.training.loop.images_in_memory import ImagesInMemory, load_images, noise_like
from mitools.training.loop.metrics_log import MetricsLog
from mitools.training.loop.optimisers import learning_rate, make_optimiser
from mitools.training.loop.run_folder import RunFolder
from mitools.training.memory.ctc_bank import InformationBank
from mitools.training.methods.base import Embedded, Loss
from mitools.training.methods.registry import OBJECTIVES
from mitools.training.methods.stages import Stage, stage_at, stages_of
from mitools.training.networks.build import build_network
from mitools.training.networks.heads import Headed, RepresentationAndClassifier
from mitools.training.recipes import CTCRecipe, TrainingRecipe
from mitools.views.recipes import AugmentationRecipe
from mitools.views.simclr import augmented, draw_count

PREPROCESS = Preprocess()
"""How pixels are normalised in training; a run as an encoder does the same."""


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
        Told how many images of an epoch are done.

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
    run = _Run.prepare(recipe, RunFolder(out), runtime or Runtime(), advance or silent)
    run.go_on()
    return run.folder


class _Data(NamedTuple):
    """What a run trains on, on the device."""

    images: ImagesInMemory
    negatives: ImagesInMemory | None
    batches: Batches


class _Run:
    """A run in progress."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        folder: RunFolder,
        runtime: Runtime,
        advance: Advance,
        data: _Data,
        network: Headed,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.runtime = runtime
        self.advance = advance
        self.data = data
        self.network = network
        named = OBJECTIVES[recipe.objective]
        self.pairing = named.pairing
        counts = torch.bincount(data.images.labels).double()
        entropy = float(torch.special.entr(counts / counts.sum()).sum())
        self.stages = stages_of(recipe, entropy)
        self.augmentation = recipe.augmentation or (AugmentationRecipe() if named.augments else None)
        self.steps_per_epoch = data.batches.steps_per_epoch
        self.optimiser = make_optimiser(network, recipe.optimiser)
        self.bank = _information_bank(recipe, network, len(data.images), runtime.device)

    @classmethod
    def prepare(cls, recipe: TrainingRecipe, folder: RunFolder, runtime: Runtime, advance: Advance) -> "_Run":
        """Load the data, build the network, and take up what an earlier start left."""
        if recipe.batch_size % runtime.processes:
            raise InputError(
                f"batch_size {recipe.batch_size} does not divide into {runtime.processes} processes"
            )
        labelled = open_data(recipe.data)
        images = load_images(labelled, recipe.image_size, advance)
        named = OBJECTIVES[recipe.objective]
        batches = Batches(images.labels.numpy(), recipe.batch_size, named.pairing, recipe.seed)
        negatives = _negatives(recipe, images, advance)
        network = build_network(recipe, len(labelled.classes), images.pixels.shape[1:]).to(runtime.device)
        data = _Data(_on(images, runtime.device), negatives and _on(negatives, runtime.device), batches)
        run = cls(recipe, folder, runtime, advance, data, network)
        if runtime.is_main:
            folder.begin(recipe)
        runtime.wait()
        return run

    def go_on(self) -> None:
        """Train what is left to train."""
        epoch = self._resume()
        if epoch == 0 and self.recipe.keep_every is not None:
            self._keep(0)
        prepared = self.runtime.prepare(self.network)
        log = MetricsLog(self.folder.path, epoch * self.steps_per_epoch) if self.runtime.is_main else None
        try:
            for finished in range(epoch, self.recipe.epochs):
                stage = stage_at(self.stages, finished)
                if self.bank is not None and finished == stage.begins:
                    self._fill(self.bank, stage)
                self._epoch(prepared, finished, stage, log)
                self._keep(finished + 1)
        finally:
            if log is not None:
                log.close()

    def _resume(self) -> int:
        """Take up the latest checkpoint; returns the epochs that are done."""
        kept = self.folder.training_state()
        if kept is None:
            return 0
        epoch, state = kept
        self.network.encoder.load_state_dict(self.folder.weights(epoch, ENCODER))
        self.network.head.load_state_dict(self.folder.weights(epoch, HEAD))
        self.optimiser.load_state_dict(state["optimiser"])
        if self.bank is not None:
            self.bank.memory.rows.copy_(state["memory_bank"])
            if epoch > self.recipe.border:
                self.bank.freeze(self.network.encoder, self.folder.weights(self.recipe.border, ENCODER))
        return epoch

    def _keep(self, epoch: int) -> None:
        if self.runtime.is_main:
            state: dict[str, Any] = {"optimiser": self.optimiser.state_dict()}
            if self.bank is not None:
                state["memory_bank"] = self.bank.memory.rows
            self.folder.keep(epoch, self.network.encoder, self.network.head, state)
            every, last = self.recipe.keep_every, epoch - 1
            # What stage two is held against is needed until the run ends.
            border = self.bank is not None and last == self.recipe.border
            if last in self.folder.epochs() and (every is None or last % every) and not border:
                self.folder.drop(last)
        self.runtime.wait()

    def _fill(self, bank: InformationBank, stage: Stage) -> None:
        """Begin a stage: one view of every image, encoded by the network as it is."""
        if stage.number == 2:
            bank.freeze(self.network.encoder)
        images, device = self.data.images, self.runtime.device
        rows = torch.arange(len(images), device=device).split(self.recipe.batch_size)
        views = (
            (items, self._views(images, items, derive_seed(self.recipe.seed, 7, stage.number, number)))
            for number, items in enumerate(rows)
        )
        with self.runtime.autocast():
            bank.fill(bank.frozen or self.network.encoder, views)

    def _epoch(self, prepared: nn.Module, epoch: int, stage: Stage, log: MetricsLog | None) -> None:
        prepared.train()
        pending: list[Loss] = []
        started, what = time.perf_counter(), f"epoch {epoch + 1} of {self.recipe.epochs}, images"
        for position in range(self.steps_per_epoch):
            step = epoch * self.steps_per_epoch + position
            began, steps = (n * self.steps_per_epoch for n in (stage.begins, stage.ends - stage.begins))
            rate = learning_rate(stage.optimiser, step - began, steps, self.steps_per_epoch)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.zero_grad(set_to_none=True)
            loss = self._loss(prepared, step)
            loss.value.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            if self.bank is not None:
                self.bank.follow()
            pending.append(loss._replace(value=loss.value.detach()))
            if len(pending) == self.recipe.log_every or position == self.steps_per_epoch - 1:
                record = self._record(pending, step)
                images = len(pending) * self.recipe.batch_size / (time.perf_counter() - started)
                now = {"epoch": epoch, "stage": stage.number, "learning_rate": rate}
                if log is not None:
                    log.add(record | now | {"images_per_second": images})
                pending, started = [], time.perf_counter()
                self.advance(what, (position + 1) * self.recipe.batch_size, len(self.data.images))

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

    def _loss(self, prepared: nn.Module, step: int) -> Loss:
        """Compute the loss of the global batch of one step; every process encodes its share of it."""
        items = self.data.batches.items(step)
        if self.pairing == "views":
            items = (*items, *items)
        mine = self._share(len(items[0]))
        seed = self.recipe.seed
        views = [
            self._views(self.data.images, torch.from_numpy(rows), derive_seed(seed, 3, step, view), mine)
            for view, rows in enumerate(items)
        ]
        count = len(views)
        if self.data.negatives is not None:
            rng = np.random.default_rng([seed, 2, step])
            rows = torch.from_numpy(rng.integers(0, len(self.data.negatives), self.recipe.batch_size))
            views += [
                self._views(self.data.negatives, rows, derive_seed(seed, 3, step, count + view), mine)
                for view in range(2)
            ]
        pixels = torch.cat(views)
        with self.runtime.autocast():
            rows_out = prepared(pixels)
            if self.bank is not None:
                rows_out = torch.cat([rows_out, self.bank.keys(pixels)], dim=1)
        # One row an item, all its views in it, so that gathering keeps views together.
        own = rows_out.float().reshape(len(views), len(views[0]), -1).transpose(0, 1)
        embedded = self.runtime.gather(own.contiguous()).transpose(0, 1)
        rows = torch.from_numpy(items[0]).to(pixels.device)
        labels = self.data.images.labels[rows]
        negatives = embedded[count:] if self.data.negatives is not None else None
        batch = Embedded(embedded[:count], labels, negatives)
        if self.bank is not None:
            batch = self.bank.beside(batch, rows, step)
        return stage_at(self.stages, step // self.steps_per_epoch).objective(batch)

    def _share(self, size: int) -> slice:
        own = size // self.runtime.processes
        return slice(self.runtime.rank * own, (self.runtime.rank + 1) * own)

    def _views(self, source: ImagesInMemory, rows: Tensor, seed: int, mine: slice = slice(None)) -> Tensor:
        """Draw one view of each of this process's images, normalised."""
        device = self.runtime.device
        images = source.pixels[rows[mine].to(device)].float() / 255
        if self.augmentation is not None:
            # Drawn for the whole batch, so that the share of a process does not change anyone's view.
            shape = (len(rows), draw_count(self.augmentation))
            draws = torch.rand(shape, generator=torch.Generator().manual_seed(seed))[mine]
            images = augmented(images, draws.to(device), self.augmentation)
        mean, std = (
            torch.tensor(values, device=device).reshape(3, 1, 1)
            for values in (PREPROCESS.mean, PREPROCESS.std)
        )
        return (images - mean) / std


def _information_bank(
    recipe: TrainingRecipe, network: Headed, samples: int, device: torch.device
) -> InformationBank | None:
    """Make the bank of an objective that reads representations as well."""
    if not isinstance(network.head, RepresentationAndClassifier):
        return None
    width = network.head.in_features
    return InformationBank(recipe.ctc or CTCRecipe(), samples, width, recipe.seed, device)


def _negatives(recipe: TrainingRecipe, images: ImagesInMemory, advance: Advance) -> ImagesInMemory | None:
    """Load the data set that negatives come from, where it is not the batch itself."""
    if recipe.negatives is None:
        return None
    if recipe.negatives == "noise":
        return noise_like(images, len(images), recipe.seed)
    height = images.pixels.shape[2]
    found = load_images(open_data(recipe.negatives), recipe.image_size or height, advance)
    if found.pixels.shape[1:] != images.pixels.shape[1:]:
        raise InputError(f"negatives {recipe.negatives!r} are of another size; give the recipe an image_size")
    return found


def _on(images: ImagesInMemory, device: torch.device) -> ImagesInMemory:
    return ImagesInMemory(images.pixels.to(device), images.labels.to(device))
