"""Random edits of objects in a cluster, as people and other programs make them with kubectl; each can be undone."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME
from tests.support.commands import kubectl, run

_TRIES = 12
_SERVERS_OWN = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp")
_GOES_WITH_ITS_PODS = "PersistentVolumeClaim"
"""A claim that is deleted stays until its pods are gone: that edit couldn't be undone."""

Path = tuple[str | int, ...]
_Edit = Callable[[Random, dict[str, Any]], str]


class RefusedError(Exception):
    """The API server doesn't take an edit, or nothing came of it."""


@dataclass
class Edited:
    """An object and what was done to it."""

    manifest: dict[str, Any]
    """As declared."""
    before: dict[str, Any]
    """As it was in the cluster."""
    deleted: bool = False
    done: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name."""
        return key(self.manifest)

    def undo(self) -> None:
        """Make it as it was."""
        verb = "create" if self.deleted else "replace"
        kubectl(verb, "-f", "-", stdin=json.dumps(self.before))


def key(manifest: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace and name of an object."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", metadata["name"]), metadata["name"]


def remembered(cluster: Cluster, manifest: dict[str, Any]) -> Edited:
    """An object that is going to be edited and not deleted."""
    return Edited(manifest, _read(cluster, manifest))


def edit(random: Random, cluster: Cluster, manifest: dict[str, Any]) -> Edited:
    """Edit an object, one way or another.

    Args:
        random: decides.
        cluster: where it is.
        manifest: the object as declared, and as it is in the cluster.
    """
    before = _read(cluster, manifest)
    edits: list[Callable[[Random, dict[str, Any]], str]] = [
        _patch,
        _patch,
        _remove,
        _label,
        _relabel,
        _annotate,
        _apply,
    ]
    edits += [_delete] if manifest["kind"] not in (_GOES_WITH_ITS_PODS, "Namespace") else []
    edits += [_scale] if "replicas" in manifest.get("spec", {}) else []
    edits += [_add] if "data" in manifest else []
    refused = []
    for _ in range(_TRIES):
        try:
            done = random.choice(edits)(random, manifest)
        except RefusedError as error:
            refused.append(str(error))
            continue
        after = _read(cluster, manifest)
        if after != before:
            return Edited(manifest, before, not after, done)
        refused.append(f"nothing came of it: {done}")
    raise AssertionError(f"no edit of {key(manifest)} was taken:\n" + "\n".join(refused))


def _read(cluster: Cluster, manifest: dict[str, Any]) -> dict[str, Any]:
    """The object without what the API server and controllers keep for themselves; empty if it isn't there."""
    kind, namespace, name = key(manifest)
    found = cluster.get(BY_NAME[kind], name, namespace)
    if found:
        found.pop("status", None)
        for own in _SERVERS_OWN:
            found["metadata"].pop(own, None)
    return found


def _ask(manifest: dict[str, Any], *arguments: str, stdin: str = "") -> str:
    done = run(["kubectl", *arguments, "-n", key(manifest)[1]], stdin=stdin, check=False)
    said = f"kubectl {' '.join(arguments)} {stdin}"
    if done.returncode:
        raise RefusedError(f"{said}: {done.stderr.strip()}")
    return said


def _target(manifest: dict[str, Any]) -> str:
    kind, _, name = key(manifest)
    return f"{kind}/{name}"


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for field, inner in value.items():
            yield from _leaves(inner, (*path, field))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*path, place))
    else:
        yield path, value


def _leaf(random: Random, manifest: dict[str, Any]) -> tuple[Path, Any]:
    """A declared field that may be edited, of the spec rather than of a hundred labels."""
    fixed = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
    leaves = [leaf for leaf in _leaves(manifest) if leaf[0] not in fixed]
    rest = [leaf for leaf in leaves if leaf[0][0] != "metadata"]
    return random.choice(rest or leaves)


def _other(random: Random, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + random.randint(1, 3)
    encoded = base64.b64encode(f"edit {random.randrange(1000)}".encode()).decode()
    return random.choice([f"{value}-x", str(random.randint(2, 9)), f"{random.randint(2, 9)}Mi", encoded])


def _json_patch(manifest: dict[str, Any], operation: str, path: Path, **value: Any) -> str:
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    patch = json.dumps([{"op": operation, "path": pointer, **value}])
    return _ask(manifest, "patch", _target(manifest), "--type=json", "-p", patch)


def _patch(random: Random, manifest: dict[str, Any]) -> str:
    path, value = _leaf(random, manifest)
    return _json_patch(manifest, "replace", path, value=_other(random, value))


def _remove(random: Random, manifest: dict[str, Any]) -> str:
    path, _ = _leaf(random, manifest)
    return _json_patch(manifest, "remove", path[: random.randint(2, len(path))] if len(path) > 2 else path)


def _add(random: Random, manifest: dict[str, Any]) -> str:
    return _json_patch(manifest, "add", ("data", f"added-{random.randrange(1000)}"), value="YWRkZWQ=")


def _label(random: Random, manifest: dict[str, Any]) -> str:
    return _ask(manifest, "label", _target(manifest), f"team={random.randrange(1000)}")


def _relabel(random: Random, manifest: dict[str, Any]) -> str:
    label = random.choice(list(manifest["metadata"]["labels"]))
    return _ask(manifest, "label", _target(manifest), f"{label}{random.choice(['-', '=others'])}", "--overwrite")


def _annotate(random: Random, manifest: dict[str, Any]) -> str:
    annotation = random.choice(["example.com/note", *manifest["metadata"]["annotations"]])
    return _ask(manifest, "annotate", _target(manifest), f"{annotation}=edited", "--overwrite")


def _apply(random: Random, manifest: dict[str, Any]) -> str:
    """Another program's server-side apply, of one field."""
    leaves = [leaf for leaf in _leaves(manifest) if not any(isinstance(step, int) for step in leaf[0])]
    path, value = random.choice([leaf for leaf in leaves if leaf[0][:2] not in (("metadata", "name"),)])
    content: Any = _other(random, value)
    for step in reversed(path):
        content = {step: content}
    head = {field: manifest[field] for field in ("apiVersion", "kind")}
    metadata = {field: value for field, value in manifest["metadata"].items() if field in ("name", "namespace")}
    if path[0] in head or path[:2] == ("metadata", "namespace"):
        raise RefusedError("that would be another object")
    content |= head | {"metadata": metadata | content.get("metadata", {})}
    options = ("--server-side", "--force-conflicts", "--field-manager=another-program")
    return _ask(manifest, "apply", *options, "-f", "-", stdin=json.dumps(content))


def _scale(random: Random, manifest: dict[str, Any]) -> str:
    return _ask(manifest, "scale", _target(manifest), f"--replicas={random.randint(2, 4)}")


def _delete(_: Random, manifest: dict[str, Any]) -> str:
    return _ask(manifest, "delete", _target(manifest), "--timeout=20s")
