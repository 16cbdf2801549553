"""Locks between processes: one works, the others wait and say for whom."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from local.steps import Failure, step

_WAIT_SECONDS = 3600.0
_POLL_SECONDS = 0.5


@contextlib.contextmanager
def held(path: Path, works: str) -> Iterator[None]:
    """Hold a lock file; the kernel drops the lock of a process that dies.

    Args:
        path: the file; its folder is made if it is missing.
        works: what its holder does, as in "builds etcd", for those who wait.

    Raises:
        Failure: another process has held it for an hour.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _try(file):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            with step(f"waiting for process {holder}, which {works} (its lock: {path})"):
                deadline = time.monotonic() + _WAIT_SECONDS
                while not _try(file):
                    if time.monotonic() > deadline:
                        raise Failure(
                            f"process {holder}, which {works}, has been at it for over an hour",
                            fix=f"see what it does; if it hangs, end it (kill {holder}) and run this again",
                        )
                    time.sleep(_POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
