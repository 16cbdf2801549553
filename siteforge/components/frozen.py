"""A frozen tenant: what the cluster has of it is read, and nothing of it is Pulumi's to change."""

from collections.abc import Iterable

import pulumi

from siteforge.components.kubernetes_object import secret_outputs
from siteforge.specs.objects import Placed


class Frozen(pulumi.ComponentResource):
    """The resources of a `Tenant`, by the same names and types, as ones that are only read.

    The engine takes a resource that is read by its own ID for relinquished ("recognized relinquish", in Pulumi's
    pkg/resource/deploy/step_generator.go): it neither compares, updates nor awaits it, and `pulumi destroy` and a
    later absence from the program forget it and delete nothing. A `Tenant` of the same name takes all of it back: it
    is shown as replaced, and is applied to the object that is there.

    Args:
        name: the tenant's name.
        objects: those that are in the cluster. One that is not among them the engine doesn't make.
        opts: Pulumi's options; a provider given here is used for everything below.
    """

    def __init__(self, name: str, objects: Iterable[Placed], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("siteforge:index:Tenant", name, {}, opts)
        parts: dict[str, pulumi.ComponentResource] = {}
        for one in objects:
            if one.component not in parts:
                part = (f"siteforge:index:{one.component}", f"{name}-{one.component.lower()}")
                parts[one.component] = pulumi.ComponentResource(*part, {}, pulumi.ResourceOptions(parent=self))
            metadata = one.manifest["metadata"]
            read = pulumi.ResourceOptions(
                parent=parts[one.component],
                id="/".join(metadata[key] for key in ("namespace", "name") if key in metadata),
                additional_secret_outputs=secret_outputs(one.manifest),
            )
            # Without any field, the provider reads the object as it is and does not look whether it is ready.
            pulumi.CustomResource(one.type, one.name, {}, read)
        said = "left as it is" if parts else "not in the cluster, and not made"
        pulumi.log.warn(f"tenant {name}: frozen: {said} until `frozen` is taken from its line", self)
        self.register_outputs({})
