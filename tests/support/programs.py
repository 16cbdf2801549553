"""Programs that stand in for real ones."""

from pathlib import Path


class Program:
    """A shell script that notes the arguments of each call, then runs its own lines."""

    def __init__(self, folder: Path, name: str, script: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self._notes = folder / f".{name}.calls"
        self._notes.touch()
        self.path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{self._notes}'\n{script}\n")
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The arguments of each call."""
        return self._notes.read_text().splitlines()
