"""Weaknesses, seeded one at a time into the manifests of a tenant: what a careless change could bring in."""

import copy
from collections.abc import Callable
from typing import Any

Manifests = dict[str, dict[str, Any]]
"""All objects of a tenant, by kind and name."""

SITE, DATA = "Deployment wordpress", "StatefulSet mariadb"


def _pod(manifests: Manifests, workload: str = SITE) -> dict[str, Any]:
    spec: dict[str, Any] = manifests[workload]["spec"]["template"]["spec"]
    return spec


def _container(manifests: Manifests, workload: str = SITE) -> dict[str, Any]:
    container: dict[str, Any] = _pod(manifests, workload)["containers"][0]
    return container


def _install(manifests: Manifests) -> dict[str, Any]:
    container: dict[str, Any] = _pod(manifests)["initContainers"][0]
    return container


def _security(**fields: Any) -> Callable[[Manifests], None]:
    """Fields of the container's security context; None removes one."""

    def weaken(manifests: Manifests) -> None:
        for field, value in fields.items():
            _put(_container(manifests)["securityContext"], field, value)

    return weaken


def _pod_field(field: str, value: Any, workload: str = SITE) -> Callable[[Manifests], None]:
    return lambda manifests: _put(_pod(manifests, workload), field, value)


def _pod_security(field: str, value: Any) -> Callable[[Manifests], None]:
    return lambda manifests: _put(_pod(manifests)["securityContext"], field, value)


def _container_field(field: str, value: Any, workload: str = SITE) -> Callable[[Manifests], None]:
    return lambda manifests: _put(_container(manifests, workload), field, value)


def _environment(name: str, **value: Any) -> Callable[[Manifests], None]:
    return lambda manifests: _container(manifests)["env"].append({"name": name, **value})


def _volume(**source: Any) -> Callable[[Manifests], None]:
    return lambda manifests: _pod(manifests)["volumes"].append({"name": "more", **source})


def _spec(which: str, field: str, value: Any) -> Callable[[Manifests], None]:
    return lambda manifests: _put(manifests[which]["spec"], field, value)


def _label(label: str, value: str | None) -> Callable[[Manifests], None]:
    def weaken(manifests: Manifests) -> None:
        (namespace,) = [one for one in manifests.values() if one["kind"] == "Namespace"]
        _put(namespace["metadata"]["labels"], f"pod-security.kubernetes.io/{label}", value)

    return weaken


def _without(which: str) -> Callable[[Manifests], None]:
    def weaken(manifests: Manifests) -> None:
        del manifests[which]

    return weaken


def _right(verbs: list[str], resources: list[str], groups: list[str] | None = None) -> Callable[[Manifests], None]:
    rule = {"apiGroups": [""] if groups is None else groups, "resources": resources, "verbs": verbs}
    return lambda manifests: manifests["Role owner"]["rules"].append(rule)


def _rule(which: str, direction: str, **rule: Any) -> Callable[[Manifests], None]:
    return lambda manifests: manifests[which]["spec"].setdefault(direction, []).append(rule)


def _put(into: dict[str, Any], field: str, value: Any) -> None:
    if value is None:
        into.pop(field)
    else:
        into[field] = value


def _drop(amount: str, kind: str) -> Callable[[Manifests], None]:
    return lambda manifests: _container(manifests)["resources"][kind].pop(amount)


def _quota(resource: str, value: str | None) -> Callable[[Manifests], None]:
    return lambda manifests: _put(manifests["ResourceQuota tenant"]["spec"]["hard"], resource, value)


def _internet(manifests: Manifests) -> dict[str, Any]:
    rules = manifests["NetworkPolicy wordpress"]["spec"]["egress"]
    (found,) = [peer for rule in rules for peer in rule["to"] if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"]
    block: dict[str, Any] = found["ipBlock"]
    return block


def _cluster_admin(manifests: Manifests) -> None:
    manifests["RoleBinding owner"]["roleRef"].update(kind="ClusterRole", name="cluster-admin")


def _token_volume(manifests: Manifests) -> None:
    source = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
    _pod(manifests)["volumes"].append({"name": "token", "projected": source})


def _shown_secret(manifests: Manifests) -> None:
    (volume,) = [one for one in _pod(manifests)["volumes"] if one["name"] == "secrets"]
    volume["secret"]["defaultMode"] = 0o444


def _unlimited_scratch(manifests: Manifests) -> None:
    (volume,) = [one for one in _pod(manifests)["volumes"] if one["name"] == "tmp"]
    volume["emptyDir"] = {}


def _elsewhere(namespace: str) -> Callable[[Manifests], None]:
    def weaken(manifests: Manifests) -> None:
        workload = copy.deepcopy(manifests[SITE])
        workload["metadata"]["namespace"] = namespace
        manifests["Deployment elsewhere"] = workload

    return weaken


_EVERYBODY: list[dict[str, Any]] = [{"namespaceSelector": {}}]

WEAKNESSES: dict[str, Callable[[Manifests], object]] = {
    # What a container may do.
    "capabilities are kept": _security(capabilities=None),
    "a capability is added": _security(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    "only some capabilities are dropped": _security(capabilities={"drop": ["NET_RAW"]}),
    "a container is privileged": _security(privileged=True),
    "privileges may be gained": _security(allowPrivilegeEscalation=True),
    "nothing is said of gaining privileges": _security(allowPrivilegeEscalation=None),
    "the root file system is writable": _security(readOnlyRootFilesystem=False),
    "nothing is said of the root file system": _security(readOnlyRootFilesystem=None),
    "an install container is privileged": lambda all_: _install(all_)["securityContext"].update(privileged=True),
    "/proc is not masked": _security(procMount="Unmasked"),
    "runs as root": _pod_security("runAsUser", 0),
    "a container runs as root": _security(runAsUser=0),
    "may run as root": _pod_security("runAsNonRoot", None),
    "runs as what the image says": _pod_security("runAsUser", None),
    "runs in the group of root": _pod_security("runAsGroup", 0),
    "volumes belong to the group of root": _pod_security("fsGroup", 0),
    "no seccomp profile": _pod_security("seccompProfile", None),
    "seccomp is off": _pod_security("seccompProfile", {"type": "Unconfined"}),
    "an unsafe sysctl": _pod_security("sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    "port 80 without the sysctl for it": _pod_security("sysctls", None),
    "the node's network": _pod_field("hostNetwork", True),
    "the node's processes": _pod_field("hostPID", True),
    "the node's memory": _pod_field("hostIPC", True),
    "one process namespace for all containers": _pod_field("shareProcessNamespace", True),
    "a port of the node": _container_field("ports", [{"containerPort": 80, "hostPort": 80}]),
    "a certain node": _pod_field("nodeName", "node-1"),
    "the node's root folder": _volume(hostPath={"path": "/"}),
    "the container runtime's socket": _volume(hostPath={"path": "/run/containerd/containerd.sock"}),
    "a volume of NFS": _volume(nfs={"server": "files.example.com", "path": "/"}),
    "scratch space without end": _unlimited_scratch,
    # Who it is, what it runs and takes.
    "a token of the API server": _pod_field("automountServiceAccountToken", True),
    "nothing is said of a token": _pod_field("automountServiceAccountToken", None),
    "the ServiceAccount gives tokens": lambda all_: _put(
        all_["ServiceAccount wordpress"], "automountServiceAccountToken", True
    ),
    "a token by a projected volume": _token_volume,
    "the namespace's default identity": _pod_field("serviceAccountName", None),
    "an identity that is not declared": _without("ServiceAccount mariadb"),
    "the tag latest": _container_field("image", "wordpress:latest"),
    "no tag": _container_field("image", "registry.example.com:5000/wordpress"),
    "a malformed digest": _container_field("image", "wordpress:6@sha256:30bff39330d1"),
    "no resources": _container_field("resources", None),
    "no limit of memory": _drop("memory", "limits"),
    "no request of cpu": _drop("cpu", "requests"),
    "no limit of ephemeral storage": _drop("ephemeral-storage", "limits"),
    "no readiness probe": _container_field("readinessProbe", None),
    "no liveness probe of the database": _container_field("livenessProbe", None, DATA),
    "a probe of another host": lambda all_: _container(all_)["readinessProbe"]["httpGet"].update(host="10.0.0.1"),
    # Secrets.
    "a password in the environment": _environment("WORDPRESS_DB_PASSWORD", value="hunter2"),
    "a token in the environment": _environment("SMTP_API_TOKEN", value="hunter2"),
    "a password in an address": _environment("CACHE", value="redis://admin:hunter2@cache:6379"),
    "a Secret in the environment": _environment(
        "PASS", valueFrom={"secretKeyRef": {"name": "wordpress", "key": "admin-password"}}
    ),
    "a whole Secret in the environment": _container_field("envFrom", [{"secretRef": {"name": "wordpress"}}]),
    "a password in an argument": lambda all_: _container(all_, DATA)["args"].append("--init-password=hunter2"),
    "a password in a ConfigMap": lambda all_: all_["ConfigMap wordpress"]["data"].update(DB_PASSWORD="hunter2"),
    "everybody in the pod can read the Secret": _shown_secret,
    # The boundary.
    "no policy that closes the network": _without("NetworkPolicy tenant"),
    "the closing policy leaves outgoing traffic": _spec("NetworkPolicy tenant", "policyTypes", ["Ingress"]),
    "the closing policy has an open rule": _rule("NetworkPolicy tenant", "ingress"),
    "every namespace may ask the database": _rule(
        "NetworkPolicy mariadb", "ingress", **{"from": _EVERYBODY, "ports": [{"port": 3306}]}
    ),
    "the site asks the metadata service": lambda all_: _internet(all_)["except"].remove("169.254.0.0/16"),
    "the site asks private addresses": lambda all_: _internet(all_).pop("except"),
    "the database asks the world": _rule("NetworkPolicy mariadb", "egress", to=[{"ipBlock": {"cidr": "::/0"}}]),
    "every port is open": _rule("NetworkPolicy wordpress", "ingress", **{"from": [{"podSelector": {}}]}),
    "a port of every node": _spec("Service wordpress", "type", "NodePort"),
    "a load balancer": _spec("Service wordpress", "type", "LoadBalancer"),
    "somebody else's address": _spec("Service wordpress", "externalIPs", ["8.8.8.8"]),
    "a Service of nobody": _spec("Service mariadb", "selector", {"app": "none"}),
    "a Service of all pods": _spec("Service mariadb", "selector", {"app.kubernetes.io/instance": "blog-aku"}),
    "no quota": _without("ResourceQuota tenant"),
    "no quota of pods": _quota("pods", None),
    "node ports in the quota": _quota("services.nodeports", "1"),
    "load balancers in the quota": _quota("services.loadbalancers", None),
    "no limit range": _without("LimitRange tenant"),
    "Pod Security is baseline": _label("enforce", "baseline"),
    "Pod Security is not enforced": _label("enforce", None),
    "Pod Security changes by itself": _label("enforce-version", "latest"),
    "a namespace of nobody": _without("Namespace blog-aku"),
    "pods in another namespace": _elsewhere("elsewhere"),
    "pods in the default namespace": _elsewhere("default"),
    "no disruption budget": _without("PodDisruptionBudget mariadb"),
    "a disruption budget that keeps nodes": _spec("PodDisruptionBudget mariadb", "maxUnavailable", 0),
    # Rights.
    "the right to everything": _right(["*"], ["*"], ["*"]),
    "the right to see secrets": _right(["get", "list"], ["secrets"]),
    "the right to run commands": _right(["create"], ["pods/exec"]),
    "the right to make pods": _right(["create"], ["pods"]),
    "the right to change workloads": _right(["patch"], ["deployments"], ["apps"]),
    "the right to change the quota": _right(["update"], ["resourcequotas"]),
    "the right to bind roles": _right(["bind"], ["roles"], ["rbac.authorization.k8s.io"]),
    "the right to be somebody else": _right(["impersonate"], ["users"]),
    "owners are administrators of the cluster": _cluster_admin,
    "everybody is an owner": lambda all_: all_["RoleBinding owner"]["subjects"].append(
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
    ),
    # What an API server drops or refuses.
    "a misspelled field": lambda all_: _container(all_)["securityContext"].update(readOnlyRootFileSystem=True),
    "a number where a text belongs": _environment("PORT", value=80),
}
