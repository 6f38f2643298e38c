"""The queue of keys: the oldest are replaced, the last stay, and their items and the place are remembered."""

import pytest
import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.training.memory.queue import KeyQueue, keys_made, queue_length


def keys(*numbers: int) -> tuple[Tensor, Tensor]:
    """Directions that tell keys from each other, and their items: ten times the number."""
    angles = torch.tensor(numbers) * 0.1
    return 3 * torch.stack([angles.cos(), angles.sin()], dim=1), 10 * torch.tensor(numbers)


def held(queue: KeyQueue) -> list[int]:
    return [round(float(angle) * 10) for angle in torch.atan2(queue.rows[:, 1], queue.rows[:, 0])]


def test_the_oldest_are_replaced_around_the_circle() -> None:
    queue = KeyQueue(5, 2)
    queue.add(*keys(1, 2, 3))
    assert queue.items.tolist() == [10, 20, 30, -1, -1]
    queue.add(*keys(4, 5, 6))
    assert held(queue) == [6, 2, 3, 4, 5]
    queue.add(*keys(7))
    assert held(queue) == [6, 7, 3, 4, 5]
    assert queue.items.tolist() == [60, 70, 30, 40, 50]
    torch.testing.assert_close(queue.rows.norm(dim=1), torch.ones(5))


def test_of_more_keys_than_rows_the_last_stay() -> None:
    queue = KeyQueue(3, 2)
    queue.add(*keys(9))
    queue.add(*keys(1, 2, 3, 4, 5))
    assert sorted(held(queue)) == [3, 4, 5]
    assert queue.items.tolist() == [10 * number for number in held(queue)]


def test_rows_and_place_travel_with_the_module_that_holds_them() -> None:
    queues = [KeyQueue(4, 2) for _ in range(2)]
    holder, other = (nn.ModuleDict({"queue": queue}) for queue in queues)
    queues[0].add(*keys(1, 2, 3))
    other.load_state_dict(holder.state_dict())
    for queue in queues:
        queue.add(*keys(4, 5))
    assert torch.equal(queues[1].rows, queues[0].rows)
    assert torch.equal(queues[1].items, queues[0].items)
    assert not list(holder.parameters())


def test_a_queue_is_no_longer_than_the_run_can_fill_it() -> None:
    """An epoch of 5,000 items in batches of 256 makes 19 * 256 keys: its last 136 items fill no batch."""
    made = keys_made(5000, 256, 1)
    assert made == 4864
    assert [queue_length(asked, 65536, 5000, made) for asked in (None, 4864, 10)] == [4864, 4864, 10]
    assert queue_length(None, 65536, 5000, keys_made(5000, 256, 2)) == 4999
    with pytest.raises(InputError, match="negatives_count 4865 is more than the 4864 keys") as caught:
        queue_length(4865, 65536, 5000, made)
    assert "\n" not in str(caught.value)
