"""What people are told of work at work: the step, the whole, and the time to go."""

import pytest

from mitools.core.progress import (
    SURE_SECONDS,
    Tracker,
    clock,
    progress_bar,
    shown,
    silent,
    tell_state,
    tell_usual,
    tell_whole,
    uncounted,
)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Clock()


def test_the_time_to_go_is_that_of_the_whole(time):
    tracker = Tracker(time)
    tell_whole(tracker, "encoder 1 of 4", 0, 4)
    time.now = 10
    tell_whole(tracker, "encoder 2 of 4", 1, 4)
    assert tracker.seconds_to_go == pytest.approx(30)
    tracker("images", 50, 100)
    assert tracker.share == pytest.approx(1.5 / 4)
    assert tracker.seconds_to_go == pytest.approx(10 * (1 - 1.5 / 4) / (1.5 / 4))


def test_a_step_that_begins_anew_restarts_its_rate_and_not_the_clock_of_the_whole(time):
    tracker = Tracker(time)
    for step in range(2):
        tell_whole(tracker, f"pass {step + 1} of 2", step, 2)
        tracker("images", 0, 100)
        time.now += 5
        tracker("images", 100, 100)
        assert tracker.rate == pytest.approx(20)
    assert tracker.seconds == 10
    assert tracker.share == 1


def test_a_step_may_be_a_part_of_a_part(time):
    tracker = Tracker(time)
    tell_whole(tracker, "encoder 1 of 2", 0.5, 2, 0.25)
    tracker("layers", 1, 2)
    assert tracker.share == pytest.approx((0.5 + 0.125) / 2)


def test_work_that_was_done_before_does_not_count_for_the_rate(time):
    tracker = Tracker(time)
    tracker("images trained on", 800, 1000)
    time.now = 10
    tracker("images trained on", 900, 1000)
    assert tracker.rate == pytest.approx(10)
    assert tracker.seconds_to_go == pytest.approx(10)


def test_a_guess_is_not_told(time):
    tracker = Tracker(time)
    tracker("cells", 0, 10)
    time.now = SURE_SECONDS / 2
    tracker("cells", 1, 10)
    assert "not known yet" in tracker.times()
    assert "0:00:00" not in tracker.times()
    time.now = 2 * SURE_SECONDS
    assert "about 36 s to go" in tracker.times()


def test_where_work_stands_is_said_with_the_step(time):
    tracker = Tracker(time)
    tracker("images trained on", 0, 100)
    time.now = 1
    tracker("images trained on", 50, 100)
    tell_state(tracker, "epoch 1 of 2, loss 2.310")
    assert tracker.step() == "images trained on · 50 of 100 · 50/s · epoch 1 of 2, loss 2.310"


def test_a_step_of_one_thing_shows_no_count(time):
    tracker = Tracker(time)
    tracker("pca4: certificate", 0, 1)
    assert tracker.step() == "pca4: certificate"


def test_a_callers_own_function_is_told_of_steps_alone():
    told = []
    with shown(lambda *step: told.append(step)) as advance:
        tell_whole(advance, "encoder 1 of 2", 0, 2)
        tell_state(advance, "loss 1")
        advance("images", 1, 2)
    assert told == [("images", 1, 2)]


def test_nobody_is_told_where_nobody_looks(capsys):
    with progress_bar() as advance:
        advance("images", 1, 2)
    assert advance is silent
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "1 s"), (59.4, "59 s"), (60, "1:00 min"), (7260, "2:01 h")]
)
def test_seconds_as_people_read_them(seconds, text):
    assert clock(seconds) == text


def test_a_step_beside_others_says_that_its_time_is_its_own(time):
    tracker = Tracker(time)
    tracker("reading", 1, 2)
    tracker("encoding", 0, 100)
    time.now = 10
    tracker("encoding", 50, 100)
    assert tracker.times() == "50% of this step · 10 s gone · about 10 s to go in this step"


def test_reading_the_data_is_not_told_as_the_training(time):
    tracker = Tracker(time)
    with uncounted(tracker):
        tracker("reading digits", 0, 900)
        time.now = 9
        tracker("reading digits", 768, 900)
        assert tracker.times() == "85% of this step · 9 s gone · about 2 s to go in this step"
        tracker("reading digits", 900, 900)
        assert "ending" not in tracker.times()
    tracker("images trained on", 0, 100)
    tell_state(tracker, "loss 2.3")
    time.now = 19
    tracker("images trained on", 50, 100)
    assert tracker.times() == "50% · 19 s gone · about 10 s to go"
    tracker("images trained on", 100, 100)
    assert tracker.times() == "100% · 19 s gone · ending"


def test_work_after_what_was_counted_is_not_told_as_ending(time):
    tracker = Tracker(time)
    tell_whole(tracker, "encoder 1 of 1", 0, 1)
    tracker("metrics", 4, 4)
    time.now = 10
    with uncounted(tracker):
        tracker("drawing", 0, 1)
        assert tracker.times() == "10 s gone"
        tracker("a with b", 0, 10)
        time.now = 14
        tracker("a with b", 5, 10)
        assert tracker.times() == "50% of this step · 14 s gone · about 4 s to go in this step"


def test_work_of_unlike_steps_goes_by_the_time_that_it_usually_takes(time):
    tracker = Tracker(time)
    tell_usual(tracker, 480, "two idle cores")
    tracker("training", 10, 20)
    time.now = 60
    assert "about 7:00 min to go if the whole takes 8:00 min, as on two idle cores" in tracker.times()
    assert tracker.share == pytest.approx(60 / 480)
    time.now = 500
    tracker("measuring", 0, 10)
    time.now = 510
    tracker("measuring", 5, 10)
    assert "longer than the 8:00 min on two idle cores · about 10 s to go in this step" in tracker.times()
    assert tracker.share < 1
    tell_whole(tracker, "pair 1 of 2", 0, 2)
    tracker("steps", 10, 10)
    assert tracker.share < 1  # of the step alone
    tell_usual(silent, 480, "two idle cores")  # who shows nothing is told nothing
