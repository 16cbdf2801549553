"""Pods that make way: for new ones of their controller, or for nothing."""

import time
from collections.abc import Collection

from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import POD

_POLL_SECONDS = 0.5


def remove(cluster: Cluster, namespace: str, names: Collection[str], seconds: float) -> None:
    """Delete pods, and wait until they are gone, though not for ever.

    Args:
        cluster, namespace: where they are.
        names: theirs; one that isn't there is gone.
        seconds: how long to wait at most.

    Raises:
        ClusterError: the API server can't be asked, or refuses.
    """
    for name in names:
        cluster.delete(POD, name, namespace)
    deadline = time.monotonic() + seconds
    while any(cluster.get(POD, name, namespace) for name in names) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
