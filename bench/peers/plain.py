"""Plain `pulumi up` of the real program, one stack, as its README says; it looks at the cluster on every run."""

from bench.fleet import Fleet
from bench.peers.peer import Command
from bench.peers.project import Project
from local.paths import PROJECT

_CATALOGUE = "tenants"


class Plain(Project):
    """Siteforge's program without its command line."""

    name = "pulumi"
    title = "plain `pulumi up` of Siteforge's program, one stack"
    largest = 200

    def prepare(self) -> None:
        """Make the stack."""
        self._make(PROJECT)
        self._run("pulumi", "config", "set", "siteforge:catalogue", _CATALOGUE)

    def declare(self, fleet: Fleet) -> None:
        """A catalogue: a folder, one file a tenant, as a fleet of thousands has it."""
        fleet.write_catalogue(self.home / _CATALOGUE)

    def create(self) -> Command:
        """`pulumi up`."""
        return self._up()

    def no_op(self) -> Command | None:
        """The same."""
        return self._up()

    def change_one(self, tenant: str) -> Command | None:
        """The same."""
        return self._up(tenant)

    def drift_check(self) -> Command:
        """With its defaults."""
        return self._pulumi("refresh", "--preview-only")

    def repair(self, tenants: list[str]) -> Command | None:
        """The same: every run of this program looks at the cluster first."""
        return self._up()

    def delete_one(self, tenant: str) -> Command | None:
        """The same."""
        return self._up()

    def _up(self, *tenants: str) -> Command:
        return self._pulumi("up", "--yes")
