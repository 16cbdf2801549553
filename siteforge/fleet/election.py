"""Leader election: of several replicas, exactly one acts.

The rules are those of Kubernetes' own controllers (k8s.io/client-go/tools/leaderelection): a Lease names its holder;
whoever sees it unchanged for its duration, by a clock of its own, may take it; the holder renews it well before that
and stops acting at its renewal's deadline, which comes earlier. Each write names the version that was read, so that of
two who write at once one fails. Clocks of different machines are never compared, but have to run at about one speed.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from siteforge import log
from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import LEASE

_log = log.get(__name__)

_JITTER = 1.2


@dataclass(frozen=True)
class Timing:
    """In seconds; as client-go's defaults for kube-controller-manager."""

    lease: float = 15.0
    """So long, others leave a lease alone that they don't see renewed."""
    renewal: float = 10.0
    """So long after its last renewal, its holder acts."""
    retry: float = 2.0
    """Between two tries."""


@dataclass(frozen=True)
class _Seen:
    """A lease as it was, and when that was first seen, by the own clock."""

    spec: dict[str, Any]
    at: float


class Election:
    """One candidate.

    Args:
        cluster: where the lease is; its own connection, with a short deadline.
        name, namespace: the lease's.
        identity: who this is; no other candidate may have the same.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        namespace: str,
        identity: str,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster, self._name, self._namespace, self.identity = cluster, name, namespace, identity
        self._timing, self._clock = timing or Timing(), clock
        self.problem: ClusterError | None = None
        """Why the last attempt could not tell who has the lease."""
        self._seen: _Seen | None = None
        self._acts_until = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def leading(self) -> bool:
        """Whether this candidate may act now: told by the clock, so that a request that hangs can't prolong it."""
        return self._clock() < self._acts_until

    def start(self) -> None:
        """Stand for election, and stay in office, in a thread of its own until `end`."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="election")
        self._thread.start()

    def end(self) -> None:
        """Stand down: another candidate needn't wait until the lease has run out."""
        self._ended.set()
        if self._thread:
            self._thread.join()
        if self.leading:
            self._acts_until = 0.0
            try:
                self._release()
            except ClusterError as error:
                _log.warning("the lease could not be given back", error=str(error))

    def attempt(self) -> bool:
        """Try once to get the lease or to renew it; returns whether this candidate has it."""
        began, self.problem = self._clock(), None
        try:
            held = self._take()
        except ClusterError as error:
            self.problem = error
            _log.warning("the lease could not be taken or renewed", error=str(error))
            return False
        if held:
            # From before the request: others count from when they see it, which is later.
            self._acts_until = began + self._timing.renewal
        else:
            self._acts_until = 0.0
        return held

    def _run(self) -> None:
        led = False
        while not self._ended.is_set():
            self.attempt()
            if led != self.leading:
                led = self.leading
                _log.info("leading" if led else "not leading", identity=self.identity)
            self._ended.wait(self._timing.retry * random.uniform(1, _JITTER))  # noqa: S311 - no secret

    def _take(self) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        found = self._cluster.get(LEASE, self._name, self._namespace)
        if not found:
            wanted = self._spec(now, now, 0)
            body = {
                "apiVersion": LEASE.api_version,
                "kind": LEASE.name,
                "metadata": {"name": self._name},
                "spec": wanted,
            }
            self._cluster.create(LEASE, body, self._namespace)
            return True
        spec = found.get("spec") or {}
        if self._seen is None or self._seen.spec != spec:
            self._seen = _Seen(spec, self._clock())
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self.identity) and self._clock() < self._seen.at + _duration(spec, self._timing):
            return False
        changes = spec.get("leaseTransitions") or 0
        if holder == self.identity:
            wanted = self._spec(spec.get("acquireTime") or now, now, changes)
        else:
            wanted = self._spec(now, now, changes + 1)
        self._write(found, wanted)
        return True

    def _release(self) -> None:
        found = self._cluster.get(LEASE, self._name, self._namespace)
        spec = found.get("spec") or {}
        if spec.get("holderIdentity") == self.identity:
            self._write(found, {**spec, "holderIdentity": "", "leaseDurationSeconds": 1})

    def _write(self, found: dict[str, Any], spec: dict[str, Any]) -> None:
        version = found["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "spec": spec}
        self._cluster.patch(LEASE, self._name, body, self._namespace)

    def _spec(self, acquired: str, renewed: str, transitions: int) -> dict[str, Any]:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": round(self._timing.lease),
            "acquireTime": acquired,
            "renewTime": renewed,
            "leaseTransitions": transitions,
        }


def _duration(spec: dict[str, Any], timing: Timing) -> float:
    """What the holder asked for; it may be of another version than this candidate."""
    return float(spec.get("leaseDurationSeconds") or timing.lease)
