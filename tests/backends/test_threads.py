"""How many threads a piece of work is worth."""

import time
from collections.abc import Iterator

import pytest
import torch

from mitools.backends.threads import fastest_threads, threads, threads_asked_for
from mitools.core.errors import InputError


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threads(2):
        yield


def test_the_number_holds_inside_the_block_alone() -> None:
    with threads(3):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("seconds", "expected"), [(0.005, 2), (0.018, 1)])
def test_two_threads_are_taken_where_they_are_much_faster(seconds: float, expected: int) -> None:
    """One thread takes 0.02 seconds; twice as fast is worth a second one, a tenth faster is not."""
    assert fastest_threads(lambda: time.sleep(0.02 if torch.get_num_threads() == 1 else seconds)) == expected
    assert torch.get_num_threads() == 2


def test_a_slow_step_is_done_once_with_each_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mitools.backends.threads.SECONDS_MEASURED", 0.01)
    done = []

    def step() -> None:
        done.append(torch.get_num_threads())
        time.sleep(0.02)

    fastest_threads(step)
    assert done == [1, 2]


def test_one_thread_needs_no_measurement() -> None:
    with threads(1):
        assert fastest_threads(lambda: pytest.fail("measured")) == 1


@pytest.mark.parametrize(("text", "expected"), [("4", 4), ("2,1", 2), ("", None), (None, None)])
def test_the_environment_is_asked(
    text: str | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if text is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert threads_asked_for() == expected


@pytest.mark.parametrize("text", ["0", "two", "-1"])
def test_what_is_no_number_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.raises(InputError, match=f"OMP_NUM_THREADS={text} must be a whole number above 0"):
        threads_asked_for()
