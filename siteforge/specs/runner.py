"""What the objects have in common that run Siteforge in the cluster: names, rights, what it reads, the pod."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siteforge.specs.boundary import pod_security
from siteforge.specs.manifest import Manifest

USER = 10044
"""Whom no node has; the volume is given to this group."""

HOME = "/var/lib/siteforge"
"""The folder of the pod's own in which all that it needs is made anew."""

SOURCE = "/etc/siteforge/project"

DISRUPTED: Manifest = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
"""A rule of a Job's podFailurePolicy: a node that is drained is no failure of the work's."""

_RBAC = "rbac.authorization.k8s.io"
_SECRET = "/etc/siteforge/secret"
_GRACE_SECONDS = 120
"""A run of Pulumi ends after the operations under way, which wait for the cluster; a backup removes what it began."""
_LATEST_SECONDS = 300
"""A start that was missed by more is left out."""

Rule = Mapping[str, Sequence[str]]
"""Of a Role."""


@dataclass(frozen=True)
class Runner:
    """Who runs Siteforge, and for which project."""

    name: str
    """Of all its objects, and of the Secret with the passphrase, which isn't among them."""
    image: str
    stack: str
    namespace: str
    files: Mapping[str, str]
    """What it reads, by name: the catalogue, and what the stack's configuration says."""
    pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class Mount:
    """A volume of the pod's and where the container finds it."""

    name: str
    path: str
    source: Mapping[str, Any]
    read_only: bool = False


def common(runner: Runner) -> list[Manifest]:
    """The namespace, the account, and the ConfigMap with the project's files."""
    labels = {"app.kubernetes.io/part-of": "siteforge-fleet", **pod_security()}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": runner.namespace, "labels": labels}}
    return [
        namespace,
        object_of(runner, "v1", "ServiceAccount", automountServiceAccountToken=False),
        object_of(runner, "v1", "ConfigMap", name=f"{runner.name}-project", data=dict(runner.files)),
    ]


def labels(runner: Runner) -> dict[str, str]:
    """Those of all its objects, by which its pods are selected."""
    return {"app.kubernetes.io/name": runner.name, "app.kubernetes.io/part-of": "siteforge-fleet"}


def object_of(runner: Runner, version: str, kind: str, name: str = "", **fields: Any) -> Manifest:
    """An object of its own, with its name unless another is given."""
    metadata: dict[str, Any] = {"name": name or runner.name, "labels": labels(runner)}
    if not kind.startswith("Cluster"):
        metadata["namespace"] = runner.namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def granted(runner: Runner, kind: str, rules: Sequence[Rule]) -> Iterator[Manifest]:
    """A Role or ClusterRole with these rules, and its binding to the account."""
    account = {"kind": "ServiceAccount", "name": runner.name, "namespace": runner.namespace}
    yield object_of(runner, f"{_RBAC}/v1", kind, rules=[dict(rule) for rule in rules])
    yield object_of(
        runner,
        f"{_RBAC}/v1",
        f"{kind}Binding",
        roleRef={"apiGroup": _RBAC, "kind": kind, "name": runner.name},
        subjects=[account],
    )


def claim(runner: Runner, storage: str) -> Manifest:
    """A volume of its own."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return object_of(runner, "v1", "PersistentVolumeClaim", spec=spec)


def cron_job(runner: Runner, schedule: str, job: Manifest) -> Manifest:
    """A CronJob whose Jobs don't overlap.

    Args:
        runner: whose.
        schedule: when, as a CronJob takes it.
        job: the spec of its Jobs.
    """
    spec = {
        "schedule": schedule,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _LATEST_SECONDS,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": labels(runner)}, "spec": job},
    }
    return object_of(runner, "batch/v1", "CronJob", spec=spec)


def template(runner: Runner, container: Mapping[str, Any], mounts: Sequence[Mount] = (), **fields: Any) -> Manifest:
    """The template of its pods: restricted, in a project's folder that is made anew in each.

    Args:
        runner: whose.
        container: what the one container has besides: its name, `args`, `env`, `resources`, probes ...
        mounts: what it has besides its own folders, the project's files and the Secret.
        fields: what stands beside the containers.
    """
    mounted = [
        Mount("home", HOME, {"emptyDir": {}}),
        Mount("tmp", "/tmp", {"emptyDir": {}}),
        Mount("project", SOURCE, {"configMap": {"name": f"{runner.name}-project"}}, read_only=True),
        # Whoever may see the passphrase is the user of the pod, and nobody else of the node.
        Mount("secret", _SECRET, {"secret": {"secretName": runner.name, "defaultMode": 0o440}}, read_only=True),
        *mounts,
    ]
    security = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "serviceAccountName": runner.name,
        # The one workload that asks the API server.
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": security,
        "containers": [_container(runner, container, mounted)],
        "volumes": [{"name": one.name, **one.source} for one in mounted],
        **fields,
    }
    return {"metadata": {"labels": labels(runner)}, "spec": spec}


def _container(runner: Runner, container: Mapping[str, Any], mounts: Sequence[Mount]) -> Manifest:
    own = [
        {"name": "PULUMI_CONFIG_PASSPHRASE_FILE", "value": f"{_SECRET}/passphrase"},
        {"name": "SITEFORGE_SECRET_FILE", "value": f"{_SECRET}/secret"},
    ]
    return {
        **container,
        "image": runner.image,
        "imagePullPolicy": runner.pull_policy,
        "env": [*container["env"], *own],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": one.name, "mountPath": one.path, **({"readOnly": True} if one.read_only else {})} for one in mounts
        ],
    }
