"""`kubectl apply --server-side` of all objects, then `kubectl wait`; with kubectl's own limits of its client."""

from bench import readiness
from bench.fleet import Fleet
from bench.peers.peer import Command, Peer

_WAIT = "kubectl wait --all-namespaces --selector=$0 --timeout=3600s"
_READY = " && ".join(
    (
        f"{_WAIT} deployment --for=condition=Available",
        f"{_WAIT} statefulset --for=jsonpath='{{.status.readyReplicas}}'=1",
        f"{_WAIT} endpointslice --for=jsonpath='{{.endpoints[0].conditions.ready}}'=true",
    )
)


class Kubectl(Peer):
    """What a script does."""

    name = "kubectl"
    title = "kubectl apply --server-side, kubectl wait"

    def declare(self, fleet: Fleet) -> None:
        """One file a tenant."""
        fleet.write(self.home / "objects")

    def create(self) -> Command:
        """Apply all, wait for all."""
        return self._apply("objects")

    def no_op(self) -> Command:
        """Apply all again."""
        return self._apply("objects")

    def change_one(self, tenant: str) -> Command:
        """Apply that one's file."""
        return self._apply(f"objects/{tenant}.json")

    def drift_check(self) -> Command:
        """Compare all; 1 says that something differs."""
        argv = ("kubectl", "diff", "--server-side", "--force-conflicts", "--filename=objects")
        return Command(argv, self.home, frozenset({0, 1}))

    def repair(self, tenants: list[str]) -> Command:
        """Apply all again: it does not know which."""
        return self._apply("objects")

    def delete_one(self, tenant: str) -> Command:
        """Delete its Namespace, as its file is gone with it."""
        return Command(("kubectl", "delete", "namespace", tenant), self.home)

    def _apply(self, files: str) -> Command:
        apply = f"kubectl apply --server-side --force-conflicts --filename={files}"
        return Command(("sh", "-c", f"{apply} && {_READY}", readiness.SELECTOR), self.home)
