"""Where pods of the cluster reach servers of the tests."""

import socket

from tests.support.commands import kubectl


def reached_by_pods() -> str:
    """The address by which this machine and the cluster's node reach each other, and so its pods this machine."""
    node = kubectl("get", "node/siteforge", "-o", "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((node, 1))
        address: str = probe.getsockname()[0]
    return address
