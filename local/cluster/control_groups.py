"""The control group below which the kubelet keeps those of the pods, in version 1, version 2 and hybrid layouts."""

import contextlib
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    """Make the group `name` (from the root of each hierarchy), which the kubelet wants to exist."""
    for hierarchy in _hierarchies():
        if (hierarchy / "cgroup.controllers").exists():
            for controller in (hierarchy / "cgroup.controllers").read_text().split():
                with contextlib.suppress(OSError):
                    (hierarchy / "cgroup.subtree_control").write_text(f"+{controller}")
        group = hierarchy / name.lstrip("/")
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            # Version 1 starts a group without any processor.
            if hierarchy != _ROOT and (group / setting).exists() and (hierarchy / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())


def remove(name: str) -> None:
    """Remove the groups that the pods of a cluster left when it ended. Those that are still in use stay."""
    for hierarchy in _hierarchies():
        group = hierarchy / name.lstrip("/")
        folders = [group, *(path for path in group.rglob("*") if path.is_dir())] if group.is_dir() else []
        for folder in sorted(folders, reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _hierarchies() -> list[Path]:
    """The roots of all hierarchies: one in version 2, one a controller in version 1."""
    if (_ROOT / "cgroup.procs").exists():
        return [_ROOT]
    return [path for path in _ROOT.iterdir() if (path / "cgroup.procs").exists()] if _ROOT.is_dir() else []
