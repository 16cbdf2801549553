"""What a container may do: Pod Security Standards "restricted", and what it leaves open."""

from collections.abc import Iterator

from . import manifests
from .manifests import Manifest
from .rules import ObjectRule


def _not_root(manifest: Manifest) -> Iterator[str]:
    pod = manifests.security(manifests.pod(manifest))
    for container in manifests.containers(manifest):
        effective = {**pod, **manifests.security(container)}
        if effective.get("runAsNonRoot") is not True:
            yield f"{manifests.named(container)} may run as root: runAsNonRoot is {effective.get('runAsNonRoot')}"
        if not effective.get("runAsUser"):
            user = effective.get("runAsUser")
            yield f"{manifests.named(container)} runs as its image says, or as root: runAsUser is {user}"
        if effective.get("runAsGroup") == 0:
            yield f"{manifests.named(container)} runs in the group of root"
    if 0 in (pod.get("fsGroup"), *(pod.get("supplementalGroups") or ())):
        yield "its volumes belong to the group of root"


def _unprivileged(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        security = manifests.security(container)
        if security.get("privileged"):
            yield f"{manifests.named(container)} is privileged"
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{manifests.named(container)} may gain privileges: allowPrivilegeEscalation is not false"
        if security.get("procMount") not in (None, "Default"):
            yield f"{manifests.named(container)} sees an unmasked /proc"


def _no_capabilities(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        capabilities = manifests.security(container).get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            yield f"{manifests.named(container)} keeps capabilities: drop is {list(capabilities.get('drop') or ())}"
        if added := capabilities.get("add"):
            yield f"{manifests.named(container)} adds capabilities: {', '.join(added)}"


def _system_calls_filtered(manifest: Manifest) -> Iterator[str]:
    pod = manifests.security(manifests.pod(manifest))
    for container in manifests.containers(manifest):
        effective = {**pod, **manifests.security(container)}
        kind = (effective.get("seccompProfile") or {}).get("type")
        if kind not in ("RuntimeDefault", "Localhost"):
            yield f"{manifests.named(container)} has no seccomp profile: {kind}"
        if (effective.get("appArmorProfile") or {}).get("type") == "Unconfined":
            yield f"{manifests.named(container)} is not confined by AppArmor"


def _root_file_system_read_only(manifest: Manifest) -> Iterator[str]:
    for container in manifests.containers(manifest):
        if manifests.security(container).get("readOnlyRootFilesystem") is not True:
            yield f"{manifests.named(container)} can write to its root file system"


def _away_from_the_node(manifest: Manifest) -> Iterator[str]:
    pod = manifests.pod(manifest)
    for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(field):
            yield f"{field} is true"
    for container in manifests.containers(manifest):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"{manifests.named(container)} takes the node's port {port['hostPort']}"
    if pod.get("nodeName"):
        yield f"goes past the scheduler to the node {pod['nodeName']}"


_SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_syncookies",
    }
)
"""Those that Pod Security Standards let through."""


def _safe_sysctls(manifest: Manifest) -> Iterator[str]:
    for sysctl in manifests.security(manifests.pod(manifest)).get("sysctls") or ():
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield f"sets the unsafe sysctl {sysctl.get('name')}"


_VOLUMES = ("configMap", "downwardAPI", "emptyDir", "projected", "secret", "csi", "persistentVolumeClaim", "ephemeral")


def _volumes(manifest: Manifest) -> Iterator[str]:
    for volume in manifests.pod(manifest).get("volumes") or ():
        name, kinds = volume.get("name"), volume.keys() - {"name"}
        for kind in kinds - set(_VOLUMES):
            yield f"volume {name} is a {kind}"
        if "emptyDir" in kinds and not (volume["emptyDir"] or {}).get("sizeLimit"):
            yield f"volume {name} has no sizeLimit: it may fill the node's disk"
        if "secret" in kinds and ((volume["secret"] or {}).get("defaultMode") or 0o644) & 0o007:
            yield f"volume {name} shows its secret to everybody in the pod: defaultMode"


_LOW_PORTS = "net.ipv4.ip_unprivileged_port_start"


def _ports_without_root(manifest: Manifest) -> Iterator[str]:
    sysctls = manifests.security(manifests.pod(manifest)).get("sysctls") or ()
    lowest = min((int(one["value"]) for one in sysctls if one.get("name") == _LOW_PORTS), default=1024)
    for container in manifests.containers(manifest):
        for port in container.get("ports") or ():
            if (number := port.get("containerPort", lowest)) < lowest:
                yield f"{manifests.named(container)} can't listen on port {number} without root or {_LOW_PORTS}"


RULES: tuple[ObjectRule, ...] = (
    ObjectRule("not-root", "set runAsNonRoot, and a runAsUser that is not 0", _not_root),
    ObjectRule("unprivileged", "no container is privileged or becomes so", _unprivileged),
    ObjectRule("no-capabilities", "drop ALL capabilities and add none", _no_capabilities),
    ObjectRule("system-calls-filtered", "set the seccomp profile RuntimeDefault", _system_calls_filtered),
    ObjectRule("root-file-system-read-only", "set readOnlyRootFilesystem", _root_file_system_read_only),
    ObjectRule("away-from-the-node", "no namespace, port or choice of the node", _away_from_the_node),
    ObjectRule("safe-sysctls", "only sysctls that are safe", _safe_sysctls),
    ObjectRule("volumes", "only volumes that stay in the namespace, bounded, their secrets for one group", _volumes),
    ObjectRule("ports-without-root", "a port that needs no root", _ports_without_root),
)
