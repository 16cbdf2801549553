"""The state of a stack in Pulumi's file backend: whether it can be read, the copies there are, what was under way.

Pulumi keeps a copy of the state before the last change beside it (`.bak`), and one after each run among the
backups and in the history (pkg/backend/diy/state.go in its source).
"""

import contextlib
import gzip
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siteforge.errors import EngineError
from siteforge.fleet.project import Project, pulumi

BROKEN = ".broken-"
"""Ends, with the time, the name that a broken state file is kept under; Pulumi doesn't look at it."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_EXTENSIONS = {_GZIP: ".gz", _ZSTD: ".zst"}
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Copy:
    """A file with a state, and what it is worth."""

    path: Path
    written: datetime
    """When the engine wrote it, as it says itself; a copied file would have a time of its own."""
    resources: int
    problem: str = ""
    """Why it can't be used; empty when it can."""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.path}: {self.problem}"
        return f"{self.path}: of {self.written:%Y-%m-%d %H:%M:%S} UTC, {self.resources} resources"


@dataclass(frozen=True)
class Pending:
    """An operation that had begun when the engine ended, and of which the state does not know how it ended."""

    urn: str
    operation: str
    """creating, updating, deleting, reading or importing."""
    manifest: dict[str, Any]
    """The object, as far as it is not secret; empty for what is none of Kubernetes'."""

    def __str__(self) -> str:
        return f"{self.operation} {self.urn.rpartition('::')[2]}"


def backend(project: Project) -> Path | None:
    """The folder of the project's file backend; None for one of another kind.

    Raises:
        EngineError: Pulumi can't say.
    """
    url = str(json.loads(pulumi(project.folder, "whoami", "--json"))["url"])
    if not url.startswith("file://"):
        return None
    return project.folder / Path(url.removeprefix("file://").partition("?")[0]).expanduser()


def file(folder: Path, project: str, stack: str) -> Path:
    """The file of a stack's state, compressed or not; it may be missing."""
    plain = folder / ".pulumi" / "stacks" / project / f"{stack}.json"
    found = [path for end in ("", *_EXTENSIONS.values()) if (path := plain.with_name(plain.name + end)).exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=plain)


def read(path: Path) -> Copy:
    """What a file with a state is worth, from its text alone."""
    try:
        checkpoint = _parse(path.read_bytes())
    except OSError as error:
        return Copy(path, _NEVER, 0, error.strerror or str(error))
    except ValueError as error:
        return Copy(path, _NEVER, 0, str(error))
    latest = checkpoint.get("latest") or {}
    written = latest.get("manifest", {}).get("time")
    resources = latest.get("resources") or []
    return Copy(path, datetime.fromisoformat(written).astimezone(UTC) if written else _NEVER, len(resources))


def copies(folder: Path, project: str, stack: str) -> list[Copy]:
    """The copies that Pulumi keeps of a stack's state, the newest first, and those that can't be used last."""
    here = folder / ".pulumi"
    found = [
        *(here / "stacks" / project).glob(f"{stack}.json*.bak"),
        *(here / "backups" / project / stack).glob(f"{stack}.*.json*"),
        *(here / "history" / project / stack).glob(f"{stack}-*.checkpoint.json*"),
    ]
    read_ = [read(path) for path in found if path.suffix != ".attrs"]
    return sorted(read_, key=lambda copy: (not copy.problem, copy.written), reverse=True)


def restore(state: Path, copy: Copy) -> Path | None:
    """Put a copy in the place of a state file; returns what the broken one is called now, if there was one.

    Raises:
        EngineError: the file system refuses; the broken file is still there, under its name or the new one.
    """
    plain = state.name.removesuffix(".gz").removesuffix(".zst")
    raw = copy.path.read_bytes()
    target = state.with_name(plain + _EXTENSIONS.get(raw[:2], _EXTENSIONS.get(raw[:4], "")))
    broken = state.with_name(f"{state.name}{BROKEN}{time.time_ns()}") if state.exists() else None
    temporary = state.with_name(f".{plain}.{os.getpid()}")
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as written:
            written.write(raw)
            written.flush()
            os.fsync(written.fileno())
        shutil.copymode(copy.path, temporary)
        if broken:
            state.rename(broken)
        temporary.rename(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise EngineError(f"{target} can't be written: {error.strerror} - make room and mend its permissions") from None
    return broken


def pending(exported: dict[str, Any]) -> list[Pending]:
    """The operations under way in what `pulumi stack export` printed."""
    return list(_pending((exported.get("deployment") or {}).get("pending_operations") or []))


def _pending(operations: list[dict[str, Any]]) -> Iterator[Pending]:
    for operation in operations:
        resource = operation["resource"]
        inputs = resource.get("inputs") or {}
        manifest = inputs if resource["type"].startswith("kubernetes:") and "kind" in inputs else {}
        yield Pending(resource["urn"], operation["type"], manifest)


def settled(exported: dict[str, Any]) -> dict[str, Any]:
    """The same state without operations under way: what came of them, a refresh finds out."""
    return exported | {"deployment": exported["deployment"] | {"pending_operations": []}}


def _parse(raw: bytes) -> dict[str, Any]:
    """The checkpoint in a state file.

    Raises:
        ValueError: there is none in it; says why.
    """
    if raw.startswith(_ZSTD):
        raise ValueError("compressed by zstd, which is not read here - decompress it")
    try:
        text = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    except (OSError, EOFError) as error:
        raise ValueError(f"compressed, and broken: {error}") from None
    if not text.strip(b"\0 \r\n\t"):
        raise ValueError("empty")
    try:
        said = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(said, dict) or not isinstance(said.get("checkpoint"), dict) or not said.get("version"):
        raise ValueError("JSON, and no state of Pulumi's")
    latest = said["checkpoint"].get("latest") or {}
    resources = latest.get("resources") or []
    if not all(isinstance(one, dict) and "urn" in one and "type" in one for one in resources):
        raise ValueError("a state with resources that are none")
    checkpoint: dict[str, Any] = said["checkpoint"]
    return checkpoint
