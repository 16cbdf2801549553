"""The objects that keep a fleet as its catalogue says, from in the cluster: a Deployment, or a Job over the cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siteforge.specs import owners, runner
from siteforge.specs.manifest import Manifest
from siteforge.specs.runner import Mount, Rule, Runner

PORT = 9464

_CONTAINER = "reconciler"
_STATE = "/var/lib/siteforge-state"
_STORAGE = "1Gi"

_RETRIES = 2
"""Of a cell that failed: after a pod that was killed, one removes its lock and one does the work."""
_LONGEST_SECONDS = 6 * 3600
"""Of all cells together: a round that hangs would keep all later ones from beginning."""
_FUTILE_EXIT_CODES = [2, 3]
"""A mistake in the catalogue, or too much drift at once: doing it again at once changes nothing."""

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

    runner: Runner
    lease: str
    """The name of what decides who acts."""
    options: tuple[str, ...]
    """Of the command `siteforge reconciler`."""
    replicas: int = 1
    backend: Backend = "volume"
    """Whether Pulumi's state is on a volume of its own, or where the Secret's key `backend` says."""
    rounds: Rounds | None = None
    """None for a Deployment. Several pods can't have one volume's state: only with the backend `secret`."""


def manifests(deployed: Deployed, rights: Sequence[Rule]) -> list[Manifest]:
    """All objects, in the order in which they have to be made.

    No right to make Roles of any content is among them: the API server lets nobody give what they don't have. Rounds of
    one cell need no leader, and so no lease.

    Args:
        deployed: how it is to run.
        rights: rules of a ClusterRole: what a run of this configuration needs.
    """
    own = deployed.runner
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    leases = [
        lease | {"verbs": ["create"]},
        lease | {"resourceNames": [deployed.lease], "verbs": ["get", "patch"]},
    ]
    return [
        *runner.common(own),
        *runner.granted(own, "ClusterRole", [*rights, *owners.rules()]),
        *([] if deployed.rounds else runner.granted(own, "Role", leases)),
        *([runner.claim(own, _STORAGE)] if deployed.backend == "volume" else []),
        *([_cron_job(deployed, deployed.rounds)] if deployed.rounds else [_service(own), _deployment(deployed)]),
    ]


def _service(own: Runner) -> Manifest:
    """Of all replicas: each tells its own metrics."""
    spec = {
        "clusterIP": "None",
        "selector": runner.labels(own),
        "ports": [{"name": "metrics", "port": PORT, "targetPort": "metrics"}],
    }
    return runner.object_of(own, "v1", "Service", spec=spec)


def _deployment(deployed: Deployed) -> Manifest:
    probe = {"httpGet": {"path": "/metrics", "port": "metrics"}, "timeoutSeconds": 5}
    serving = {
        "ports": [{"name": "metrics", "containerPort": PORT}],
        "readinessProbe": probe,
        "livenessProbe": probe | {"initialDelaySeconds": 30, "periodSeconds": 30, "failureThreshold": 4},
    }
    spec = {
        "replicas": deployed.replicas,
        # A volume of one node may not be wanted by two nodes at once.
        "strategy": {"type": "Recreate" if deployed.backend == "volume" else "RollingUpdate"},
        "selector": {"matchLabels": runner.labels(deployed.runner)},
        "template": _template(deployed, ("--listen", f"0.0.0.0:{PORT}"), serving),
    }
    return runner.object_of(deployed.runner, "apps/v1", "Deployment", spec=spec)


def _cron_job(deployed: Deployed, rounds: Rounds) -> Manifest:
    """Each index is a cell (kubernetes.io/docs/concepts/workloads/controllers/job): one that fails fails alone."""
    futile = {"containerName": _CONTAINER, "operator": "In", "values": _FUTILE_EXIT_CODES}
    # The index is in the pod's environment, which the Job controller sets.
    duty = ("--once", "--cell", "$(JOB_COMPLETION_INDEX)")
    job = {
        "completionMode": "Indexed",
        "completions": rounds.cells,
        "parallelism": rounds.workers,
        "backoffLimitPerIndex": _RETRIES,
        "activeDeadlineSeconds": _LONGEST_SECONDS,
        # Two pods of one index have one host name, by which Pulumi's locks are told apart.
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": futile}, runner.DISRUPTED]},
        "template": _template(deployed, duty, {}, restartPolicy="Never"),
    }
    return runner.cron_job(deployed.runner, rounds.schedule, job)


def _template(deployed: Deployed, duty: tuple[str, ...], more: Mapping[str, Any], **fields: Any) -> Manifest:
    backend: dict[str, Any] = {"value": f"file://{_STATE}"}
    mounts = [Mount("state", _STATE, {"persistentVolumeClaim": {"claimName": deployed.runner.name}})]
    if deployed.backend == "secret":
        backend = {"valueFrom": {"secretKeyRef": {"name": deployed.runner.name, "key": "backend"}}}
        mounts = []
    container = {
        "name": _CONTAINER,
        "args": [
            *("siteforge", "--log-level", "info", "reconciler", "--stack", deployed.runner.stack),
            *("--source", runner.SOURCE, *duty, *deployed.options),
        ],
        "env": [{"name": "PULUMI_BACKEND_URL", **backend}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "256Mi"},
            # A run of fifty new tenants takes 1,800 MiB (docs/performance.md).
            "limits": {"memory": "2560Mi", "ephemeral-storage": "2Gi"},
        },
        **more,
    }
    return runner.template(deployed.runner, container, mounts, **fields)
