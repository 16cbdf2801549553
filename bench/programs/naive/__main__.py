"""A plain program of the same objects, as one writes it first: each object a resource, every option at its default.

Each file of the folder `objects` is a List of one tenant's objects, the Namespace first.
"""

import importlib
import json
import re
from pathlib import Path

import pulumi


def _declare(manifest: dict, opts: pulumi.ResourceOptions | None = None) -> pulumi.Resource:
    group, _, version = manifest["apiVersion"].rpartition("/")
    module = importlib.import_module(f"pulumi_kubernetes.{group.split('.')[0] or 'core'}.{version}")
    body = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind")}
    arguments = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key): value for key, value in body.items()}
    metadata = manifest["metadata"]
    name = "-".join([metadata.get("namespace", "namespace"), manifest["kind"].lower(), metadata["name"]])
    return getattr(module, manifest["kind"])(name, **arguments, opts=opts)


for file in sorted(Path("objects").iterdir()):
    first, *others = json.loads(file.read_text())["items"]
    namespace = _declare(first)
    for other in others:
        _declare(other, pulumi.ResourceOptions(depends_on=[namespace]))
