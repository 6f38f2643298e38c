"""What one GPU does in under ten minutes, as one table: ``python tests/benchmarks/gpu.py [--out FILE.csv]``.

Extraction, the certificate, critics together and apart, MINE's protocol beside the card's own rate of matrix
products, and steps of training at the papers' sizes. ``--sizes tiny --device cpu`` runs the same code in
seconds where there is no card; its figures say nothing about one.
"""

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

TABLE = Path(__file__).parents[2] / "analyses" / "results" / "load" / "gpu.csv"
COLUMNS = ("what", "setting", "device", "seconds", "rate", "unit", "share", "of")


class Row(NamedTuple):
    """One figure.

    Attributes
    ----------
    what, setting
        What was run, and at which size.
    seconds
        Wall-clock time of it, the device's work included.
    rate, unit
        How much of what a second.
    share, of
        The rate as a share of another one; None where it is compared with nothing.
    """

    what: str
    setting: str
    seconds: float
    rate: float
    unit: str
    share: float | None = None
    of: str = ""


@dataclass(frozen=True)
class Sizes:
    """How large everything is.

    Attributes
    ----------
    networks
        Specs of what extracts, and the side of its images.
    images, batch, precision
        Of the extraction; the precision is that of training too.
    certified
        Items, columns and classes.
    critics
        How many, items, columns, hidden width and steps.
    mine
        Columns of x and of T, hidden width, pairs a step and steps.
    product
        Side of the square matrices whose product MINE is compared with.
    trainings
        By method: the side of the images, the steps, and the recipe but for its data.
    """

    networks: dict[str, int]
    images: int
    batch: int
    precision: str
    certified: tuple[int, int, int]
    critics: tuple[int, int, int, int, int]
    mine: tuple[int, int, int, int, int]
    product: int
    trainings: dict[str, tuple[int, int, dict[str, Any]]]


# Half AlexNets of Tian et al. 2020, Table 11; ResNet-50 of Niu et al. 2024, Sec. IV, with one card's share of
# a batch of 2,048 on eight.
CMC = {
    "encoder": "alexnet_half_stl10",
    "batch_size": 256,
    "options": {"head": "linear", "negatives": "bank", "negatives_count": 4096},
    "optimiser": {"name": "sgd", "learning_rate": 0.03},
}
IMSVD = {
    "encoder": "timm:resnet50",
    "batch_size": 256,
    "options": {"variables": 102, "units": 80, "hidden": 8192},
    "optimiser": {"name": "lars", "learning_rate": 0.6},
}
PAPER = Sizes(
    networks={"timm:resnet50": 224, "timm:vit_base_patch16_224": 224},
    images=4096,
    batch=256,
    precision="bf16",
    certified=(50_000, 512, 100),
    critics=(8, 4000, 512, 256, 400),
    mine=(3072, 512, 1024, 1000, 500),
    product=8192,
    trainings={"cmc": (64, 32, CMC), "imsvd": (224, 8, IMSVD)},
)

SMALL = {"encoder": "convnet", "batch_size": 8}
TINY = Sizes(
    networks={"timm:test_resnet": 64, "timm:test_vit": 160},
    images=8,
    batch=4,
    precision="float32",
    certified=(200, 4, 2),
    critics=(2, 200, 4, 8, 4),
    mine=(12, 4, 8, 20, 4),
    product=64,
    trainings={
        "cmc": (32, 2, {**SMALL, "options": {**CMC["options"], "negatives_count": 4}}),
        "imsvd": (32, 2, {**SMALL, "options": {"variables": 3, "units": 4, "hidden": 8}}),
    },
)


def timed(device: torch.device, work: Callable[[], Any], warm: bool = True) -> float:
    """Give the seconds of some work, once it was done before, until the device has finished."""
    if warm:
        work()
    finish(device)
    started = time.perf_counter()
    work()
    finish(device)
    return time.perf_counter() - started


def finish(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def extraction(sizes: Sizes, device: torch.device) -> Iterator[Row]:
    """Extract features of images in memory, whole, beside the network alone on one ready batch."""
    for spec, side in sizes.networks.items():
        yield from _extraction_by(spec, side, sizes, device)


def _extraction_by(spec: str, side: int, sizes: Sizes, device: torch.device) -> Iterator[Row]:
    from mitools.backends.precision import computing_in
    from mitools.datasets.in_memory import ImageArray
    from mitools.encoders import open_encoder
    from mitools.encoders.inputs.read import finish_inputs, read_inputs
    from mitools.features import FeatureStore, extract

    n, batch, precision = sizes.images, sizes.batch, sizes.precision
    workers = len(os.sched_getaffinity(0)) if device.type == "cuda" else 0
    encoder = open_encoder(f"{spec}?pretrained=no&image_size={side}")
    pixels = np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    data = ImageArray("noise", ["a", "b"], pixels, np.arange(n) % 2, "digest of noise")
    ready = finish_inputs(read_inputs(data, range(batch), encoder.preprocess), encoder.preprocess).to(device)
    network = encoder.module.to(device)

    def alone() -> None:
        with torch.inference_mode(), computing_in(precision, device):
            for _ in range(n // batch):
                network(ready)

    def whole() -> None:
        options = {"device": str(device), "batch_size": batch, "workers": workers, "precision": precision}
        with tempfile.TemporaryDirectory() as folder:
            extract(encoder, data, store=FeatureStore(Path(folder)), **options)

    setting = f"{spec}, {n:,} images of {side} pixels, {precision}"
    seconds = timed(device, alone)
    bare = n // batch * batch / seconds
    yield Row("network alone", setting, seconds, bare, "images/s")
    seconds = timed(device, whole)
    setting += f", {workers} reading processes"
    yield Row("extraction", setting, seconds, n / seconds, "images/s", n / seconds / bare, "network alone")


def certificate(sizes: Sizes, device: torch.device) -> Iterator[Row]:
    """Certify the class information of normal clouds; the classifier is fitted on the machine's cores."""
    from mitools.estimators.class_information.certificate import ClassPosterior

    n, d, classes = sizes.certified
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    features = rng.standard_normal((classes, d), dtype=np.float32)[labels]
    features = 0.1 * features + rng.standard_normal((n, d), dtype=np.float32)
    seconds = timed(device, lambda: ClassPosterior().fit(features, labels), warm=False)
    yield Row("certificate, on the cores", f"{n:,} x {d}, {classes} classes", seconds, n / seconds, "items/s")


def critics(sizes: Sizes, device: torch.device) -> Iterator[Row]:
    """Fit critics together, and one after another."""
    from mitools.estimators.bounds.infonce import read_infonce
    from mitools.estimators.critics.networks import SeparableCritic
    from mitools.estimators.neural.methods import VARIATIONAL_METHODS
    from mitools.estimators.neural.training_loop import Member, Schedule, fit_critics

    count, rows, d, hidden, steps = sizes.critics
    pairs = min(256, rows)

    def member(seed: int) -> Member:
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(rows, d, generator=generator)
        y = (x + torch.randn(rows, d, generator=generator)).to(device)
        x = x.to(device)

        def draw() -> tuple[torch.Tensor, torch.Tensor]:
            chosen = torch.randint(rows, (pairs,), generator=generator).to(device)
            return x[chosen], y[chosen]

        start = SeparableCritic(d, d, (hidden,)).to(device)
        return Member(start, pairs, draw, lambda critic: read_infonce(critic, x[:pairs], y[:pairs]))

    members = [member(seed) for seed in range(count)]
    schedule = Schedule(1e-3, max_steps=steps, check_every=max(1, steps // 8), patience=steps, average=0.99)

    def fit(stacks: list[list[Member]]) -> None:
        for stack in stacks:
            fit_critics(stack, VARIATIONAL_METHODS["infonce"].objective, schedule, device)

    apart = timed(device, lambda: fit([[one] for one in members]))
    together = timed(device, lambda: fit([members]))
    setting = f"{count} critics, d={d}, hidden {hidden}, {pairs} pairs, {steps} steps"
    done = count * steps
    yield Row("critics one after another", setting, apart, done / apart, "steps/s")
    yield Row(
        "critics together",
        setting,
        together,
        done / together,
        "steps/s",
        apart / together,
        "one after another",
    )


def mine(sizes: Sizes, device: torch.device) -> Iterator[Row]:
    """Run MINE's protocol (Cui et al. 2022, A.5), as a share of the rate of plain matrix products."""
    from mitools.estimators.bounds.reading import Reading
    from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic
    from mitools.estimators.neural.mine_protocol import fit_together
    from mitools.estimators.neural.training_loop import Member, Schedule

    d_x, d_t, hidden, batch, steps = sizes.mine
    x, t = torch.randn(batch, d_x, device=device), torch.randn(batch, d_t, device=device)
    start = ProtocolCritic(d_x, d_t, hidden).to(device)
    # A reading that costs nothing: the steps are what is measured.
    member = Member(start, batch, lambda: (x, t), lambda critic: Reading(0.0, np.zeros(2)))
    schedule = Schedule(1e-4, steps, steps, patience=1, average=0.0)
    seconds = timed(device, lambda: fit_together([member], schedule, device))
    # The first layer runs over the rows once, the others over joint and permuted pairs. Going back takes one
    # product for the weights and one for what comes before; before the first layer comes nothing.
    first, others = (d_x + d_t) * hidden, 2 * (2 * hidden * hidden + hidden)
    done = 2 * batch * steps * (2 * first + 3 * others) / seconds
    best, took = product_rate(sizes, device)
    yield Row("matrix product", f"{sizes.product} x {sizes.product}", took, best / 1e12, "TFLOP/s")
    setting = f"{d_x} + {d_t} inputs, {batch} pairs, hidden {hidden}, {steps} steps"
    yield Row("MINE's protocol", setting, seconds, done / 1e12, "TFLOP/s", done / best, "matrix product")


def product_rate(sizes: Sizes, device: torch.device, repeats: int = 20) -> tuple[float, float]:
    """Give the operations a second of square products in what critics are trained in, and their seconds."""
    from mitools.estimators.neural.training_loop import _fast_products

    a = torch.randn(sizes.product, sizes.product, device=device)

    def multiply() -> None:
        for _ in range(repeats):
            a @ a

    with _fast_products(device):
        seconds = timed(device, multiply)
    return 2 * sizes.product**3 * repeats / seconds, seconds


def training(sizes: Sizes, device: torch.device) -> Iterator[Row]:
    """Make steps of training methods on drawn images, views and all."""
    for method, (side, steps, keys) in sizes.trainings.items():
        batch = keys["batch_size"]
        seconds = _seconds_of_an_epoch(method, side, batch * steps, keys, sizes.precision, device)
        setting = f"{keys['encoder']}, {batch} images of {side} pixels, {sizes.precision}"
        rate = batch * steps / seconds
        yield Row(f"step of {method}", setting, seconds / steps, rate, "images/s")


def _seconds_of_an_epoch(
    method: str, side: int, n: int, keys: dict[str, Any], precision: str, device: torch.device
) -> float:
    from mitools.backends.runtime import Runtime
    from mitools.core.progress import silent
    from mitools.training.loop.run_folder import RunFolder
    from mitools.training.loop.trainer import _Run
    from mitools.training.recipes import TrainingRecipe

    data = f"cdp?shared=color&n={n}&size={side}&background=none"
    recipe = TrainingRecipe(data=data, method=method, epochs=1, **keys)
    runtime = Runtime(device.type, precision)
    with tempfile.TemporaryDirectory() as folder:
        run = _Run.prepare(recipe, RunFolder(Path(folder) / "run"), runtime, silent)
        prepared = runtime.prepare(run.method)
        return timed(device, lambda: run._epoch(prepared, 0, None))


PARTS = (extraction, certificate, critics, mine, training)


def main(words: list[str] | None = None) -> int:
    """Run every part, print its rows as they come, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", choices=["paper", "tiny"], default="paper")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument(
        "--out", type=Path, help="the table (analyses/results/load/gpu.csv on a GPU, none else)"
    )
    asked = parser.parse_args(words)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("error: no GPU on this machine; --sizes tiny --device cpu tries the code", file=sys.stderr)
        return 2
    device, sizes = torch.device(asked.device), PAPER if asked.sizes == "paper" else TINY
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu ({platform.machine()})"
    out = asked.out or (TABLE if device.type == "cuda" else None)
    started, rows = time.perf_counter(), []
    for part in PARTS:
        try:
            for row in part(sizes, device):
                rows.append(row)
                share = "" if row.share is None else f"  {row.share:.2f} of {row.of}"
                print(f"{row.what}: {row.rate:.4g} {row.unit}{share}  ({row.setting})", flush=True)
        except torch.OutOfMemoryError:
            print(f"{part.__name__}: {name} has not the memory for it", file=sys.stderr)
        if out is not None:
            write(out, rows, name)
    print(f"{time.perf_counter() - started:.0f} s on {name}" + (f", in {out}" if out else ""))
    return 0


def write(out: Path, rows: list[Row], device: str) -> None:
    """Write the table."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            share = "" if row.share is None else f"{row.share:.3g}"
            own = {
                "device": device,
                "seconds": f"{row.seconds:.4g}",
                "rate": f"{row.rate:.4g}",
                "share": share,
            }
            writer.writerow(row._asdict() | own)


if __name__ == "__main__":
    sys.exit(main())
