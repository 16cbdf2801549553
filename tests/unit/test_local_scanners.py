"""The scanners' environment: what is locked, and that it is installed once."""

import re
import sys
from pathlib import Path

import pytest

from local import scanners
from local.paths import PROJECT


def test_the_lock_holds_what_is_asked_for_with_hashes() -> None:
    asked = re.findall(r"^[a-z-]+==\S+$", (PROJECT / "requirements-scan.in").read_text(), re.MULTILINE)
    locked = (PROJECT / "requirements-scan.txt").read_text()
    assert len(asked) == 3
    assert [one for one in asked if f"{one} \\\n    --hash=sha256:" not in locked] == []


def test_the_scanners_are_installed_once_for_each_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Path] = []

    def install(staging: Path) -> None:
        installed.append(staging)
        library = staging / f"lib/python3.{sys.version_info.minor}/site-packages"
        for path in (staging / "bin" / "python", *(library / name / "__init__.py" for name in scanners._MODULES)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    lock = tmp_path / "lock"
    lock.write_text("checkov==1\n")
    monkeypatch.setenv("SITEFORGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(scanners, "_LOCK", lock)
    monkeypatch.setattr(scanners, "_install", install)
    assert scanners.python() == scanners.python()
    assert len(installed) == 1
    lock.write_text("checkov==2\n")
    assert scanners.python().exists()
    assert len(installed) == 2
