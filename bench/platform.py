"""The cluster of the benchmarks: beside the clone's own, of simulated nodes, made anew for each peer.

So every peer finds the same empty API server, and nothing of it is left at the end. Two things differ from the local
platform's clusters. Volumes are there before they are claimed: a storage driver with a rate limit of its own is not
what is measured. And tools have a user and a flow schema of their own, by which their requests are told apart.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from bench.kube import Api, collection
from bench.metrics import FLOW_SCHEMA
from local import cluster, paths
from local.cluster import layout, processes, report
from local.steps import Failure
from siteforge.specs.manifest import Manifest

NODES = 4

_SYSTEM = "kube-system"
_USER = "bench"
_TOKEN_SECONDS = 86400
_STORAGE_CLASS = "bench"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def kubeconfig() -> Path:
    """The kubeconfig that tools are given."""
    return paths.STATE / "kubeconfig"


def start(claims: Iterable[Manifest]) -> Api:
    """Make the cluster anew, with a volume for each of these claims; returns the administrator's client.

    Raises:
        Failure: it can't be made, or is not ready in time.
    """
    cluster.delete()
    cluster.start(simulated=True)
    cluster.nodes(simulated=NODES)
    api = Api(cluster.kubeconfig())
    _give_volumes(api, claims)
    _make_user(api)
    return api


def stop() -> None:
    """End it, and remove it with all its data.

    Raises:
        Failure: it does not end.
    """
    cluster.delete()


def control_plane() -> dict[str, int]:
    """The pids of its processes by name."""
    found = report.load(layout.outside())
    if found is None:
        raise Failure("the cluster of the benchmark has ended", fix=f"its logs are in {layout.outside().logs}")
    return {name: status.pid for name, status in found.programs.items() if status.pid}


def rates() -> dict[str, str]:
    """The client rates of the controllers, as they are started: they bound how fast anything gets ready."""
    known = cluster.current()
    assert known is not None
    flags: dict[str, str] = {}
    for row in processes.table(known, layout.outside(), started=0.0):
        for argument in row.argv:
            if argument.startswith("--kube-api-"):
                name, _, value = argument.removeprefix("--").partition("=")
                flags[f"{row.name} {name}"] = value
    return flags


def _give_volumes(api: Api, claims: Iterable[Manifest]) -> None:
    api.request(
        "PATCH",
        f"{collection('storage.k8s.io/v1', 'StorageClass')}/local-path",
        json.dumps({"metadata": {"annotations": {_DEFAULT_CLASS: "false"}}}).encode(),
        "application/merge-patch+json",
    )
    api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": _STORAGE_CLASS, "annotations": {_DEFAULT_CLASS: "true"}},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "Immediate",
        }
    )
    for claim in claims:
        namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
        spec = {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "claimRef": {"namespace": namespace, "name": name},
            "hostPath": {"path": "/nothing-is-mounted-on-a-simulated-node"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": _STORAGE_CLASS,
        }
        metadata = {"name": f"{namespace}-{name}"}
        api.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec})


def _make_user(api: Api) -> None:
    """An administrator by name, whom the API server counts apart, and who waits in none of its queues."""
    subject = {"kind": "ServiceAccount", "name": _USER, "namespace": _SYSTEM}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    schema = {
        "priorityLevelConfiguration": {"name": "exempt"},
        "matchingPrecedence": 2,
        "rules": [
            {
                "subjects": [
                    {"kind": "ServiceAccount", "serviceAccount": {"name": _USER, "namespace": _SYSTEM}},
                ],
                "resourceRules": [
                    {
                        "apiGroups": ["*"],
                        "clusterScope": True,
                        "namespaces": ["*"],
                        "resources": ["*"],
                        "verbs": ["*"],
                    }
                ],
                "nonResourceRules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
            }
        ],
    }
    account = {"name": _USER, "namespace": _SYSTEM}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    api.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _USER},
            "roleRef": role,
            "subjects": [subject],
        }
    )
    api.apply(
        {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
            "kind": "FlowSchema",
            "metadata": {"name": FLOW_SCHEMA},
            "spec": schema,
        }
    )
    target = f"{collection('v1', 'ServiceAccount', _SYSTEM)}/{_USER}/token"
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    answer = json.loads(api.request("POST", target, json.dumps(asked).encode()))
    _write_kubeconfig(answer["status"]["token"])


def _write_kubeconfig(token: str) -> None:
    known = json.loads(cluster.kubeconfig().read_text())
    known["users"][0]["user"] = {"token": token}
    kubeconfig().touch(mode=0o600)
    kubeconfig().write_text(json.dumps(known, indent=1))
