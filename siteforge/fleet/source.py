"""A folder from which a project's files are taken: a mounted ConfigMap, a volume, a checkout.

They are copied before a round, and stay as they are until the next: a catalogue that changes in the middle of a run
would be half in it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siteforge.errors import SettingsError

_LIST = ".siteforge-source"
"""What was copied: a file that is gone from the source goes from the project, too."""


@dataclass(frozen=True)
class Source:
    """Where files come from and where they go.

    Args:
        folder: the source.
        project: the project's folder.
    """

    folder: Path
    project: Path

    def digest(self) -> str:
        """What the files are, in 64 characters.

        Raises:
            SettingsError: they can't be read.
        """
        return _digest(self._files())

    def take(self) -> str:
        """Copy what differs; returns what was taken, as `digest` says it.

        Raises:
            SettingsError: the files can't be read or written.
        """
        files = self._files()
        before = self.project / _LIST
        try:
            known = json.loads(before.read_text(encoding="utf-8")) if before.is_file() else []
            before.write_text(json.dumps(sorted({*known, *files})), encoding="utf-8")
            for name in set(known) - set(files):
                (self.project / name).unlink(missing_ok=True)
            for name, content in files.items():
                _write(self.project / name, content)
            before.write_text(json.dumps(sorted(files)), encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{error.filename} can't be written: {error.strerror} - name another folder") from None
        return _digest(files)

    def _files(self) -> dict[str, bytes]:
        """The files by name; nothing hidden, as a checkout's `.git`."""
        # Kubernetes mounts a ConfigMap behind a link that it changes at once: through it, all are of one version.
        mounted = self.folder / "..data"
        try:
            base = mounted.resolve(strict=True) if mounted.is_symlink() else self.folder
            found = (path for path in sorted(base.rglob("*")) if path.is_file())
            named = {str(path.relative_to(base)): path for path in found}
            return {
                name: path.read_bytes()
                for name, path in named.items()
                if not any(part.startswith(".") for part in Path(name).parts)
            }
        except OSError as error:
            raise SettingsError(f"{self.folder} can't be read: {error.strerror} - mount it there") from None


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
