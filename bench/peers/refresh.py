"""A reference for drift checks: Pulumi's own, over the tenants that Siteforge made, as plain Pulumi takes too long."""

from bench.peers.peer import Command
from bench.peers.siteforge import Siteforge


class Refresh(Siteforge):
    """Siteforge makes them; Pulumi, with its defaults, compares."""

    name = "refresh"
    cell = 10**6
    """One stack: it is Pulumi that is measured."""
    title = "reference: `pulumi refresh --preview-only` of the tenants that Siteforge made"
    largest = 1000

    def no_op(self) -> None:
        """Siteforge's own row has it."""

    def change_one(self, tenant: str) -> None:
        """Siteforge's own row has it."""

    def drift_check(self) -> Command:
        """With its defaults."""
        return self._pulumi("refresh", "--preview-only")

    def repair(self, tenants: list[str]) -> None:
        """Siteforge's own row has it."""

    def delete_one(self, tenant: str) -> None:
        """Siteforge's own row has it."""
