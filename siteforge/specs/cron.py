"""A tenant's scheduled work: a CronJob that asks the site for it, so that it depends on no visitor.

See docs/adr/0018-scheduled-work.md.
"""

import hashlib
from typing import Any

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.names import CRON, WORDPRESS
from siteforge.specs import pods, wordpress
from siteforge.specs.manifest import Manifest, manifest

_FILES = ("cron.php", "site.json", "site.php")
_SECONDS = 660
"""A minute more than scripts/cron.php waits."""

_LATEST_SECONDS = 120
"""A start that was missed by more is left out; the next is not far."""


def cron_job(tenant: Blueprint) -> Manifest:
    """The CronJob; one run at a time, and none while the tenant is suspended."""
    spec = {
        "schedule": schedule(tenant.name, tenant.site.cron_minutes),
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _LATEST_SECONDS,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "suspend": tenant.suspended,
        "jobTemplate": {
            "spec": {
                # What failed is due at the next run.
                "backoffLimit": 0,
                "activeDeadlineSeconds": _SECONDS,
                "template": {"metadata": {"labels": names.cron_selector(tenant.name)}, "spec": pod(tenant)},
            }
        },
    }
    labels = names.role_labels(tenant.name, WORDPRESS)
    return manifest("batch/v1", "CronJob", tenant.name, CRON, labels, spec=spec)


def schedule(tenant: str, minutes: int) -> str:
    """When a tenant's work is done: every so many minutes, from a minute of its own on, so that a fleet is spread.

    Args:
        tenant: its name.
        minutes: a divisor of 60.
    """
    first = int.from_bytes(hashlib.sha256(tenant.encode()).digest()[:4]) % minutes
    return f"{first}{'' if minutes == 60 else f'-59/{minutes}'} * * * *"


def pod(tenant: Blueprint) -> dict[str, Any]:
    """The pod: PHP with one file, no volume, no password; on whatever node has room."""
    return {
        "restartPolicy": "Never",
        "serviceAccountName": WORDPRESS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(wordpress.USER_ID),
        "terminationGracePeriodSeconds": 5,
        "containers": [
            {
                "name": "cron",
                "image": tenant.site.image,
                "imagePullPolicy": tenant.pull_policy,
                "command": ["php", f"{wordpress.SCRIPTS_FOLDER}/cron.php"],
                "resources": pods.resources(pods.little(tenant.site.size)),
                "securityContext": pods.CONTAINER_SECURITY,
                "volumeMounts": [wordpress.file(f"{wordpress.SCRIPTS_FOLDER}/{name}") for name in _FILES],
            }
        ],
        "volumes": [wordpress.scripts()],
        **pods.scheduling(tenant.site.scheduling),
    }
