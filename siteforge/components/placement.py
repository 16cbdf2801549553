"""Placing a manifest: from a plain object to a resource of Pulumi's Kubernetes provider."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import pulumi

from siteforge.specs.manifest import Manifest

Resource = TypeVar("Resource", bound=pulumi.CustomResource)


def place(
    make: Callable[..., Resource], name: str, manifest: Manifest, opts: pulumi.ResourceOptions, **fields: Any
) -> Resource:
    """Register a manifest as a resource.

    Args:
        make: the provider's class of the manifest's kind.
        name: the resource's name in Pulumi.
        manifest: the object.
        opts: its parent, what has to be there before it, what takes it along when deleted.
        fields: fields that are only known as Pulumi outputs, such as a Secret's data.
    """
    body = {_argument(key): value for key, value in manifest.items() if key not in ("apiVersion", "kind")}
    return make(name, **(body | fields), opts=opts)


def _argument(field: str) -> str:
    """The class's argument for a field of the manifest; below the top, Kubernetes' own names pass as they are."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", field)
