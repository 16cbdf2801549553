"""A steady load on a site: two visitors, one request each every tenth of a second at most."""

import http.client
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType

from tests.support.waiting import eventually

_PAUSE_SECONDS = 0.1
_VISITORS = 2
_MAXIMUM_SECONDS = 300.0
_FIRST_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Failed:
    """A request that was not answered with 200; seconds since the load began."""

    asked: float
    given_up: float
    why: str


class Load:
    """Requests the front page for as long as the `with` block runs, at most five minutes.

    The block begins once a visitor was answered: what happens in it happens to a site that was served before.
    """

    def __init__(self, address: str, path: str = "/", port: int = 80) -> None:
        self.address, self.path, self.port = address, path, port
        self.requests = 0
        self.failures: list[Failed] = []
        self._answered: list[float] = []
        self._started = self._ended = 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(_VISITORS)]

    def __enter__(self) -> "Load":
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()
        try:
            self.await_answer(_FIRST_ANSWER_SECONDS)
        except AssertionError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def await_answer(self, seconds: float = 60) -> None:
        """Wait until a visitor is answered from now on.

        Args:
            seconds: the deadline.
        """
        before = len(self._answered)
        try:
            eventually("a visitor's answer", lambda: len(self._answered) > before, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}{len(self.failures)} failed, the last: {self.failures[-3:]}") from None

    def _end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._ended = self._now()

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _visit(self) -> None:
        while not self._stop.is_set() and self._now() < _MAXIMUM_SECONDS:
            asked = self._now()
            try:
                connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status == 200:
                    self._answered.append(self._now())
                else:
                    self._failed(asked, str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self._failed(asked, repr(error))
            self.requests += 1
            self._stop.wait(_PAUSE_SECONDS)

    def _failed(self, asked: float, why: str) -> None:
        self.failures.append(Failed(asked, self._now(), why))

    @property
    def outage(self) -> float:
        """The longest time in seconds in which nobody got an answer, be it for failures or for waiting.

        It may reach from the load's start or to its end: a load that nobody answered was one outage.
        """
        times = [0.0, *sorted(self._answered), self._ended or self._now()]
        return max(later - earlier for earlier, later in pairwise(times))
