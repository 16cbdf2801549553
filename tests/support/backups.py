"""Backups that lie in a folder, as files."""

from pathlib import Path

from siteforge.fleet.archives import Backup


def file(backup: Backup) -> Path:
    """The file that a backup is."""
    assert isinstance(backup.path, Path)
    return backup.path
