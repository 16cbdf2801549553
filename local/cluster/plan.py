"""What a start will make: the settings of the cluster, and the files that its programs read."""

import hashlib
import os
import socket
from dataclasses import replace
from pathlib import Path

from local import paths
from local.cluster import certificates, configuration, network, processes
from local.cluster.layout import NODE, Layout, identity, inside
from local.cluster.settings import Ports, Settings, save
from local.cluster.settings import write as write_file
from local.steps import Failure, say


def settle(known: Settings | None, programs: Path, simulated: bool | None, *, running: bool) -> Settings:
    """The settings with which to start.

    Args:
        known: those of the cluster that is there.
        programs: folder with the programs to use now.
        simulated: as `lifecycle.start` takes it.
        running: whether the cluster runs, so that its own addresses are in use rightly.

    Raises:
        Failure: not root; or the cluster that is there is of the other kind; or its network is taken.
    """
    if known is not None and simulated is not None and known.simulated != simulated:
        kinds = ("real", "simulated")
        raise Failure(
            f"this clone has a {kinds[known.simulated]} cluster, and a {kinds[simulated]} one is asked for",
            fix="delete it with its data first: make clean",
        )
    simulated = known.simulated if known is not None else bool(simulated)
    require_root(simulated)
    if not simulated:
        _refuse_hidden(paths.PROJECT, programs)
    if known is None:
        known = _fresh(simulated)
    if not running:
        known = _with_free_addresses(known, has_data=(paths.STATE / "cluster" / "etcd").exists())
    wanted = replace(known, identity=identity(paths.STATE), programs=str(programs), fingerprint="")
    return replace(wanted, fingerprint=_fingerprint(wanted))


def require_root(simulated: bool) -> None:
    """Make sure, before anything is built for it, that a real cluster can be.

    Raises:
        Failure: this is not root and the cluster is to be real.
    """
    if not simulated and os.geteuid() != 0:
        raise Failure(
            "a cluster with real pods needs root (network and mount namespaces, containerd)",
            fix="run it as root, or ask for simulated nodes, where pods are not real and no site will answer: "
            "SITEFORGE_SIMULATED=1 make up; or use a cluster of your own (README)",
        )


def write(layout: Layout, wanted: Settings) -> None:
    """Write everything that the supervisor and its programs read.

    Args:
        layout: the folders as this process sees them.
    """
    layout.home.mkdir(parents=True, exist_ok=True)
    # Volumes are open to every user inside a pod; outside, they are the owner's alone.
    layout.home.chmod(0o700)
    addresses = ["127.0.0.1", wanted.network.node, wanted.network.kubernetes_service]
    certificates.ensure(layout.certificates, certificates.wanted(NODE, addresses), layout.logs / "openssl.log")
    for name, text in configuration.files(wanted, seen(wanted, layout)).items():
        write_file(layout.configuration / name, text, mode=0o600)
    write_file(layout.kubeconfig, configuration.kubeconfig(wanted, layout, "admin"), mode=0o600)
    save(layout, wanted)


def seen(wanted: Settings, layout: Layout) -> Layout:
    """The folders as the programs will see them."""
    return layout if wanted.simulated else inside()


def _fresh(simulated: bool) -> Settings:
    own = identity(paths.STATE)
    # A simulated cluster never uses its network: nothing has to be free.
    chosen = network.choose(own, [] if simulated else network.routes())
    return Settings(own, chosen, Ports(), programs="", simulated=simulated)


def _with_free_addresses(known: Settings, *, has_data: bool) -> Settings:
    if known.simulated:
        ports = Ports(*(port if _is_free(port) else _free_port() for port in vars(known.ports).values()))
        return replace(known, ports=ports)
    taken = network.overlapping(known.network.cidr, network.routes(), network.device(known.identity))
    if taken is None:
        return known
    if has_data:
        # Certificates and the ClusterIPs of all Services are from this network.
        raise Failure(
            f"the cluster's network {known.network.cidr} is routed to {taken} on this machine now",
            fix="stop what uses it (see `ip route`), or make the cluster anew without its data: make clean, make up",
        )
    say(f"    the network {known.network.cidr} is routed to {taken}: another one is chosen")
    return replace(known, network=network.choose(known.identity, network.routes()))


def _refuse_hidden(*folders: Path) -> None:
    for folder in folders:
        if folder.resolve().is_relative_to("/run"):
            raise Failure(
                f"{folder} is below /run, which a real cluster has for itself",
                fix="move the clone, or set SITEFORGE_CACHE to a folder elsewhere",
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fingerprint(wanted: Settings) -> str:
    """Changes with every program, argument and configuration file."""
    layout = seen(wanted, Layout(paths.STATE, paths.STATE / "cluster" / "runtime"))
    total = hashlib.sha256()
    for name, text in sorted(configuration.files(wanted, layout).items()):
        total.update(f"{name}\0{text}\0".encode())
    for row in processes.table(wanted, layout, started=0.0):
        total.update("\0".join([os.path.realpath(row.argv[0]), *row.argv[1:]]).encode())
    return total.hexdigest()[:16]
