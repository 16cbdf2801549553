"""When tenants were last backed up, asked for now and then: a store is slower than a cluster, and days are long."""

import time
from collections.abc import Iterable
from datetime import datetime

from siteforge.errors import BackupError
from siteforge.fleet import archives, places
from siteforge.fleet.places import Place

_SECONDS = 600.0
"""How long what was found holds."""


class Freshness:
    """The times of the newest complete backups.

    Args:
        place: where backups are.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._asked = -_SECONDS
        self._found: dict[str, float] = {}
        self._times: dict[str, float] = {}
        """Of each file that was looked into: they don't change."""

    def seconds(self, tenants: Iterable[str]) -> dict[str, float]:
        """By tenant, when it was last backed up, in seconds of Unix time; 0 for never.

        Raises:
            BackupError: it can't be found out. What was known before stays: it grows old, as it should.
        """
        wanted = list(tenants)
        if time.monotonic() - self._asked >= _SECONDS or not self._found.keys() >= {*wanted}:
            self._found = {tenant: self._newest(tenant) for tenant in wanted}
            self._asked = time.monotonic()
        return {tenant: self._found[tenant] for tenant in wanted}

    @property
    def last(self) -> dict[str, float]:
        """What was found last."""
        return self._found

    def _newest(self, tenant: str) -> float:
        # They are named by their times; the first that is complete is meant.
        for path in sorted(places.zips(self._place / tenant), key=str, reverse=True):
            if str(path) not in self._times:
                try:
                    about = archives.load(path).about
                    self._times[str(path)] = datetime.fromisoformat(about.time).timestamp()
                except BackupError:
                    continue
            return self._times[str(path)]
        return 0.0
