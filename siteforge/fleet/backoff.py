"""Who failed is tried again later, and later each time: waiting for one that can't be ready costs others their turn."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 1800.0


@dataclass(frozen=True)
class _Failure:
    digest: str
    """What was wanted of the tenant when it failed."""
    times: int
    """How often in a row."""
    until: float


class Backoff:
    """Remembers who failed, as long as the same is wanted of them.

    Args:
        clock: tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, _Failure] = {}

    def note(self, tried: Mapping[str, str], failed: Collection[str]) -> None:
        """Take note of a run.

        Args:
            tried: whom it was about, and the digest of what was wanted of each; empty of one that was to go.
            failed: those of them that are not as wanted, for reasons of their own.
        """
        for name, digest in tried.items():
            before = self._failures.pop(name, None)
            if name in failed:
                times = before.times + 1 if before and before.digest == digest else 1
                wait = min(FIRST_SECONDS * 2 ** (times - 1), LONGEST_SECONDS)
                self._failures[name] = _Failure(digest, times, self._clock() + wait)

    def postponed(self, wanted: Mapping[str, str]) -> set[str]:
        """Who of these is not tried yet.

        Args:
            wanted: names and digests, as in `note`; who is wanted otherwise than before is tried at once.
        """
        now = self._clock()
        return {
            name
            for name, digest in wanted.items()
            if (known := self._failures.get(name)) and known.digest == digest and now < known.until
        }
