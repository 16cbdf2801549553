"""Bringing a stack back whose last run was killed, or whose state is broken.

Nothing is taken on faith: a lock is removed only if its engine is gone, a process is ended only if it has no
engine left, a broken state is kept beside the copy that takes its place, and what was under way is looked at
in the cluster. A last `pulumi up`, which reads the cluster first, makes all of it what the catalogue says.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from siteforge.errors import ClusterError, EngineError, UnsafeError
from siteforge.fleet import leftovers, locks, state, terminating, volumes
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.engine import Outcome, Run, Runner
from siteforge.fleet.kinds import BY_NAME
from siteforge.fleet.locks import Lock
from siteforge.fleet.project import Project, pulumi
from siteforge.fleet.state import Pending
from siteforge.names import namespace

_INTEGRITY = "snapshot integrity failure"
"""What Pulumi says of a state that is JSON and contradicts itself (pkg/backend/diy/state.go)."""


@dataclass(frozen=True)
class Recovery:
    """What has to be done for one stack, step by step.

    Args:
        project: the project and its stack.
        say: takes each line of what is found and done.
        force: whether to remove the lock of an engine on another machine, or one that can't be read.
    """

    project: Project
    say: Callable[[str], None]
    force: bool = False

    def perform(self) -> Outcome:
        """Do all of it.

        Raises:
            EngineError: an engine still runs, or may run elsewhere; no copy of a broken state is good; or Pulumi
                refuses.
            ClusterError: the cluster can't be asked, or a namespace that is being deleted stays.
            UnsafeError: it is another one than that of the stack's last run.
        """
        folder = state.backend(self.project)
        if folder is None:
            self.say("the state is not in a folder: its locks and copies are its backend's own (docs/faults.md)")
        held = [] if folder is None else self._dead_locks(folder)
        self._end_leftovers()
        for lock in held:
            lock.path.unlink(missing_ok=True)
            self.say(f"lock: removed ({lock})")
        if folder is not None:
            self._mend(folder)
        self._identify()
        self._settle()
        self._bind_again()
        return self._converge()

    def _dead_locks(self, folder: Path) -> list[Lock]:
        """The locks that nobody holds any more."""
        found = locks.locks(folder, self.project.name, self.project.stack)
        if not found:
            self.say("lock: none")
        for lock in found:
            holder = lock.holder()
            if holder == "running":
                raise EngineError(
                    f"the stack {self.project.stack} is in use: {lock}, still runs"
                    " - wait for it, or stop it with Ctrl-C; nothing was changed"
                )
            if holder != "gone" and not self.force:
                why = "whether it still runs can't be seen from here" if holder == "elsewhere" else "nobody knows whose"
                raise EngineError(
                    f"the stack {self.project.stack} is locked: {lock}; {why}"
                    " - make sure that it is gone, then add --force; nothing was changed"
                )
        return found

    def _end_leftovers(self) -> None:
        found = leftovers.leftovers(self.project.folder, self.project.stack)
        if not found:
            self.say("processes of a dead run: none")
            return
        self.say(f"processes of a dead run: ending {', '.join(map(leftovers.describe, found))}")
        if left := leftovers.end(found):
            names = ", ".join(map(leftovers.describe, left))
            raise EngineError(f"{names}: can't be ended - end them as the user whose they are, then run this again")

    def _mend(self, folder: Path) -> None:
        """Put a good copy in the place of a state that can't be read."""
        file = state.file(folder, self.project.name, self.project.stack)
        found = state.read(file)
        problem = found.problem or self._refused()
        if not problem:
            self.say(f"state: {found.resources} resources")
            return
        copies = state.copies(folder, self.project.name, self.project.stack)
        self.say(f"state: {file}: {problem}; its copies, the newest first:")
        for copy in copies:
            self.say(f"  {copy}")
        for copy in copies:
            if copy.problem:
                continue
            broken = state.restore(file, copy)
            self.say(f"state: took {copy.path}" + (f"; the broken one is now {broken}" if broken else ""))
            if not (refused := self._refused()):
                return
            self.say(f"state: Pulumi refuses that one ({refused})")
            file = state.file(folder, self.project.name, self.project.stack)
        raise EngineError(
            f"{file}: {problem}, and no copy of it is good - restore it from a backup of the folder, or take the"
            " tenants over into a new state with `siteforge adopt` (docs/adoption.md)"
        )

    def _refused(self) -> str:
        """Why Pulumi does not use the state, though it is JSON; empty if it does."""
        try:
            pulumi(self.project.folder, "stack", "--stack", self.project.stack)
        except EngineError as error:
            if _INTEGRITY in str(error):
                return str(error).splitlines()[0]
            raise
        return ""

    def _identify(self) -> None:
        """Make sure that the cluster is the stack's: in another one, a refresh would find nothing of it."""
        known = self.project.recorded_cluster()
        with self.project.cluster() as cluster:
            uid = cluster.uid()
            if known and uid != known:
                raise UnsafeError(
                    f"{cluster.server} (context {cluster.context}) is another cluster ({uid}) than that of the stack"
                    f" ({known}) - use the stack's kubeconfig or siteforge:context"
                )

    def _settle(self) -> None:
        """Look at what was under way, and clear it from the state."""
        stack = ("--stack", self.project.stack)
        exported = json.loads(pulumi(self.project.folder, "stack", "export", *stack))
        found = state.pending(exported)
        if not found:
            self.say("operations under way: none")
            return
        with self.project.cluster() as cluster:
            for operation in found:
                self.say(f"operation under way: {operation}: {_fate(operation, cluster)}")
        pulumi(self.project.folder, "stack", "import", *stack, stdin=json.dumps(state.settled(exported)))

    def _bind_again(self) -> None:
        """Wait for namespaces that are on their way out, and have the volumes that were kept bound again."""
        own = {
            namespace(spec.name)
            for spec in self.project.tenants
            if self.project.cells.stack(spec.name) == self.project.stack
        }
        with self.project.cluster() as cluster:
            if leaving := terminating.going(cluster, own):
                self.say(f"being deleted, and waited for: {', '.join(leaving)}")
                if held := terminating.await_gone(cluster, leaving):
                    raise ClusterError("\n".join([*map(str, held), "then run this again; no tenant was changed"]))
            exported = json.loads(pulumi(self.project.folder, "stack", "export", "--stack", self.project.stack))
            for line in volumes.reserve(cluster, exported, own, self.project.backups):
                self.say(line)

    def _converge(self) -> Outcome:
        self.say("reading the cluster and bringing it to what the catalogue says: pulumi up")
        return Runner(self.project).execute(Run(self.project.stack, (), confined=False), "up")


def _fate(operation: Pending, cluster: Cluster) -> str:
    """What came of an operation, as the cluster shows it, and what follows from that."""
    kind = BY_NAME.get(operation.manifest.get("kind", ""))
    if kind is None:
        return "nothing of the cluster's"
    metadata = operation.manifest["metadata"]
    there = cluster.get(kind, metadata["name"], metadata.get("namespace"))
    if operation.operation == "creating":
        # The provider creates by server-side apply, which takes an object over that is there.
        return "it is there, and is taken over" if there else "it is not there, and is made"
    if operation.operation == "deleting":
        return "it is still there, and is looked at again" if there else "it is gone"
    return "it is there, and is compared again" if there else "it is not there, and is made"
