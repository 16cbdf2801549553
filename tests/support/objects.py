"""What is declared of the objects in a namespace: all but what the cluster keeps for itself."""

import json
from typing import Any

from tests.support.commands import kubectl

_KINDS = (
    "deployment,statefulset,service,secret,configmap,persistentvolumeclaim,serviceaccount,resourcequota,"
    "limitrange,networkpolicy,cronjob,poddisruptionbudget,role,rolebinding,horizontalpodautoscaler,ingress"
)
_KEPT_BY_THE_CLUSTER = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp")


def all_declared(namespace: str) -> dict[str, Any]:
    """Every object of a namespace, and it, by kind and name; empty if it is not there."""
    found = kubectl("get", _KINDS, "-n", namespace, "-o", "json", check=False)
    objects = json.loads(found)["items"] if found else []
    if own := kubectl("get", "namespace", namespace, "-o", "json", "--ignore-not-found"):
        objects.append(json.loads(own))
    return {f"{known['kind'].lower()}/{known['metadata']['name']}": _declared(known) for known in objects}


def declared(target: str, namespace: str) -> dict[str, Any]:
    """One of them, as in `deployment/wordpress`."""
    return _declared(json.loads(kubectl("get", target, "-n", namespace, "-o", "json")))


def _declared(known: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in known["metadata"].items() if key not in _KEPT_BY_THE_CLUSTER}
    metadata["annotations"] = dict(metadata.get("annotations", {}))
    metadata["annotations"].pop("deployment.kubernetes.io/revision", None)
    found = {key: value for key, value in known.items() if key != "status"} | {"metadata": metadata}
    if known["kind"] == "Service":
        found["spec"] = {key: value for key, value in known["spec"].items() if not key.startswith("clusterIP")}
    return found
