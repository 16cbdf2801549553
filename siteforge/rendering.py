"""Rendering: the objects of a stack as YAML files instead of in a cluster, with every secret value redacted."""

import os

import pulumi
from pulumi_kubernetes import Provider

REDACTED = "REDACTED"
"""What stands for each value of a Secret; valid base64, as the field demands."""


def provider(folder: str) -> Provider:
    """A provider that writes each object to a file below `folder`, and asks no cluster."""
    pulumi.runtime.register_stack_transformation(_redact)
    # The provider's class takes a cluster from here, and the provider refuses to have both.
    os.environ.pop("KUBECONFIG", None)
    return Provider("kubernetes", render_yaml_to_directory=folder)


def _redact(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Take the values from a Secret before the provider, which would write them as they are, sees them."""
    if args.type_ != "kubernetes:core/v1:Secret":
        return None
    data = pulumi.Output.from_input(args.props["data"]).apply(lambda known: dict.fromkeys(known, REDACTED))
    return pulumi.ResourceTransformationResult({**args.props, "data": pulumi.Output.unsecret(data)}, args.opts)
