"""A consumer's progress: what is a stall, and when its loop is late."""

from chassis.kafka.progress import LOOP_SECONDS, STALL_SECONDS, Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_batch_that_is_not_applied_in_time_is_a_stall_until_it_is() -> None:
    clock = Clock()
    progress = Progress("test", clock=clock)
    progress.begun("topic/0@1")
    clock.now = STALL_SECONDS + 1

    progress.lags(0)  # what is at hand lies before our position

    assert not progress.gets_on()
    progress.applied()
    assert progress.gets_on()


def test_records_that_are_not_fetched_are_a_stall_too() -> None:
    clock = Clock()
    progress = Progress("test", clock=clock)
    progress.lags(3)
    clock.now = STALL_SECONDS + 1
    progress.lags(3)

    assert not progress.gets_on()
    progress.lags(0)
    assert progress.gets_on()


def test_the_loop_is_late_after_two_minutes_without_a_turn() -> None:
    clock = Clock()
    progress = Progress("test", clock=clock)
    clock.now = LOOP_SECONDS + 1

    assert progress.loop_is_late
    progress.turned()
    assert not progress.loop_is_late


def test_a_batch_that_was_cut_off_is_at_hand_no_more_when_the_reading_begins_again() -> None:
    clock = Clock()
    progress = Progress("test", clock=clock)
    progress.begun("topic/0@1")
    clock.now = STALL_SECONDS + 1

    progress.anew()

    assert not progress.gets_on(), "its records still wait"
    progress.lags(0)
    assert progress.gets_on()
