"""The addresses of a cluster and the one link that joins it to the machine.

A cluster has a network namespace of its own, so none of the machine's ports or firewall rules is used. A veth pair
leads into it, and one route on the machine sends the cluster's /16 there: node, pods and Services (by their
ClusterIP) answer from the machine as they do from inside. There is no way out to the internet, on purpose:
the node has no default route, so a pod's attempt fails at once instead of hanging.
"""

import contextlib
import ipaddress
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.steps import Failure

_CANDIDATES = range(160, 224)
"""Second bytes to choose from: clear of the usual defaults of Kubernetes distributions and container engines."""

_UPLINK = "uplink"
"""The link's name inside the cluster."""


@dataclass(frozen=True)
class Network:
    """A /16 of 10.0.0.0/8 and how it is split.

    Args:
        second_byte: the N of 10.N.0.0/16.
    """

    second_byte: int

    @property
    def cidr(self) -> str:
        """All addresses of the cluster."""
        return f"10.{self.second_byte}.0.0/16"

    @property
    def pods(self) -> str:
        """The pods of the real node: 16 thousand addresses."""
        return f"10.{self.second_byte}.0.0/18"

    @property
    def services(self) -> str:
        """ClusterIPs: 16 thousand."""
        return f"10.{self.second_byte}.64.0/18"

    @property
    def simulated_pods(self) -> str:
        """The pods of simulated nodes; nothing answers there."""
        return f"10.{self.second_byte}.192.0/18"

    @property
    def kubernetes_service(self) -> str:
        """ClusterIP of the API server, always the range's first."""
        return f"10.{self.second_byte}.64.1"

    @property
    def machine(self) -> str:
        """The machine's end of the link."""
        return f"10.{self.second_byte}.128.1"

    @property
    def node(self) -> str:
        """The cluster's end of the link: the node, the API server (port 6443) and the DNS server (port 53)."""
        return f"10.{self.second_byte}.128.2"


def overlapping(cidr: str, routes: Iterable[Mapping[str, object]], own_device: str) -> str | None:
    """The device of a route that overlaps `cidr`, or None. The default route and `own_device` do not count.

    Args:
        routes: as `ip -json route show table all` prints them.
    """
    wanted = ipaddress.ip_network(cidr)
    for route in routes:
        destination, device = str(route.get("dst", "default")), str(route.get("dev", ""))
        if destination == "default" or device == own_device:
            continue
        try:
            network = ipaddress.ip_network(destination, strict=False)
        except ValueError:
            continue
        if network.version == 4 and network.prefixlen > 0 and network.overlaps(wanted):
            return device or str(route.get("type", "another route"))
    return None


def choose(identity: str, routes: list[Mapping[str, object]]) -> Network:
    """A free network: the search starts at a place that depends on the clone, so clones rarely meet.

    Raises:
        Failure: none of the candidates is free.
    """
    first = int(identity, 16)
    for offset in range(len(_CANDIDATES)):
        network = Network(_CANDIDATES[(first + offset) % len(_CANDIDATES)])
        if overlapping(network.cidr, routes, own_device="") is None:
            return network
    raise Failure(
        f"no free network for the cluster: this machine routes all of 10.{_CANDIDATES[0]}.0.0/16 "
        f"to 10.{_CANDIDATES[-1]}.0.0/16 elsewhere (a VPN?)",
        fix="see `ip route`; stop what owns these routes, or use a cluster of your own (README)",
    )


def routes() -> list[Mapping[str, object]]:
    """The machine's IPv4 routes, of all tables."""
    found: list[Mapping[str, object]] = json.loads(_run("ip", "-json", "-4", "route", "show", "table", "all") or "[]")
    return found


def device(identity: str) -> str:
    """Name of the machine's end of the link (at most 15 characters are allowed)."""
    return f"siteforge{identity}"


def connected(network: Network, identity: str) -> bool:
    """Whether the route into the cluster stands."""
    try:
        return f"dev {device(identity)} " in _run("ip", "-4", "route", "get", network.node) + " "
    except Failure:
        return False


def connect(network: Network, identity: str, pid: int) -> None:
    """Lay the link into the network namespace of process `pid` and the route to it; anew if it is half there."""
    name = device(identity)
    disconnect(identity)
    inside = ("nsenter", f"--net=/proc/{pid}/ns/net")
    _run("ip", "link", "add", name, "type", "veth", "peer", "name", _UPLINK, "netns", str(pid))
    _run(*inside, "ip", "address", "add", f"{network.node}/30", "dev", _UPLINK)
    _run(*inside, "ip", "link", "set", _UPLINK, "up")
    _run("ip", "address", "add", f"{network.machine}/30", "dev", name)
    _run("ip", "link", "set", name, "up")
    # `add`, not `replace`: if another clone took the same network a moment ago, this has to fail.
    # It comes last, as the route is what says that the link is complete.
    _run("ip", "route", "add", network.cidr, "via", network.node, "dev", name)


def disconnect(identity: str) -> None:
    """Remove the machine's end of the link, and with it the route; nothing if it is gone already."""
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["ip", "link", "delete", device(identity)], capture_output=True, check=False)


def _run(*argv: str) -> str:
    """Run a command and return what it prints.

    Raises:
        Failure: it refuses.
    """
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(
            f"`{' '.join(argv)}` failed: {done.stderr.strip()}",
            fix="run `make down` and start again; if it stays, see `ip link` and `ip route`",
        )
    return done.stdout
