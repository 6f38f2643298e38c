"""Scripts of benchmarks that write tables: their code runs, and what they say of it is right."""

import csv
import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch


def loaded(name: str) -> ModuleType:
    path = Path(__file__).parent / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return loaded("gpu")


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    return loaded("costs")


def test_every_part_gives_its_rows_at_tiny_sizes(gpu: ModuleType, tmp_path: Path) -> None:
    assert gpu.main(["--sizes", "tiny", "--device", "cpu", "--out", str(tmp_path / "gpu.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "gpu.csv").open(encoding="utf-8")))
    assert [row["what"] for row in rows] == [
        *("network alone", "extraction") * 2,
        "certificate, on the cores",
        "critics one after another",
        "critics together",
        "matrix product",
        "MINE's protocol",
        "step of cmc",
        "step of imsvd",
    ]
    assert all(float(row["seconds"]) > 0 and float(row["rate"]) > 0 for row in rows)
    assert all(row["device"].startswith("cpu") for row in rows)
    by_what = {row["what"]: row for row in rows}
    share = float(by_what["MINE's protocol"]["rate"]) / float(by_what["matrix product"]["rate"])
    assert float(by_what["MINE's protocol"]["share"]) == pytest.approx(share, rel=0.01)


def test_a_part_that_does_not_fit_leaves_the_others_alone(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_large(sizes: object, device: object) -> Iterator[object]:
        yield gpu.Row("first", "small", 1.0, 2.0, "images/s")
        raise torch.OutOfMemoryError("CUDA out of memory")

    def last(sizes: object, device: object) -> Iterator[object]:
        yield gpu.Row("last", "small", 1.0, 2.0, "images/s")

    monkeypatch.setattr(gpu, "PARTS", (too_large, last))
    assert gpu.main(["--sizes", "tiny", "--device", "cpu", "--out", str(tmp_path / "gpu.csv")]) == 0
    assert "too_large: cpu" in capsys.readouterr().err
    rows = list(csv.DictReader((tmp_path / "gpu.csv").open(encoding="utf-8")))
    assert [row["what"] for row in rows] == ["first", "last"]


def test_without_a_gpu_it_says_so_and_writes_nothing(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--out", str(tmp_path / "gpu.csv")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: no GPU on this machine; --sizes tiny --device cpu tries the code\n"
    assert not list(tmp_path.iterdir())


def test_the_growth_of_a_known_cost_is_found(costs: ModuleType) -> None:
    sizes = costs.sizes("large")
    assert len(sizes) == 7
    times = [(size, 1e-6 * size.n * size.d**0.5 * size.classes**0.25) for size in sizes]
    too_short = (costs.Size(10, 1, 1), 0.001)
    *powers, told, paper = costs.growth([*times, too_short])
    assert powers == pytest.approx([1, 0.5, 0.25])
    assert told == pytest.approx(1e-6 * 1e6 * 2048**0.5 * 1000**0.25)
    assert paper == pytest.approx(100 * told * 1000 / 3600), "hours of 1,000 encoders of 100 million items"
    small = [(size._replace(n=size.n // 100), seconds) for size, seconds in times]
    *powers, told, _ = costs.growth(small)
    assert powers == pytest.approx([1, 0.5, 0.25])
    assert math.isnan(told), "a hundred times what was measured is nobody's guess"
    assert costs.growth([too_short] * 9) is None
    assert costs.growth(times[:2]) is None


def test_costs_of_measures_at_tiny_sizes(costs: ModuleType, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    try:
        words = ["--sizes", "tiny", "--measures", "i_class", "rankme", "--out", str(tmp_path)]
        assert costs.main(words) == 0
    finally:
        torch.set_num_threads(threads)
    rows = list(csv.DictReader((tmp_path / "costs.csv").open(encoding="utf-8")))
    assert {row["measure"] for row in rows} == {"i_class", "rankme"}
    assert len(rows) == 2 * len(costs.sizes("tiny")) == 8
    assert sum(float(row["cpu_seconds"]) for row in rows) > 0
    assert all(50 < float(row["peak_mib"]) < 20_000 for row in rows), "a process that has imported torch"
    before = {tuple(row.values()) for row in rows if row["measure"] == "i_class"}
    assert costs.main(["--sizes", "tiny", "--measures", "rankme", "--out", str(tmp_path)]) == 0
    again = list(csv.DictReader((tmp_path / "costs.csv").open(encoding="utf-8")))
    assert {tuple(row.values()) for row in again if row["measure"] == "i_class"} == before, "kept"
    growth = (tmp_path / "costs_growth.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in growth] == ["measure", "i_class", "rankme"]
