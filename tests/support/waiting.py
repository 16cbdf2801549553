"""Waiting with a deadline, and saying what was waited for when it passes."""

import time
from collections.abc import Callable

from tests.support.commands import kubectl

_POLL_SECONDS = 0.3


def eventually(
    what: str,
    condition: Callable[[], object],
    *,
    seconds: float = 120,
    namespace: str = "",
    poll: float = _POLL_SECONDS,
) -> float:
    """Wait until `condition` holds, and return how many seconds that took.

    Args:
        what: what is waited for, for the message.
        condition: holds when it returns something true; an OSError or AssertionError counts as "not yet".
        seconds: the deadline.
        namespace: whose pods, events and logs the failure shows.
        poll: seconds between two looks.
    """
    started = time.monotonic()
    last: object = None
    while time.monotonic() - started < seconds:
        try:
            if last := condition():
                return time.monotonic() - started
        except (OSError, AssertionError) as error:
            last = error
        time.sleep(poll)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}; last seen: {last!r}\n{describe(namespace)}")


def describe(namespace: str) -> str:
    """The pods, events and last log lines of a namespace."""
    if not namespace:
        return ""
    pods = kubectl("get", "pods", "-n", namespace, "-o", "wide", check=False)
    events = kubectl("get", "events", "-n", namespace, "--sort-by=.lastTimestamp", check=False)
    parts = [pods, "\n".join(events.splitlines()[-15:])]
    for pod in kubectl("get", "pods", "-n", namespace, "-o", "name", check=False).split():
        logs = kubectl("logs", "-n", namespace, pod, "--all-containers", "--tail=15", check=False)
        parts.append(f"--- {pod}\n{logs}")
    return "\n".join(parts)
