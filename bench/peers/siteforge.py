"""Siteforge: `siteforge up` and `siteforge drift`."""

from bench.fleet import Fleet
from bench.peers.peer import Command
from bench.peers.plain import Plain

_CELL = 25
"""Tenants a cell, as docs/cells.md advises."""

_SETTINGS = {"deletionProtection": "false", "removablePercent": "100"}
"""Tenants may be removed, as other tools remove theirs."""


class Siteforge(Plain):
    """Its command line, over cells."""

    name = "siteforge"
    title = f"Siteforge: `siteforge up`, `siteforge status`, `siteforge drift`, cells of {_CELL} tenants"
    largest = 5000
    cell = _CELL
    readiness = "fleet"
    """Who waits for it: `fleet` for all tenants at once, `pulumi` for each object."""
    options: tuple[str, ...] = ()
    """Of `siteforge up`."""

    def prepare(self) -> None:
        """Make the stack of the first cell."""
        super().prepare()
        for key, value in {**_SETTINGS, "readiness": self.readiness}.items():
            self._run("pulumi", "config", "set", f"siteforge:{key}", value)
        self._cells = 1

    def declare(self, fleet: Fleet) -> None:
        """A catalogue, and once the cells for its size, which have nothing to move yet."""
        super().declare(fleet)
        cells = -(-fleet.size // self.cell)
        if new := [f"bench-{number}" for number in range(self._cells, cells)]:
            self._run("siteforge", "cells", "add", *new, "--stack", "bench")
            self._cells = cells

    def status(self) -> Command:
        """`siteforge status`, of the whole catalogue."""
        return Command(("siteforge", "status", "--stack", "bench"), self.home)

    def drift_check(self) -> Command:
        """`siteforge drift`; 3 says that something differs."""
        return Command(("siteforge", "drift", "--stack", "bench"), self.home, frozenset({0, 3}))

    def repair(self, tenants: list[str]) -> Command | None:
        """It finds them itself."""
        return Command(("siteforge", "up", "--stack", "bench", "--drifted", *self.options), self.home)

    def _up(self, *tenants: str) -> Command:
        """It finds out by itself what there is to do."""
        return Command(("siteforge", "up", "--stack", "bench", *self.options), self.home)
