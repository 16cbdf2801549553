"""The pods in which a suspended tenant's data are read, for as long as that takes: its database, and its files.

Nothing else starts: no visitor, no plugin and no scheduled work sees that they are there. They lack the labels of the
site's and the database's own pods, so that no Service leads to them and no controller takes them for its own.
"""

from typing import Any, Final

from siteforge.blueprint import Blueprint
from siteforge.names import DATABASE, WORDPRESS, Role
from siteforge.specs import database, pods, wordpress
from siteforge.specs.manifest import Manifest, manifest

LONGEST_SECONDS: Final = 6 * 3600
"""After so long they end by themselves, should nobody live to remove them."""


def name(role: Role) -> str:
    """Of the pod with the data of a role."""
    return f"{role}-backup"


def pods_of(tenant: Blueprint) -> list[Manifest]:
    """Both pods; the container of each is called by its role, as in the tenant's own pods.

    Args:
        tenant: which has a database of its own.
    """
    return [
        _pod(tenant, DATABASE, database.stateful_set_spec(tenant, "")["template"]["spec"]),
        _pod(tenant, WORDPRESS, _files(tenant)),
    ]


def _pod(tenant: Blueprint, role: Role, spec: dict[str, Any]) -> Manifest:
    labels = {"app.kubernetes.io/instance": tenant.name, "app.kubernetes.io/component": "backup"}
    spec = spec | {"restartPolicy": "Never", "activeDeadlineSeconds": LONGEST_SECONDS}
    return manifest("v1", "Pod", tenant.name, name(role), labels, spec=spec)


def _files(tenant: Blueprint) -> dict[str, Any]:
    container = {
        "name": WORDPRESS,
        "image": tenant.site.image,
        "imagePullPolicy": tenant.pull_policy,
        "command": ["sleep", str(LONGEST_SECONDS)],
        "resources": pods.resources(pods.little(tenant.site.size)),
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "content", "mountPath": wordpress.CONTENT, "subPath": "wp-content", "readOnly": True}
        ],
    }
    return {
        "serviceAccountName": WORDPRESS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(wordpress.USER_ID),
        # It has nothing to end.
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "content", "persistentVolumeClaim": {"claimName": WORDPRESS}}],
        **pods.scheduling(tenant.site.scheduling),
    }
