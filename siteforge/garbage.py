"""Has Python look for garbage in cycles rarely: what a run or a look at a fleet makes lives to its end.

As it comes, Python looks after each 700 objects more, and at all there are again and again: half of the program's time
(the knob `garbage` of `make bench`), to free next to nothing in a process that lives for seconds.
"""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping

VARIABLE = "SITEFORGE_GARBAGE"
"""Set to anything, Python does as it comes."""

_OBJECTS = 50_000
"""Between two looks: tens of megabytes at most."""


def collect_rarely(environment: Mapping[str, str] = os.environ) -> None:
    """From now on it is rarely looked for. Best called before what takes its time to import."""
    if not environment.get(VARIABLE):
        gc.set_threshold(_OBJECTS, 20, 100)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without looking at all: with a fleet's objects in hand, it would walk a million values, and find no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
