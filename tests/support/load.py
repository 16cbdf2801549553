"""A steady load on a site: two visitors, one request each every tenth of a second at most."""

import http.client
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType

_PAUSE_SECONDS = 0.1
_VISITORS = 2
_MAXIMUM_SECONDS = 300.0


@dataclass(frozen=True)
class Failed:
    """A request that was not answered with 200; seconds since the load began."""

    asked: float
    given_up: float
    why: str


class Load:
    """Requests the front page for as long as the `with` block runs, at most five minutes."""

    def __init__(self, address: str, path: str = "/") -> None:
        self.address, self.path = address, path
        self.requests = 0
        self.failures: list[Failed] = []
        self._answered: list[float] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(_VISITORS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        started = time.monotonic()
        while not self._stop.is_set() and time.monotonic() - started < _MAXIMUM_SECONDS:
            asked = time.monotonic() - started
            try:
                connection = http.client.HTTPConnection(self.address, 80, timeout=30)
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status == 200:
                    self._answered.append(time.monotonic() - started)
                else:
                    self._failed(started, asked, str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self._failed(started, asked, repr(error))
            self.requests += 1
            self._stop.wait(_PAUSE_SECONDS)

    def _failed(self, started: float, asked: float, why: str) -> None:
        self.failures.append(Failed(asked, time.monotonic() - started, why))

    @property
    def outage(self) -> float:
        """The longest time in seconds in which nobody got an answer, be it for failures or for waiting."""
        times = [0.0, *sorted(self._answered)]
        return max(later - earlier for earlier, later in pairwise(times))
