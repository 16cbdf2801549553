"""Somebody who writes on a site all the time, and remembers what the site acknowledged."""

import http.client
import itertools
import threading
import xml.parsers.expat
import xmlrpc.client
from types import TracebackType

from tests.support.site import Site

_PAUSE_SECONDS = 0.5
REFUSALS = (OSError, http.client.HTTPException, xmlrpc.client.Error, xml.parsers.expat.ExpatError)
"""How a post fails: no answer, an answer that is no XML-RPC, or one that says why."""


class Writer:
    """Publishes a post every half second at most, or at another pace, for as long as the `with` block runs.

    A post that is refused or not answered is no loss: nobody was told that it is there. It is counted, and the next
    one tried.
    """

    def __init__(self, site: Site, name: str = "writer", pause: float = _PAUSE_SECONDS) -> None:
        self.site, self.name, self._pause = site, name, pause
        self.acknowledged: set[str] = set()
        self.refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        for number in itertools.count(1):
            title = f"{self.name} {number}"
            try:
                self.site.post(title)
                self.acknowledged.add(title)
            except REFUSALS:
                self.refused += 1
            if self._stop.wait(self._pause):
                return

    def lost(self) -> set[str]:
        """What was acknowledged and isn't on the site."""
        return self.acknowledged - self.site.posts()
