"""The objects that back up a fleet by the clock, from in the cluster: a CronJob, onto a volume or into a bucket."""

from dataclasses import dataclass
from typing import Any, Final

from siteforge.specs import runner
from siteforge.specs.manifest import Manifest
from siteforge.specs.runner import Mount, Rule, Runner

RIGHTS: Final[tuple[Rule, ...]] = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    # A command in a pod is asked for by GET, as every WebSocket, and has to be allowed to be created all the same.
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
)
"""What a round of backups needs, in the namespace of every tenant."""

_LONGEST_SECONDS = 12 * 3600
"""A round that hangs would keep all later ones from beginning."""


@dataclass(frozen=True)
class Scheduled:
    """How backups are to be taken."""

    runner: Runner
    schedule: str
    """When, as a CronJob takes it."""
    options: tuple[str, ...]
    """Of the command `siteforge backup --all`."""
    folder: str | None
    """Where a volume of its own is mounted; None for a bucket, whose variables the Secret `NAME-bucket` has."""
    storage: str
    """The size of that volume, as Kubernetes writes it."""


def manifests(scheduled: Scheduled) -> list[Manifest]:
    """All objects, in the order in which they have to be made."""
    own = scheduled.runner
    return [
        *runner.common(own),
        *runner.granted(own, "ClusterRole", RIGHTS),
        *([runner.claim(own, scheduled.storage)] if scheduled.folder else []),
        runner.cron_job(own, scheduled.schedule, _job(scheduled)),
    ]


def _job(scheduled: Scheduled) -> Manifest:
    """One pod, once: a round that failed for one tenant is no reason to back up all others again."""
    own = scheduled.runner
    container: dict[str, Any] = {
        "name": "backup",
        "args": [
            *("siteforge", "--log-level", "info", "backup", "--all", "--stack", own.stack),
            *("--source", runner.SOURCE, *scheduled.options),
        ],
        # Backups need no state of Pulumi's: just what the stack's file of configuration says.
        "env": [{"name": "PULUMI_BACKEND_URL", "value": f"file://{runner.HOME}"}],
        # What goes into a bucket is put together in the pod first: of what size, only the sites know.
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "1Gi"},
            "limits": {"memory": "1Gi"},
        },
    }
    mounts = []
    if scheduled.folder:
        mounts = [Mount("backups", scheduled.folder, {"persistentVolumeClaim": {"claimName": own.name}})]
    else:
        container["envFrom"] = [{"secretRef": {"name": f"{own.name}-bucket"}}]
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": _LONGEST_SECONDS,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {"rules": [runner.DISRUPTED]},
        "template": runner.template(own, container, mounts, restartPolicy="Never"),
    }
