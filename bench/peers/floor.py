"""The floor: what the API server takes for the objects themselves, asked by a minimal client, many at once.

It remembers nothing and compares nothing; nobody would run a fleet with it, and nobody can be faster.
"""

import sys

from bench.fleet import Fleet
from bench.peers.peer import Command, Peer
from local.paths import PROJECT


class Floor(Peer):
    """Concurrent server-side apply, a wait by three watches; for drift the paginated LISTs alone."""

    name = "floor"
    title = "the floor: concurrent server-side apply, LISTs alone"
    largest = 5000

    def declare(self, fleet: Fleet) -> None:
        """One file a tenant."""
        fleet.write(self.home / "objects")

    def create(self) -> Command:
        """Apply all."""
        return self._floor("apply")

    def no_op(self) -> Command:
        """Apply all again."""
        return self._floor("apply")

    def change_one(self, tenant: str) -> Command:
        """Apply that one."""
        return self._floor("apply", tenant)

    def drift_check(self) -> Command:
        """One paginated LIST a kind; what is compared is nothing."""
        return self._floor("list")

    def repair(self, tenants: list[str]) -> Command:
        """Apply those."""
        return self._floor("apply", *tenants)

    def delete_one(self, tenant: str) -> Command:
        """Delete its Namespace."""
        return self._floor("delete", tenant)

    def _floor(self, work: str, *tenants: str) -> Command:
        return Command((sys.executable, "-m", "bench.floor", work, str(self.home / "objects"), *tenants), PROJECT)
