"""The part of an object that tells how it is. All else is passed over as it is read.

Of what the API server says of a Deployment or a pod, nine parts in ten are the template, variables of containers, and
which field has which manager. To make values of those would take longer than anything else that a status does.
"""

from typing import Any, TypedDict


class Manager(TypedDict, total=False):
    """An entry of `managedFields`: who changed the object when, without what."""

    manager: str
    subresource: str
    time: str


class Metadata(TypedDict, total=False):
    """Of ObjectMeta."""

    name: str
    namespace: str
    labels: dict[str, str]
    generation: int
    creationTimestamp: str
    deletionTimestamp: str
    resourceVersion: str
    managedFields: list[Manager]


class Container(TypedDict, total=False):
    """Of a pod's container."""

    name: str
    image: str


class Labelled(TypedDict, total=False):
    """Of a template's metadata."""

    labels: dict[str, str]


class Template(TypedDict, total=False):
    """Of a PodTemplateSpec."""

    metadata: Labelled


class Selector(TypedDict, total=False):
    """Of a LabelSelector."""

    matchLabels: dict[str, str]


class Resources(TypedDict, total=False):
    """Of what a claim asks for."""

    requests: dict[str, str]


class Spec(TypedDict, total=False):
    """Of the specs of all kinds: a field has the same form in each kind that has it."""

    containers: list[Container]
    nodeName: str
    readinessGates: list[dict[str, Any]]
    replicas: int
    resources: Resources
    selector: Selector
    template: Template
    volumeName: str


class PartialObject(TypedDict, total=False):
    """Of any object that is looked at; its status is whole."""

    kind: str
    """Missing in a list, which names it once."""
    metadata: Metadata
    spec: Spec
    status: dict[str, Any]
    endpoints: list[dict[str, Any]] | None
    """Of an EndpointSlice, which has no spec."""
    type: str
    """This and what follows: of an Event."""
    reason: str
    message: str
    count: int | None
    involvedObject: dict[str, str]
    series: dict[str, Any] | None
    eventTime: str | None
    lastTimestamp: str | None


class PartialObjects(TypedDict, total=False):
    """A page of a list."""

    metadata: dict[str, Any]
    items: list[PartialObject] | None
