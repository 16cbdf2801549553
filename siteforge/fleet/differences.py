"""What differs between an object as it is declared and as it is in the cluster, who made it differ, and when.

The comparison is that of server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply): what is
declared is compared, and what the server fills in is not. Items of lists are matched by Kubernetes' merge keys.
metadata.managedFields says who owns which field: one that another manager owns and we don't declare was added.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from siteforge import names, quantities
from siteforge.document import shorten
from siteforge.fleet.defaults import FILLED_IN, WRITTEN
from siteforge.specs.manifest import Manifest

Change = Literal["deleted", "changed", "added"]

ABSENT: Final = None
"""Stands for a value that is not there: no object of Kubernetes keeps a null."""

HIDDEN: Final = "(secret)"
"""Stands for whatever a Secret holds."""

Step = str | int | tuple[tuple[str, Any], ...]
"""To a field by its name, to an item of a list by its place or by its merge keys and their values."""
Path = tuple[Step, ...]

_OURS: Final = (names.FIELD_MANAGER, "Apply")

_MERGE_KEYS: Final[Mapping[Step, tuple[str, ...]]] = {
    "containers": ("name",),
    "env": ("name",),
    "initContainers": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Of the lists that we set (x-kubernetes-list-map-keys in Kubernetes' OpenAPI); of `ports`, see `_keys`."""

_QUANTITIES: Final = frozenset({"default", "defaultRequest", "hard", "limits", "max", "min", "requests", "sizeLimit"})
"""Fields whose values are quantities, which the server may spell otherwise: 1000m is 1."""


@dataclass(frozen=True)
class Actor:
    """Who wrote something."""

    manager: str
    """The name that it gave itself, as in `kubectl-edit`."""
    operation: str
    """Apply or Update."""
    subresource: str
    """What it wrote through, as in `scale`; empty for the object itself."""
    time: str
    """When it last wrote a field of this object, in RFC 3339; empty if the server didn't note it."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was made."""

    kind: str
    name: str
    """The object's; its namespace is its tenant's."""
    change: Change
    field: str = ""
    """Where in the object; empty for the object as a whole."""
    wanted: Any = ABSENT
    """The declared value; HIDDEN if it may be secret."""
    found: Any = ABSENT
    """The value in the cluster; HIDDEN if it may be secret."""
    by: Actor | None = None
    """Who wrote what was found; None where that left no trace, as a deletion does."""

    @property
    def mended(self) -> bool:
        """Whether `pulumi up` undoes it: it brings back, sets back, deletes its own; what others added, it leaves."""
        ours = self.by is not None and (self.by.manager, self.by.operation) == _OURS
        return self.change != "added" or ours


def differences(wanted: Manifest, found: Manifest | None) -> list[Difference]:
    """What is not as it was declared in one object.

    Args:
        wanted: as declared, complete.
        found: as in the cluster, with its managedFields; None if it isn't there.
    """
    if found is None:
        return [_difference(wanted, "deleted")]
    metadata = found["metadata"]
    if since := metadata.get("deletionTimestamp"):
        return [_difference(wanted, "deleted", ("metadata", "deletionTimestamp"), found=since)]
    changed: list[_Found] = []
    _compare(wanted, found, (), False, changed)
    owners = metadata.get("managedFields") or ()
    result = [_difference(wanted, "changed", *one, _writer(owners, one[0])) for one in changed]
    seen = {path for path, _, _ in changed}
    for owner in owners:
        if _is_ours(owner):
            continue
        for path, declared, live in _added(owner.get("fieldsV1") or {}, wanted, found, ()):
            if path not in seen and path not in WRITTEN and FILLED_IN.get(str(path[-1])) != live:
                seen.add(path)
                result.append(_difference(wanted, "added", path, declared, live, _actor(owner)))
    return result


def stray(found: Manifest) -> Difference:
    """An object of the cluster that nobody declared."""
    metadata = found["metadata"]
    owners = sorted(metadata.get("managedFields") or (), key=lambda owner: str(owner.get("time")))
    return _difference(found, "added", by=_actor(owners[0]) if owners else None)


def render(path: Path) -> str:
    """A path as people write it: `spec.template.spec.containers[name=wordpress].image`."""
    text = ""
    for step in path:
        if isinstance(step, tuple):
            text += f"[{','.join(f'{key}={shorten(value)}' for key, value in step)}]"
        elif isinstance(step, int) or "." in step or "/" in step:
            text += f"[{shorten(step)}]"
        else:
            text += f".{shorten(step)}" if text else shorten(step)
    return text


_Found = tuple[Path, Any, Any]
"""A path, what is declared there and what is there."""


def _compare(wanted: Any, found: Any, path: Path, quantity: bool, changed: list[_Found]) -> None:
    """Collect what is declared and isn't so."""
    # Equal parts are compared without stepping into them, which makes a fleet quick to compare.
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            live = found.get(key)
            if live != value:
                _compare(value, live, (*path, key), quantity or key in _QUANTITIES, changed)
    elif isinstance(wanted, list) and isinstance(found, list):
        keys = _keys(path, wanted)
        if not keys and len(wanted) != len(found):
            changed.append((path, wanted, found))
            return
        for place, value in enumerate(wanted):
            step = _key(value, keys) if keys else place
            live = _child(found, step)
            if live != value:
                _compare(value, live, (*path, step), quantity, changed)
    elif not (quantity and _same_quantity(wanted, found)):
        changed.append((path, wanted, found))


def _added(fields: Mapping[str, Any], wanted: Any, found: Any, path: Path) -> Iterator[_Found]:
    """What somebody owns and we don't declare.

    Args:
        fields: what is owned, as FieldsV1 (k8s.io/apimachinery/pkg/apis/meta/v1).
        wanted, found: the part of the object that `path` leads to.
        path: from the object.
    """
    for key, below in fields.items():
        step = _step(key)
        here = (*path, step)
        if step == "":
            continue
        declared, live = _child(wanted, step), _child(found, step)
        if live is ABSENT or declared == live:
            continue
        if declared is ABSENT:
            yield here, ABSENT, live
        elif below:
            yield from _added(below, declared, live, here)
        else:
            yield from _beyond(declared, live, here)


def _beyond(wanted: Any, found: Any, path: Path) -> Iterator[_Found]:
    """What there is besides what we declare, in a part that somebody else owns as a whole."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, live in found.items():
            if key not in wanted:
                yield (*path, key), ABSENT, live
            elif wanted[key] != live:
                yield from _beyond(wanted[key], live, (*path, key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for place, (declared, live) in enumerate(zip(wanted, found, strict=True)):
            yield from _beyond(declared, live, (*path, place))


def _step(key: str) -> Step:
    """The step that a key of FieldsV1 stands for; empty for the object or item itself."""
    mark, _, rest = key.partition(":")
    if mark == "f":
        return rest
    if mark == "k":
        return tuple(sorted(msgspec.json.decode(rest).items()))
    return str(msgspec.json.decode(rest)) if mark == "v" else ""


def _child(value: Any, step: Step) -> Any:
    """What a step leads to; ABSENT if there is nothing."""
    if isinstance(value, dict):
        return value.get(step)
    if not isinstance(value, list):
        return ABSENT
    if isinstance(step, int):
        return value[step] if step < len(value) else ABSENT
    if isinstance(step, str):
        return step if step in value else ABSENT
    return next((item for item in value if all(item.get(key) == wanted for key, wanted in step)), ABSENT)


def _keys(path: Path, items: Sequence[Any]) -> tuple[str, ...]:
    """The merge keys of a list of ours; none of a list that is one value."""
    if path[-1] == "ports" and items:
        return ("containerPort" if "containerPort" in items[0] else "port", "protocol")
    return _MERGE_KEYS.get(path[-1], ())


def _key(item: Mapping[str, Any], keys: Iterable[str]) -> Step:
    return tuple((key, item[key]) for key in keys if key in item)


def _same_quantity(wanted: Any, found: Any) -> bool:
    try:
        return quantities.parse(str(wanted)) == quantities.parse(str(found))
    except ValueError:
        return False


def _writer(owners: Iterable[Mapping[str, Any]], path: Path) -> Actor | None:
    """Who last wrote what is at a path: somebody else if there is one; it may be us, of an earlier catalogue."""
    writers = [owner for owner in owners if _owns(owner.get("fieldsV1") or {}, path)]
    last = max(writers, key=lambda owner: (not _is_ours(owner), str(owner.get("time"))), default=None)
    return _actor(last) if last else None


def _owns(fields: Mapping[str, Any], path: Path) -> bool:
    for step in path:
        if not fields:
            return True  # it owns the whole that this is a part of
        below = next((below for key, below in fields.items() if _step(key) == step), None)
        if below is None:
            return False
        fields = below
    return True


def _is_ours(owner: Mapping[str, Any]) -> bool:
    return (owner["manager"], owner["operation"]) == _OURS


def _actor(owner: Mapping[str, Any]) -> Actor:
    return Actor(owner["manager"], owner["operation"], owner.get("subresource", ""), owner.get("time", ""))


def _difference(
    of: Manifest, change: Change, path: Path = (), wanted: Any = ABSENT, found: Any = ABSENT, by: Actor | None = None
) -> Difference:
    # An annotation of a Secret can hold all of it (kubectl.kubernetes.io/last-applied-configuration).
    if of["kind"] == "Secret" and path[:2] != ("metadata", "labels"):
        wanted, found = (value if value is ABSENT else HIDDEN for value in (wanted, found))
    return Difference(of["kind"], of["metadata"]["name"], change, render(path), wanted, found, by)
