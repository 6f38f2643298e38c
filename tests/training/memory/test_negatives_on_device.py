"""Banks and queues of ImageNet's size, on a device of their own: nothing of a step comes back to the CPU.

The meta device has shapes and no memory. Whatever asks for a value there, as a copy to the CPU does, raises.
"""

import pytest
import torch

from mitools.training.methods.multiview.negatives import Anchors, make_negatives
from mitools.training.methods.multiview.options import CMCOptions

ITEMS, WIDTH, K = 1_280_000, 128, 8
META = torch.device("meta")


@pytest.mark.parametrize(("kind", "rows"), [("bank", ITEMS), ("nce", ITEMS), ("queue", 65536)])
def test_a_step_stays_where_the_rows_are(kind: str, rows: int) -> None:
    count = rows if kind == "queue" else 4096
    options = CMCOptions(negatives=kind, negatives_count=count, head_width=WIDTH)
    with META:
        negatives = make_negatives(options, ITEMS, made=ITEMS, seed=0, points=[])
    kept = [buffer for buffer in negatives.buffers() if buffer.ndim == 2 and len(buffer) == rows]
    # 655 MB a view for the banks of 1.28 million items, 34 MB for a queue of 65,536 keys.
    assert [buffer.nbytes for buffer in kept] == [4 * rows * WIDTH] * 2
    assert {buffer.device for buffer in negatives.buffers()} == {META}
    queries = torch.empty(K, WIDTH, device=META, requires_grad=True)
    items = torch.empty(K, dtype=torch.int64, device=META)
    found = negatives(Anchors(queries, torch.empty(K, WIDTH, device=META), items, step=5), 0, 1)
    assert {part.device for part in found} == {META}
    found.value.backward()
    assert queries.grad is not None
    negatives.remember(1, items, torch.empty(K, WIDTH, device=META))
