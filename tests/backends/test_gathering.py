"""Gathering over two processes: the values, and the gradient of one process with the whole batch."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from mitools.backends.gathering import gather_items, gather_with_gradient
from mitools.training.losses.ntxent import ntxent

PROGRAM = """
import sys
from pathlib import Path

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from mitools.backends.gathering import gather_items, gather_with_gradient
from mitools.training.losses.ntxent import ntxent

rank = int(sys.argv[3])
distributed.init_process_group("gloo", init_method=sys.argv[4], rank=rank, world_size=2)
given = torch.load(sys.argv[1], weights_only=True)
network = torch.nn.Linear(5, 3).double()
network.load_state_dict(given["weights"])
wrapped = DistributedDataParallel(network)
own = given["images"].chunk(2, dim=1)[rank]
projected = wrapped(own)
views = torch.stack([gather_with_gradient(view) for view in projected])
loss = ntxent(*views, 0.3)
loss.backward()
index = torch.tensor(([0, 2, 4], [1, 3, 0, 4])[rank])
values, items = gather_items(10.0 * index[:, None] + rank, index)
if rank == 0:
    gradient = {name: p.grad for name, p in network.named_parameters()}
    torch.save({"loss": loss.detach(), "gradient": gradient, "values": values, "items": items}, sys.argv[2])
distributed.barrier()  # or the process that ends first cuts the other's connection
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("gathering")
    torch.manual_seed(0)
    network = torch.nn.Linear(5, 3).double()
    given = {"images": torch.randn(2, 6, 5, dtype=torch.float64), "weights": network.state_dict()}
    torch.save(given, folder / "given.pt")
    program = folder / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    meeting = f"file://{folder / 'meeting'}"  # a port could be taken by the time it is used
    files = [str(program), str(folder / "given.pt"), str(folder / "found.pt")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", *files, str(rank), meeting], env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        for rank in range(2)
    ]
    # Not their exit codes: gloo may abort a process whose peer has left, when all is computed and written.
    for process in processes:
        process.wait(timeout=120)
    return given, torch.load(Path(folder / "found.pt"), weights_only=True)


def test_the_gathered_losss_gradient_is_that_of_one_process(two_processes: tuple[dict, dict]) -> None:
    given, found = two_processes
    network = torch.nn.Linear(5, 3).double()
    network.load_state_dict(given["weights"])
    loss = ntxent(*network(given["images"]), 0.3)
    loss.backward()
    assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 1e-6
        torch.testing.assert_close(found["gradient"][name], parameter.grad, rtol=1e-10, atol=1e-12)


def test_a_padded_item_is_counted_once(two_processes: tuple[dict, dict]) -> None:
    _, found = two_processes
    assert found["items"].tolist() == [0, 1, 2, 3, 4]
    assert found["values"].squeeze(1).tolist() == [0.0, 11.0, 20.0, 31.0, 40.0]


def test_alone_nothing_is_gathered() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather_with_gradient(rows) is rows
    values, items = gather_items(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4, 2, 4]))
    assert items.tolist() == [2, 4]
    assert values.tolist() == [2.0, 1.0]
