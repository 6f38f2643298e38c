"""The queue of keys: the oldest are replaced, the last stay, and the place is remembered."""

import torch
from torch import Tensor, nn

from mitools.training.memory.queue import KeyQueue


def keys(*numbers: int) -> Tensor:
    """Directions that tell keys from each other."""
    angles = torch.tensor(numbers) * 0.1
    return 3 * torch.stack([angles.cos(), angles.sin()], dim=1)


def held(queue: KeyQueue) -> list[int]:
    return [round(float(angle) * 10) for angle in torch.atan2(queue.rows[:, 1], queue.rows[:, 0])]


def test_the_oldest_are_replaced_around_the_circle() -> None:
    queue = KeyQueue(5, 2)
    queue.add(keys(1, 2, 3))
    queue.add(keys(4, 5, 6))
    assert held(queue) == [6, 2, 3, 4, 5]
    queue.add(keys(7))
    assert held(queue) == [6, 7, 3, 4, 5]
    torch.testing.assert_close(queue.rows.norm(dim=1), torch.ones(5))


def test_of_more_keys_than_rows_the_last_stay() -> None:
    queue = KeyQueue(3, 2)
    queue.add(keys(9))
    queue.add(keys(1, 2, 3, 4, 5))
    assert sorted(held(queue)) == [3, 4, 5]


def test_rows_and_place_travel_with_the_module_that_holds_them() -> None:
    holder, other = (nn.ModuleDict({"queue": KeyQueue(4, 2)}) for _ in range(2))
    holder["queue"].add(keys(1, 2, 3))
    other.load_state_dict(holder.state_dict())
    for queue in (holder["queue"], other["queue"]):
        queue.add(keys(4, 5))
    assert torch.equal(other["queue"].rows, holder["queue"].rows)
    assert not list(holder.parameters())
