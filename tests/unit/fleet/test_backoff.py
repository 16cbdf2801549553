import pytest

from siteforge.fleet.backoff import FIRST_SECONDS, LONGEST_SECONDS, Backoff
from tests.support.clock import Clock

WANTED = {"blog-aku": "one", "blog-bea": "one"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waited(backoff: Backoff, clock: Clock) -> float:
    """After how many seconds it is due again, to the second."""
    began = clock.now
    while backoff.postponed(WANTED):
        clock.now += 1
    return clock.now - began


def test_who_fails_is_waited_for_twice_as_long_each_time_up_to_a_limit(clock: Clock) -> None:
    backoff, waits = Backoff(clock), []
    for _ in range(7):
        backoff.note(WANTED, {"blog-aku"})
        assert backoff.postponed(WANTED) == {"blog-aku"}
        waits.append(waited(backoff, clock))
    assert waits == [60, 120, 240, 480, 960, 1800, 1800]
    assert (waits[0], waits[-1]) == (FIRST_SECONDS, LONGEST_SECONDS)


def test_who_is_wanted_otherwise_is_tried_at_once_and_begins_anew(clock: Clock) -> None:
    backoff = Backoff(clock)
    for _ in range(3):
        backoff.note(WANTED, {"blog-aku"})
    changed = WANTED | {"blog-aku": "two"}
    assert backoff.postponed(changed) == set()
    backoff.note(changed, {"blog-aku"})
    assert backoff.postponed(changed) == {"blog-aku"}
    clock.now += FIRST_SECONDS
    assert backoff.postponed(changed) == set()


def test_a_success_forgets_all_failures_and_a_run_about_others_none(clock: Clock) -> None:
    backoff = Backoff(clock)
    backoff.note(WANTED, {"blog-aku"})
    backoff.note({"blog-bea": "one"}, ())
    assert backoff.postponed(WANTED) == {"blog-aku"}
    backoff.note(WANTED, ())
    assert backoff.postponed(WANTED) == set()
    backoff.note(WANTED, {"blog-aku"})
    assert waited(backoff, clock) == FIRST_SECONDS
