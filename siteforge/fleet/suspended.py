"""A suspended tenant's data, which no pod of its own has mounted."""

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.errors import BackupError, printable
from siteforge.fleet import pods
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.election import Election, Timing
from siteforge.fleet.execution import Container
from siteforge.fleet.kinds import POD
from siteforge.names import DATABASE, WORDPRESS
from siteforge.specs import suspended

LEASE: Final = "siteforge-backup"
"""Whoever has it, in the tenant's namespace, is the only one to back it up."""

_READY_SECONDS = 300.0
_GONE_SECONDS = 120.0
_POLL_SECONDS = 0.5


@contextmanager
def woken(cluster: Cluster, tenant: Blueprint) -> Iterator[tuple[Container, Container]]:
    """Pods with a tenant's data, for as long as the block runs: one with its files, and one with its database.

    Args:
        cluster: where it is.
        tenant: which is suspended, and has a database of its own.

    Raises:
        BackupError: it still runs, another backup of it is under way, or they don't get ready.
        ClusterError: the API server can't be asked, or refuses.
    """
    namespace, own = names.namespace(tenant.name), [suspended.name(role) for role in (DATABASE, WORDPRESS)]
    _check(cluster, tenant)
    with _alone(cluster, tenant):
        # Those of a backup that was killed: nobody has the lease that is renewed while there is one.
        pods.remove(cluster, namespace, own, _GONE_SECONDS)
        try:
            for pod in suspended.pods_of(tenant):
                cluster.create(POD, pod, namespace)
            deadline = time.monotonic() + _READY_SECONDS
            for name in own:
                _await(cluster, tenant, name, deadline)
            site, database = (Container(namespace, suspended.name(role), role) for role in (WORDPRESS, DATABASE))
            yield site, database
        finally:
            # Who resumes the tenant next finds its volumes free.
            pods.remove(cluster, namespace, own, _GONE_SECONDS)


def _check(cluster: Cluster, tenant: Blueprint) -> None:
    namespace = names.namespace(tenant.name)
    labels = ",".join(f"{key}={value}" for key, value in names.selector(tenant.name, DATABASE).items())
    if cluster.objects(POD, labels=labels, namespace=namespace):
        raise BackupError(
            f"{tenant.name}: the catalogue suspends it, and its database still runs - run `siteforge up` first"
        )


@contextmanager
def _alone(cluster: Cluster, tenant: Blueprint) -> Iterator[None]:
    """Without another backup of it at the same time; one that was killed is seen to be by the lease's duration."""
    timing = Timing()
    # Two processes of one machine are two candidates.
    election = Election(cluster, LEASE, names.namespace(tenant.name), f"{socket.gethostname()}_{uuid.uuid4()}", timing)
    deadline = time.monotonic() + timing.lease + 2 * timing.retry
    while not election.attempt():
        if time.monotonic() > deadline:
            under_way = f"{tenant.name}: another backup of it is under way - wait until that has ended"
            raise election.problem or BackupError(under_way)
        time.sleep(timing.retry)
    election.start()
    try:
        yield
    finally:
        election.end()


def _await(cluster: Cluster, tenant: Blueprint, name: str, deadline: float) -> None:
    """Wait until a pod is ready."""
    while True:
        pod = cluster.get(POD, name, names.namespace(tenant.name))
        conditions = {one["type"]: one for one in pod.get("status", {}).get("conditions", ())}
        if conditions.get("Ready", {}).get("status") == "True":
            return
        ended = pod.get("status", {}).get("phase") in (None, "Failed", "Succeeded")
        if ended or time.monotonic() > deadline:
            raise BackupError(f"{tenant.name}: pod/{name} did not get ready: {printable(_why(pod))} - see its image")
        time.sleep(_POLL_SECONDS)


def _why(pod: dict[str, Any]) -> str:
    """What Kubernetes says of a pod that isn't ready."""
    status = pod.get("status", {})
    states = (one.get("state", {}) for one in status.get("containerStatuses", ()))
    details = [state.get("waiting") or state.get("terminated") or {} for state in states]
    details += [one for one in status.get("conditions", ()) if one.get("status") == "False"]
    told = (detail.get("message") or detail.get("reason") for detail in [*details, status])
    return next((text for text in told if text), "it is gone" if not pod else "it does not say why")
