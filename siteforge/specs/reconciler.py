"""The objects that run Siteforge in the cluster: a Deployment, or a Job over the cells; its rights, what it reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siteforge.specs import owners
from siteforge.specs.boundary import pod_security
from siteforge.specs.manifest import Manifest

USER = 10044
"""Whom no node has; the volume is given to this group."""

PORT = 9464

_CONTAINER = "reconciler"
_RBAC = "rbac.authorization.k8s.io"
_HOME = "/var/lib/siteforge"
_STATE = "/var/lib/siteforge-state"
_SOURCE = "/etc/siteforge/project"
_SECRET = "/etc/siteforge/secret"
_GRACE_SECONDS = 120
"""A run of Pulumi ends after the operations under way, which wait for the cluster."""

_RETRIES = 2
"""Of a cell that failed: after a pod that was killed, one removes its lock and one does the work."""
_FUTILE_EXIT_CODES = [2, 3]
"""A mistake in the catalogue, or too much drift at once: doing it again at once changes nothing."""
_LATEST_SECONDS = 300
"""A start that was missed by more is left out."""

Backend = Literal["volume", "secret"]


@dataclass(frozen=True)
class Rounds:
    """Rounds of one cell each, begun by the clock, in the place of one reconciler that runs for ever."""

    cells: int
    """How many there are."""
    workers: int
    """Pods at once."""
    schedule: str
    """When, as a CronJob takes it."""


@dataclass(frozen=True)
class Deployed:
    """How it is to run."""

    image: str
    stack: str
    namespace: str
    name: str
    lease: str
    """The name of what decides who acts."""
    options: tuple[str, ...]
    """Of the command `siteforge reconciler`."""
    files: Mapping[str, str]
    """What it reads, by name: the catalogue, and what the stack's configuration says."""
    replicas: int = 1
    backend: Backend = "volume"
    """Whether Pulumi's state is on a volume of its own, or where the Secret's key `backend` says."""
    pull_policy: str = "IfNotPresent"
    rounds: Rounds | None = None
    """None for a Deployment. Several pods can't have one volume's state: only with the backend `secret`."""


def manifests(deployed: Deployed, rights: Sequence[Mapping[str, Sequence[str]]]) -> list[Manifest]:
    """All objects, in the order in which they have to be made.

    Args:
        deployed: how it is to run.
        rights: rules of a ClusterRole: what a run of this configuration needs.
    """
    return [
        _namespace(deployed),
        _object(deployed, "v1", "ServiceAccount", automountServiceAccountToken=False),
        *_rights(deployed, rights),
        _object(deployed, "v1", "ConfigMap", name=f"{deployed.name}-project", data=dict(deployed.files)),
        *([_claim(deployed)] if deployed.backend == "volume" else []),
        *([_cron_job(deployed, deployed.rounds)] if deployed.rounds else [_service(deployed), _deployment(deployed)]),
    ]


def _labels(deployed: Deployed) -> dict[str, str]:
    return {"app.kubernetes.io/name": deployed.name, "app.kubernetes.io/part-of": "siteforge-fleet"}


def _object(deployed: Deployed, version: str, kind: str, name: str = "", **fields: Any) -> Manifest:
    metadata: dict[str, Any] = {"name": name or deployed.name, "labels": _labels(deployed)}
    if not kind.startswith("Cluster"):
        metadata["namespace"] = deployed.namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _namespace(deployed: Deployed) -> Manifest:
    labels = {"app.kubernetes.io/part-of": "siteforge-fleet", **pod_security()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": deployed.namespace, "labels": labels}}


def _rights(deployed: Deployed, rights: Sequence[Mapping[str, Sequence[str]]]) -> Iterator[Manifest]:
    """No right to make Roles of any content: the API server lets nobody give what they don't have.

    Rounds of one cell need no leader, and so no lease.
    """
    account = {"kind": "ServiceAccount", "name": deployed.name, "namespace": deployed.namespace}
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    own = [
        lease | {"verbs": ["create"]},
        lease | {"resourceNames": [deployed.lease], "verbs": ["get", "patch"]},
    ]
    granted = {"ClusterRole": [*map(dict, rights), *owners.rules()]} | ({} if deployed.rounds else {"Role": own})
    for kind, rules in granted.items():
        yield _object(deployed, f"{_RBAC}/v1", kind, rules=rules)
        yield _object(
            deployed,
            f"{_RBAC}/v1",
            f"{kind}Binding",
            roleRef={"apiGroup": _RBAC, "kind": kind, "name": deployed.name},
            subjects=[account],
        )


def _claim(deployed: Deployed) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return _object(deployed, "v1", "PersistentVolumeClaim", spec=spec)


def _service(deployed: Deployed) -> Manifest:
    """Of all replicas: each tells its own metrics."""
    spec = {
        "clusterIP": "None",
        "selector": _labels(deployed),
        "ports": [{"name": "metrics", "port": PORT, "targetPort": "metrics"}],
    }
    return _object(deployed, "v1", "Service", spec=spec)


def _deployment(deployed: Deployed) -> Manifest:
    labels = _labels(deployed)
    return _object(
        deployed,
        "apps/v1",
        "Deployment",
        spec={
            "replicas": deployed.replicas,
            # A volume of one node may not be wanted by two nodes at once.
            "strategy": {"type": "Recreate" if deployed.backend == "volume" else "RollingUpdate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(deployed)},
        },
    )


def _cron_job(deployed: Deployed, rounds: Rounds) -> Manifest:
    """Each index is a cell (kubernetes.io/docs/concepts/workloads/controllers/job): one that fails fails alone."""
    labels = _labels(deployed)
    futile = {"containerName": _CONTAINER, "operator": "In", "values": _FUTILE_EXIT_CODES}
    job = {
        "completionMode": "Indexed",
        "completions": rounds.cells,
        "parallelism": rounds.workers,
        "backoffLimitPerIndex": _RETRIES,
        # Two pods of one index have one host name, by which Pulumi's locks are told apart.
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {"action": "FailIndex", "onExitCodes": futile},
                # A node that is drained is no failure of the cell's.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": {"metadata": {"labels": labels}, "spec": _pod(deployed) | {"restartPolicy": "Never"}},
    }
    spec = {
        "schedule": rounds.schedule,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _LATEST_SECONDS,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": labels}, "spec": job},
    }
    return _object(deployed, "batch/v1", "CronJob", spec=spec)


def _pod(deployed: Deployed) -> Manifest:
    mounts: dict[str, tuple[str, dict[str, Any]]] = {
        "home": (_HOME, {"emptyDir": {}}),
        "tmp": ("/tmp", {"emptyDir": {}}),
        "project": (_SOURCE, {"configMap": {"name": f"{deployed.name}-project"}}),
        # Whoever may see the passphrase is the user of the pod, and nobody else of the node.
        "secret": (_SECRET, {"secret": {"secretName": deployed.name, "defaultMode": 0o440}}),
    }
    if deployed.backend == "volume":
        mounts["state"] = (_STATE, {"persistentVolumeClaim": {"claimName": deployed.name}})
    return {
        "serviceAccountName": deployed.name,
        # The one workload that asks the API server.
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(deployed, {name: place for name, (place, _) in mounts.items()})],
        "volumes": [{"name": name, **volume} for name, (_, volume) in mounts.items()],
    }


def _container(deployed: Deployed, mounts: Mapping[str, str]) -> Manifest:
    backend: dict[str, Any] = {"value": f"file://{_STATE}"}
    if deployed.backend == "secret":
        backend = {"valueFrom": {"secretKeyRef": {"name": deployed.name, "key": "backend"}}}
    probe = {"httpGet": {"path": "/metrics", "port": "metrics"}, "timeoutSeconds": 5}
    serving = {
        "ports": [{"name": "metrics", "containerPort": PORT}],
        "readinessProbe": probe,
        "livenessProbe": probe | {"initialDelaySeconds": 30, "periodSeconds": 30, "failureThreshold": 4},
    }
    # Of a pod's environment, which the Job controller sets.
    duty = ("--once", "--cell", "$(JOB_COMPLETION_INDEX)") if deployed.rounds else ("--listen", f"0.0.0.0:{PORT}")
    read_only = {"project", "secret"}
    return {
        "name": _CONTAINER,
        "image": deployed.image,
        "imagePullPolicy": deployed.pull_policy,
        "args": [
            *("siteforge", "--log-level", "info", "reconciler", "--stack", deployed.stack),
            *("--source", _SOURCE, *duty, *deployed.options),
        ],
        "env": [
            {"name": "PULUMI_BACKEND_URL", **backend},
            {"name": "PULUMI_CONFIG_PASSPHRASE_FILE", "value": f"{_SECRET}/passphrase"},
            {"name": "SITEFORGE_SECRET_FILE", "value": f"{_SECRET}/secret"},
        ],
        **({} if deployed.rounds else serving),
        "resources": {
            "requests": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "256Mi"},
            # A run of fifty new tenants takes 1,800 MiB (docs/performance.md).
            "limits": {"memory": "2560Mi", "ephemeral-storage": "2Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": name, "mountPath": place, **({"readOnly": True} if name in read_only else {})}
            for name, place in mounts.items()
        ],
    }
