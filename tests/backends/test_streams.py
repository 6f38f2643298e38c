import threading
import time

import pytest
import torch

from mitools.backends import in_streams, stream_count


def test_results_keep_the_order_of_the_items():
    def slow_when_even(item):
        time.sleep(0.01 if item % 2 == 0 else 0)
        return item * item

    assert list(in_streams(slow_when_even, range(20), 3)) == [item * item for item in range(20)]


def test_streams_run_side_by_side():
    meeting = threading.Barrier(2, timeout=30)  # breaks unless two calls are under way at once
    assert len(list(in_streams(lambda _: meeting.wait(), range(6), 2))) == 6


def test_items_are_drawn_no_more_than_one_ahead_of_the_streams():
    drawn = []
    results = in_streams(lambda item: item, (drawn.append(i) or i for i in range(50)), 2)
    next(results)
    assert len(drawn) == 3


def test_each_stream_has_one_thread_and_the_caller_keeps_its_own():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert set(in_streams(lambda _: torch.get_num_threads(), range(8), 2)) == {1}
        assert torch.get_num_threads() == 2
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [2]
    finally:
        torch.set_num_threads(before)


def test_an_error_reaches_the_caller():
    def fail(item):
        raise OSError(f"item {item}")

    with pytest.raises(OSError, match="item 0"):
        list(in_streams(fail, range(5), 2))


def test_an_accelerator_has_one_stream():
    assert stream_count(torch.device("cuda")) == 1
    assert stream_count(torch.device("cpu")) == torch.get_num_threads()


def test_numbers_below_float32s_precision_are_zero_in_a_stream_alone():
    def product(_):
        return float(torch.tensor(1e-30) * torch.tensor(1e-10))

    assert list(in_streams(product, range(4), 2)) == [0.0] * 4
    assert product(None) > 0
