"""A reference: `pulumi up` of an empty program, the least that any run of Pulumi takes."""

from bench.peers.peer import Command
from bench.peers.project import Project
from local.paths import PROJECT


class Empty(Project):
    """It declares nothing."""

    name = "empty"
    reference = True
    title = "reference: `pulumi up` of an empty program"

    def prepare(self) -> None:
        """Make the stack, and run it once: the first run has more to do."""
        self._make(PROJECT / "bench" / "programs" / "empty")
        self._run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")

    def no_op(self) -> Command:
        """Run it; no preview, whose work would be done twice."""
        return self._pulumi("up", "--yes", "--skip-preview")
