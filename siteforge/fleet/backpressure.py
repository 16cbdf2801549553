"""Back-pressure: a run is held back while too many tenants of the runs before it are not ready yet.

A cluster makes objects faster than it starts pods and binds their volumes. Pods that wait are tried again and again by
its scheduler, with an event each time, and that makes everything dearer for everybody: of 5,000 tenants at once, a tool
that only applies had them ready at 0.6 of its speed of 500 (docs/performance.md).
"""

import threading
from collections.abc import Callable, Collection
from types import TracebackType

from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError
from siteforge.fleet import readiness
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.readiness import Patience, Waiting
from siteforge.names import namespace

MOST = 200
"""Tenants that may be waited for when a run begins. Fewer would not keep a cluster busy whose pods take a minute."""

_PATIENCE_SECONDS = 30.0
"""After so long without anybody becoming ready, those who are waited for are not waited for any more."""

_LOOK_SECONDS = 1.0


class Backpressure:
    """Knows who is late, while it is entered; what it can't see holds nobody back.

    Args:
        cluster: where the tenants are.
        tenants: those of all runs; up to MOST of them need no holding back, and nothing is watched.
    """

    def __init__(self, cluster: Cluster, tenants: Collection[Blueprint]) -> None:
        self._cluster, self._wanted = cluster, readiness.needed(tenants) if len(tenants) > MOST else {}
        self._made: set[str] = set()
        """Namespaces of tenants whose run has ended, and that were not seen ready since."""
        self._patience = Patience(_PATIENCE_SECONDS, len(self._made))
        self._lock, self._ended = threading.Condition(), False
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> "Backpressure":
        if self._wanted:
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended = True

    def made(self, names: Collection[str]) -> None:
        """Take note of tenants whose run has ended: they are to become ready."""
        with self._lock:
            self._made |= {namespace(name) for name in names}
            self._patience = Patience(_PATIENCE_SECONDS, len(self._made))

    def hold(self, stopping: Callable[[], bool]) -> None:
        """Return when a run may begin: when few enough are waited for, or it is time to give up on them.

        Args:
            stopping: whether to return at once; asked each second.
        """
        with self._lock:
            while self._watcher and len(self._made) > MOST and not stopping():
                if self._patience.over:
                    self._made.clear()
                    return
                self._lock.wait(_LOOK_SECONDS)

    def _watch(self) -> None:
        try:
            readiness.watch(self._cluster, self._wanted, self._see)
        except ClusterError:
            # Whoever waits for the tenants at the end will say so.
            with self._lock:
                self._watcher = None

    def _see(self, waiting: Waiting) -> bool:
        with self._lock:
            late = self._made & waiting.unready
            if self._patience.see(len(late)):
                self._made = late
                self._lock.notify_all()
        return self._ended
