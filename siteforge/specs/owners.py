"""What a tenant's owners may do in its namespace with kubectl: look at everything but secrets, and restart.

Nothing that is declared may be changed by them: what they changed would be drift, and a pod of their own
making could read the tenant's secrets. So a restart is the deletion of a pod, which its workload makes anew
as declared; `patch` on a Deployment would allow any other image too. Sizes and replicas are changed in the
catalogue. There is no `exec`: it can't be limited to one workload, and in the database's pod it would hand
out root's password.
"""

from siteforge import names
from siteforge.blueprint import Blueprint
from siteforge.specs.manifest import Manifest, manifest

_RBAC = "rbac.authorization.k8s.io"
_LOOK = ["get", "list", "watch"]
_SEEN = {
    "": [
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "resourcequotas",
        "serviceaccounts",
        "services",
    ],
    "apps": ["deployments", "replicasets", "statefulsets"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "discovery.k8s.io": ["endpointslices"],
    "events.k8s.io": ["events"],
    "gateway.networking.k8s.io": ["httproutes"],
    "metrics.k8s.io": ["pods"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}


def rules() -> list[dict[str, list[str]]]:
    """What owners may do; whoever makes their Role has to be allowed all of it."""
    return [
        *({"apiGroups": [group], "resources": kinds, "verbs": list(_LOOK)} for group, kinds in _SEEN.items()),
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
        # A port-forward over WebSocket is a GET, one over SPDY a POST.
        {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create", "get"]},
    ]


def role(tenant: Blueprint) -> Manifest:
    """The Role with that."""
    labels = names.labels(tenant.name)
    return manifest(f"{_RBAC}/v1", "Role", tenant.name, names.OWNER, labels, rules=rules())


def role_binding(tenant: Blueprint) -> Manifest:
    """Who may do it: the owners."""
    return manifest(
        f"{_RBAC}/v1",
        "RoleBinding",
        tenant.name,
        names.OWNER,
        names.labels(tenant.name),
        roleRef={"apiGroup": _RBAC, "kind": "Role", "name": names.OWNER},
        subjects=[{"apiGroup": _RBAC, "kind": owner.kind, "name": owner.name} for owner in tenant.owners],
    )
