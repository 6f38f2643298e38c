"""Large inputs, with time and memory: ``python tests/benchmarks/load.py --as after [CASE ...]``.

Every case runs in a process of its own, in one thread; its row goes to ``analyses/results/load/load.csv``,
in the place of the row of the same case and the same name of the state.
"""

import argparse
import csv
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TABLE = Path(__file__).parents[2] / "analyses" / "results" / "load" / "load.csv"
COLUMNS = ("case", "state", "cpu_seconds", "limit_seconds", "wall_seconds", "peak_mib", "reading")

TINY_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015e221bc70000000049454e44ae426082"
)
"""One grey pixel, 67 bytes."""


def classes(n: int, d: int, n_classes: int, spread: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw normal clouds, one a class, of unit noise about centres of a standard deviation `spread`."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    centres = spread * rng.standard_normal((n_classes, d), dtype=np.float32)
    return centres[labels] + rng.standard_normal((n, d), dtype=np.float32), labels


def certificate(n: int, d: int, n_classes: int, spread: float) -> Callable[[], str]:
    """Certify the class information of normal clouds."""

    def run() -> str:
        from mitools.estimators.class_information.certificate import ClassPosterior

        features, labels = classes(n, d, n_classes, spread)
        started()
        fitted = ClassPosterior().fit(features, labels)
        return f"{fitted.estimate_.bits:.6f} bits of {np.log2(n_classes):.3f}"

    return run


def in_file(n: int, d: int, n_classes: int, spread: float, path: Path) -> NDArray[np.int64]:
    """Write clouds as :func:`classes` draws them to a file, as float16, a part at a time."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    centres = spread * rng.standard_normal((n_classes, d), dtype=np.float32)
    rows = np.lib.format.open_memmap(path, "w+", np.float16, (n, d))
    for start in range(0, n, 10_000):
        own = labels[start : start + 10_000]
        rows[start : start + 10_000] = centres[own] + rng.standard_normal((len(own), d), dtype=np.float32)
    rows.flush()
    return labels


def critic(n: int, d: int, n_classes: int, spread: float) -> Callable[[], str]:
    """Read same-class pairs of clouds in a file by InfoNCE, with the critic of an audit."""

    def run() -> str:
        from mitools.measures.critics import projection_critic
        from mitools.measures.settings import MeasureSettings
        from mitools.pairing.same_class import SameClassPairs

        with tempfile.TemporaryDirectory() as folder:
            labels = in_file(n, d, n_classes, spread, Path(folder) / "rows.npy")
            rows = np.load(Path(folder) / "rows.npy", mmap_mode="r")
            started()
            found = projection_critic(MeasureSettings()).fit(rows, rows, SameClassPairs(labels)).estimate_
            ended()
        ceiling = found.ceiling_nats / np.log(2)
        return f"{found.bits:.6f} bits of {np.log2(n_classes):.3f}, at most {ceiling:.3f}"

    return run


def neighbours(n: int, columns: int) -> Callable[[], str]:
    """Read rows of a known mutual information by their neighbours."""

    def run() -> str:
        from mitools.datasets.known_information.elliptical import Gaussian
        from mitools.estimators.classical.ksg import KSG

        joint = (
            Gaussian.dense(columns, columns, 0.5)
            if columns == 1
            else Gaussian.sparse(columns, columns, 2, 0.8)
        )
        x, y = joint.draw(n, np.random.default_rng(0))
        started()
        return f"{KSG().estimate(x, y).nats:.6f} nats of {joint.truth.nats:.6f}"

    return run


def audits(count: int) -> Callable[[], str]:
    """Audit so many small arrays in one process; tell by how much the memory grew after the tenth."""

    def run() -> str:
        import mitools

        rng = np.random.default_rng(0)
        labels = np.arange(300) % 3
        features = labels[:, None] + rng.standard_normal((300, 8))
        at_tenth = 0.0
        started()
        for number in range(count):
            mitools.audit({"a": features + 1e-3 * number}, (features, labels))
            if number == 9:
                at_tenth = memory_mib()
        return f"{memory_mib() - at_tenth:.1f} MiB more after {count} audits than after 10"

    return run


def files(count: int) -> Callable[[], str]:
    """Open a folder of so many images of one pixel, with nothing known about them."""

    def run() -> str:
        from mitools.datasets.open import open_data

        root = Path(tempfile.mkdtemp())
        try:
            os.environ["MITOOLS_CACHE"] = str(root / "cache")
            for number in range(100):
                (root / "images" / f"class {number:02d}").mkdir(parents=True)
            for number in range(count):
                path = root / "images" / f"class {number % 100:02d}" / f"{number:07d}.png"
                path.write_bytes(TINY_PNG)
            started()
            data = open_data(f"folder:{root / 'images'}")
            ended()
            first = cpu_seconds()
            again = open_data(f"folder:{root / 'images'}")
            assert again.digest == data.digest
            return f"{len(data):,} images; opened again in {cpu_seconds() - first:.1f} CPU s"
        finally:
            shutil.rmtree(root)

    return run


class Case(NamedTuple):
    """What is run, and in how many CPU seconds."""

    limit: float
    run: Callable[[], str]


CASES = {
    "certificate 100,000 x 64, 1,000 classes": Case(47, certificate(100_000, 64, 1000, 0.5)),
    "certificate 30,000 x 64, 5,000 classes": Case(60, certificate(30_000, 64, 5000, 0.5)),
    "certificate 500 x 100,000, 10 classes": Case(30, certificate(500, 100_000, 10, 0.05)),
    "infonce 100,000 x 2,048, 1,000 classes": Case(float("nan"), critic(100_000, 2048, 1000, 0.3)),
    "infonce 1,280,000 x 2,048, 1,000 classes": Case(900, critic(1_280_000, 2048, 1000, 0.3)),
    "ksg 100,000 x 2+2": Case(float("nan"), neighbours(100_000, 2)),
    "ksg 500,000 x 1+1": Case(60, neighbours(500_000, 1)),
    "ksg 500,000 x 2+2": Case(60, neighbours(500_000, 2)),
    "200 small audits": Case(float("nan"), audits(200)),
    "folder of 20,000 images": Case(float("nan"), files(20_000)),
    "folder of 1,000,000 images": Case(40, files(1_000_000)),
}

_start: dict[str, float] = {}


def started() -> None:
    """Leave out of the figures what came before: imports and the drawing of the data."""
    _start.update(cpu=cpu_seconds(), wall=time.perf_counter())


def ended() -> None:
    """Leave out of the figures what comes after; without it they last to the end of the case."""
    _start.update(cpu_end=cpu_seconds(), wall_end=time.perf_counter())


def cpu_seconds() -> float:
    """Give the CPU seconds of this process, those of the system for it as well."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mib() -> float:
    """Give the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(name: str, state: str) -> dict[str, object]:
    """Run one case in this process and give its row."""
    import torch

    torch.set_num_threads(1)
    case = CASES[name]
    reading = case.run()
    return {
        "case": name,
        "state": state,
        "cpu_seconds": round(_start.get("cpu_end", cpu_seconds()) - _start["cpu"], 1),
        "limit_seconds": case.limit,
        "wall_seconds": round(_start.get("wall_end", time.perf_counter()) - _start["wall"], 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "reading": reading,
    }


def keep(row: dict[str, object]) -> None:
    """Put a row into the table, in the place of an earlier one of the same case and state."""
    rows = list(csv.DictReader(TABLE.open(encoding="utf-8"))) if TABLE.exists() else []
    rows = [one for one in rows if (one["case"], one["state"]) != (row["case"], row["state"])]
    rows.append({key: str(value) for key, value in row.items()})
    order = list(CASES)
    rows.sort(key=lambda one: (order.index(one["case"]), one["state"] != "before"))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Run the cases that are named by the beginning of their names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--as", dest="state", default="after", help="before or after, or any other name")
    parser.add_argument("case", nargs="*", help="the beginnings of names of cases")
    asked = parser.parse_args()
    for name in CASES:
        if not asked.case or any(name.startswith(one) for one in asked.case):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                row = pool.apply(measure, (name, asked.state))
            keep(row)
            print(*row.values(), sep="  ", file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
