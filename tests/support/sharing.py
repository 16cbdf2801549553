"""One cluster for several processes of one run of the tests: the first prepares it, the last one stops it.

Each process that uses it holds a lock that others may hold as well; who gets it alone is the first or the last.
The kernel drops the lock of a process that dies.
"""

import contextlib
import fcntl
from collections.abc import Iterator

from local import cluster, workspace
from local.paths import STATE
from tests.support.stack import remove_leftovers

_STARTED_BY_TESTS = "started by tests"


@contextlib.contextmanager
def shared_cluster() -> Iterator[None]:
    """The local platform, with nothing left of an earlier run of the tests; stopped again if it was not running."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    with (STATE / "tests.lock").open("a+") as lock:
        if _alone(lock.fileno()):
            lock.truncate(0)
            if not cluster.running():
                lock.write(_STARTED_BY_TESTS)
                lock.flush()
            cluster.start()
            workspace.ensure()
            remove_leftovers()
        fcntl.flock(lock, fcntl.LOCK_SH)
        cluster.start()  # at once, unless the last of the others has stopped it while this process waited
        yield
        if _alone(lock.fileno()):
            lock.seek(0)
            if lock.read() == _STARTED_BY_TESTS:
                cluster.stop()


def _alone(lock: int) -> bool:
    """Hold the lock alone, if nobody else holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
