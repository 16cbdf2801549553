"""The programs of a cluster as a table: how each is called, after which it starts, when it is ready."""

from dataclasses import dataclass
from pathlib import Path

from local.cluster import checks
from local.cluster.configuration import HELPER_IMAGE
from local.cluster.layout import NODE, SOURCE, Layout
from local.cluster.settings import Settings


@dataclass(frozen=True)
class Process:
    """One program that the supervisor runs.

    Args:
        name: also the name of its log.
        argv: program and arguments.
        after: names of those that must be ready before it starts.
        ready: asked after each start until it answers yes.
        once: whether the program ends by itself; it is ready when it has ended well.
    """

    name: str
    argv: tuple[str, ...]
    after: tuple[str, ...]
    ready: checks.Check
    once: bool = False


def table(settings: Settings, layout: Layout, started: float) -> tuple[Process, ...]:
    """The programs of a cluster.

    Args:
        layout: the one that the programs see; they run in its runtime folder.
        started: Unix time of the start, see `checks.node_ready`.
    """
    programs = Path(settings.programs)
    rows = _control_plane(settings, layout, programs)
    if not settings.simulated:
        rows += _node(settings, layout, programs, started)
    return (*rows, *_volumes(settings, layout, programs), _simulated_nodes(settings, layout, programs))


def _control_plane(settings: Settings, layout: Layout, programs: Path) -> tuple[Process, ...]:
    folder, configuration = layout.certificates, layout.configuration

    def controller(name: str, port: int, *flags: str) -> Process:
        kubeconfig = configuration / f"{name}.kubeconfig"
        argv = (
            str(programs / name),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--leader-elect=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            *flags,
        )
        # Started before the API server is ready it would end: its own rights are not there yet.
        return Process(name, argv, ("kube-apiserver",), checks.healthy(f"https://127.0.0.1:{port}/healthz"))

    return (
        Process(
            "etcd",
            (
                str(programs / "etcd"),
                "--name=siteforge",
                f"--data-dir={layout.home}/etcd",
                # Relative Unix sockets: no port, no other user, and no limit of 108 characters.
                "--listen-client-urls=unix://etcd.socket:0",
                "--advertise-client-urls=unix://etcd.socket:0",
                "--listen-peer-urls=unix://etcd-peer.socket:0",
                "--initial-advertise-peer-urls=unix://etcd-peer.socket:0",
                "--initial-cluster=siteforge=unix://etcd-peer.socket:0",
                "--auto-compaction-retention=1h",
                "--quota-backend-bytes=8589934592",
                "--log-level=warn",
            ),
            (),
            checks.listening(Path("etcd.socket:0")),
        ),
        Process(
            "kube-apiserver",
            (
                str(programs / "kube-apiserver"),
                "--etcd-servers=unix://etcd.socket:0",
                f"--bind-address={settings.address if settings.simulated else '0.0.0.0'}",
                f"--advertise-address={settings.network.node}",
                f"--secure-port={settings.ports.api}",
                f"--tls-cert-file={folder}/kube-apiserver.crt",
                f"--tls-private-key-file={folder}/kube-apiserver.key",
                f"--client-ca-file={folder}/authority.crt",
                f"--service-account-key-file={folder}/service-accounts.key",
                f"--service-account-signing-key-file={folder}/service-accounts.key",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-cluster-ip-range={settings.network.services}",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                "--allow-privileged=true",
                "--kubelet-preferred-address-types=InternalIP",
                f"--kubelet-certificate-authority={folder}/authority.crt",
                f"--kubelet-client-certificate={folder}/admin.crt",
                f"--kubelet-client-key={folder}/admin.key",
            ),
            ("etcd",),
            checks.api_ready(settings.server, folder),
        ),
        controller(
            "kube-controller-manager",
            settings.ports.controller_manager,
            f"--service-account-private-key-file={folder}/service-accounts.key",
            f"--root-ca-file={folder}/authority.crt",
            f"--cluster-signing-cert-file={folder}/authority.crt",
            f"--cluster-signing-key-file={folder}/authority.key",
            f"--flex-volume-plugin-dir={layout.runtime}/volume-plugins",
            "--use-service-account-credentials",
        ),
        controller("kube-scheduler", settings.ports.scheduler),
    )


def _node(settings: Settings, layout: Layout, programs: Path, started: float) -> tuple[Process, ...]:
    configuration, server = layout.configuration, settings.server
    return (
        Process(
            "containerd",
            ("/usr/bin/containerd", f"--config={configuration}/containerd.toml"),
            (),
            checks.listening(layout.containerd_socket),
        ),
        Process(
            "kubelet",
            (
                str(programs / "kubelet"),
                f"--config={configuration}/kubelet.json",
                f"--kubeconfig={configuration}/kubelet.kubeconfig",
                f"--root-dir={layout.home}/kubelet",
                f"--hostname-override={NODE}",
                f"--node-ip={settings.network.node}",
                "--node-labels=siteforge.dev/node=real",
            ),
            ("kube-apiserver", "containerd"),
            checks.node_ready(server, layout.certificates, NODE, started),
        ),
        Process(
            "kube-proxy",
            (str(programs / "kube-proxy"), f"--config={configuration}/kube-proxy.json", f"--hostname-override={NODE}"),
            ("kube-apiserver",),
            checks.healthy("http://127.0.0.1:10256/healthz"),
        ),
        Process(
            "coredns",
            (str(programs / "coredns"), "-conf", f"{configuration}/Corefile"),
            ("kube-apiserver",),
            checks.resolves(settings.network.node, "kubernetes.default.svc.cluster.local"),
        ),
    )


def _volumes(settings: Settings, layout: Layout, programs: Path) -> tuple[Process, ...]:
    configuration = layout.configuration
    return (
        Process(
            "volumes",
            (
                str(programs / "kubectl"),
                f"--kubeconfig={configuration}/admin.kubeconfig",
                "apply",
                "--server-side",
                "--force-conflicts",
                f"--filename={configuration}/volumes.json",
            ),
            ("kube-apiserver",),
            lambda: True,
            once=True,
        ),
        Process(
            "local-path-provisioner",
            (
                str(programs / "local-path-provisioner"),
                "start",
                f"--config={configuration}/local-path.json",
                "--configmap-name=local-path-config",
                "--service-account-name=local-path-provisioner-service-account",
                "--namespace=local-path-storage",
                f"--helper-image={HELPER_IMAGE}",
                f"--kubeconfig={configuration}/admin.kubeconfig",
                "--worker-threads=8",
            ),
            ("volumes",),
            lambda: True,
        ),
    )


def _simulated_nodes(settings: Settings, layout: Layout, programs: Path) -> Process:
    return Process(
        "kwok",
        (
            str(programs / "kwok"),
            f"--kubeconfig={layout.configuration}/admin.kubeconfig",
            f"--config={SOURCE}/kwok/stages.yaml",
            f"--config={SOURCE}/kwok/volume-helper.yaml",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            f"--cidr={settings.network.simulated_pods}",
            f"--node-ip={settings.network.node}",
        ),
        ("kube-apiserver",),
        lambda: True,
    )
