"""The kinds of objects that are read or written without Pulumi, and where the API server has them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """A kind of object and where the API server has it."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The path of one object, or of all in a namespace, or of all there are."""
        if not self.api_version:
            return f"/{self.plural}"
        start = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        within = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{start}{within}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
POD: Final = Kind("v1", "Pod", "pods")
EVENT: Final = Kind("v1", "Event", "events")
ENDPOINT_SLICE: Final = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
NODE: Final = Kind("v1", "Node", "nodes", namespaced=False)
VOLUME: Final = Kind("v1", "PersistentVolume", "persistentvolumes", namespaced=False)

VERSION: Final = Kind("", "Version", "version", namespaced=False)
"""Not an object, and asked for like one: which version of Kubernetes this is."""

LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")

_RBAC = "rbac.authorization.k8s.io/v1"
_NETWORKING = "networking.k8s.io/v1"

TENANT_KINDS: Final = (
    NAMESPACE,
    Kind("v1", "ResourceQuota", "resourcequotas"),
    Kind("v1", "LimitRange", "limitranges"),
    Kind("v1", "Secret", "secrets"),
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("v1", "Service", "services"),
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("apps/v1", "StatefulSet", "statefulsets"),
    Kind("batch/v1", "CronJob", "cronjobs"),
    Kind(_NETWORKING, "NetworkPolicy", "networkpolicies"),
    Kind(_NETWORKING, "Ingress", "ingresses"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind(_RBAC, "Role", "roles"),
    Kind(_RBAC, "RoleBinding", "rolebindings"),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
)
"""Every kind of which a tenant may have an object."""

BY_NAME: Final = {kind.name: kind for kind in (*TENANT_KINDS, POD, EVENT, ENDPOINT_SLICE, NODE, VOLUME)}

OURS: Final = "app.kubernetes.io/part-of=siteforge"
"""Selects the objects of all tenants (`siteforge.names.labels`)."""
