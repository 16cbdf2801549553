"""Two runs of one stack at once: one of them proceeds, and the other says who does."""

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.faults import left_behind, recover, running
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """A stack of one tenant with simulated pods."""
    made = make_stack("once")
    made.configure("readiness", "fleet")
    made.catalogue(simulated.catalogue([simulated.tenant("e2e-once")]))
    made.up()
    return made


def locks(stack: Stack) -> list[Path]:
    return [*(stack.folder / "state" / ".pulumi" / "locks").rglob("*.json")]


def test_a_second_run_is_refused_and_told_who_holds_the_lock(stack: Stack) -> None:
    with running(stack) as first:
        eventually("the lock", lambda: locks(stack), seconds=30, poll=0.05)
        # It lives, and doesn't end before the others were refused.
        first.process.send_signal(signal.SIGSTOP)
        try:
            second = stack.up(check=False)
            # Nor does a recovery take it from somebody who lives.
            recovery = recover(stack, check=False)
            forced = recover(stack, "--force", check=False)
        finally:
            first.process.send_signal(signal.SIGCONT)
        assert first.wait() == 0, first.output
    assert second.code != 0
    assert f"(pid {first.process.pid})" in second.output
    for refused in (recovery, forced):
        assert refused.returncode == 1
        assert re.search(rf"in use: \w+@\S+, process {first.process.pid}, since .* nothing was changed", refused.stderr)
    assert set(stack.preview().counts) == {"unchanged"}


def test_never_do_two_runs_that_begin_together_both_proceed(stack: Stack) -> None:
    with running(stack) as one, running(stack) as other:
        codes = [one.wait(), other.wait()]
    # Each looks again after it has locked: in a dead heat both step back.
    assert codes.count(0) <= 1
    for code, run in zip(codes, (one, other), strict=True):
        assert code == 0 or "currently locked by" in run.output
    assert locks(stack) == []
    assert set(stack.preview().counts) == {"unchanged"}


def test_the_lock_of_a_killed_run_is_removed_by_recover_alone(stack: Stack) -> None:
    with running(stack) as first:
        eventually("the lock", lambda: locks(stack), seconds=30, poll=0.05)
        first.kill("engine")
        first.wait()
    plain = stack.up(check=False)
    assert plain.code != 0 and f"(pid {first.process.pid})" in plain.output
    assert "lock: removed" in recover(stack).stdout
    assert left_behind(stack) == []
