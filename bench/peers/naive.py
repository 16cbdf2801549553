"""A naive Pulumi program: the same objects in one stack, every option at its default (bench/programs/naive)."""

from bench.fleet import Fleet
from bench.peers.peer import Command
from bench.peers.project import Project
from local.paths import PROJECT


class Naive(Project):
    """What one writes first."""

    name = "naive"
    title = "a naive Pulumi program, one stack"
    largest = 200
    """It grows worse than linearly: the deadline cuts it off."""

    def prepare(self) -> None:
        """Make the stack."""
        self._make(PROJECT / "bench" / "programs" / "naive")

    def declare(self, fleet: Fleet) -> None:
        """One file a tenant, which the program reads."""
        fleet.write(self.home / "objects")

    def create(self) -> Command:
        """`pulumi up`."""
        return self._pulumi("up", "--yes")

    def no_op(self) -> Command:
        """The same."""
        return self._pulumi("up", "--yes")

    def change_one(self, tenant: str) -> Command:
        """The same: there is one stack."""
        return self._pulumi("up", "--yes")

    def drift_check(self) -> Command:
        """With its defaults."""
        return self._pulumi("refresh", "--preview-only")

    def repair(self, tenants: list[str]) -> Command:
        """`pulumi up` that looks at the cluster first."""
        return self._pulumi("up", "--yes", "--refresh")

    def delete_one(self, tenant: str) -> Command:
        """`pulumi up`, as the program declares it no more."""
        return self._pulumi("up", "--yes")
