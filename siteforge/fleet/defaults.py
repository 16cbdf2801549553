"""What Kubernetes itself writes into the objects of others: no addition, whoever is noted as its owner.

Who restores an object from a backup owns all of it, and so what the server filled in when it was made.
"""

from collections.abc import Mapping
from typing import Any, Final

WRITTEN: Final[Mapping[tuple[str, ...], str]] = {
    ("status",): "what controllers report of any object",
    ("metadata", "finalizers"): "whoever serves an object holds it until it has cleaned up",
    ("metadata", "labels", "kubernetes.io/metadata.name"): "every namespace has it",
    ("metadata", "annotations", "deployment.kubernetes.io/revision"): "the count of a Deployment's rollouts",
    ("metadata", "annotations", "pv.kubernetes.io/bind-completed"): "a claim is bound",
    ("metadata", "annotations", "pv.kubernetes.io/bound-by-controller"): "a claim is bound",
    ("metadata", "annotations", "volume.beta.kubernetes.io/storage-provisioner"): "a claim is bound",
    ("metadata", "annotations", "volume.kubernetes.io/selected-node"): "a claim is bound",
    ("metadata", "annotations", "volume.kubernetes.io/storage-provisioner"): "a claim is bound",
    ("metadata", "annotations", "volume.kubernetes.io/storage-resizer"): "a claim grows",
    ("spec", "volumeName"): "a claim is bound",
    ("spec", "storageClassName"): "a claim that names no class gets the cluster's, for good",
    ("spec", "clusterIP"): "a Service gets its address for good",
    ("spec", "clusterIPs"): "a Service gets its address for good",
    ("spec", "ipFamilies"): "a Service gets its address for good",
    ("spec", "replicas"): "an autoscaler decides; without one the number is declared, and compared",
    ("spec", "template", "spec", "serviceAccount"): "the old name of serviceAccountName",
    ("spec", "jobTemplate", "spec", "template", "spec", "serviceAccount"): "the old name of serviceAccountName",
}
"""Fields that controllers write or that the server assigns, and why."""

FILLED_IN: Final[Mapping[str, Any]] = {
    "dnsPolicy": "ClusterFirst",
    "internalTrafficPolicy": "Cluster",
    "ipFamilyPolicy": "SingleStack",
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "podManagementPolicy": "OrderedReady",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "sessionAffinity": "None",
    "spec": {"finalizers": ["kubernetes"]},  # a Namespace's
    "successThreshold": 1,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "type": "ClusterIP",
    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    "volumeMode": "Filesystem",
}
"""The values that the server gives to fields of our objects which we leave out (kubernetes.io/docs/reference)."""
