"""A Kubernetes object as a resource of Pulumi's Kubernetes provider."""

from typing import Any

import pulumi

from siteforge.specs.manifest import Manifest, token


def secret_outputs(manifest: Manifest) -> list[str] | None:
    """The outputs of an object that are secret, whatever of them was given as one."""
    return ["data", "stringData"] if manifest["kind"] == "Secret" else None


class KubernetesObject(pulumi.CustomResource):
    """An object as its manifest says.

    The same resource as that of the provider's generated class of its kind, which would make Python objects of every
    field of every output: a sixth of the program's time for a fleet, and nothing here reads them.

    Args:
        name: the resource's name in Pulumi.
        manifest: the object.
        opts: its parent, what has to be there before it, what takes it along when deleted.
        fields: fields that are only known as Pulumi outputs, such as a Secret's data.
    """

    metadata: pulumi.Output[dict[str, Any]]
    """Its metadata, by Kubernetes' own names."""
    spec: pulumi.Output[dict[str, Any]]
    """Its spec, likewise; of an object that has one."""

    def __init__(self, name: str, manifest: Manifest, opts: pulumi.ResourceOptions, **fields: Any) -> None:
        if outputs := secret_outputs(manifest):
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=outputs))
        super().__init__(token(manifest), name, manifest | fields, opts)
