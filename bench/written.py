"""Counts what is written to the files of a folder, by inotify(7): the size of a file each time it is finished.

A file that is written anew counts each time; one that is written under a temporary name and moved counts once.
"""

import contextlib
import ctypes
import os
import struct
from pathlib import Path

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE = 0x8, 0x40, 0x80, 0x100
_OVERFLOW, _DIRECTORY = 0x4000, 0x40000000
_EVENT = struct.Struct("iIII")
_BUFFER = 1 << 20


class Written:
    """The count; it can be selected on, and then `count` has something to read.

    Args:
        folder: an existing folder, watched with all below it.
    """

    def __init__(self, folder: Path) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._folders: dict[int, Path] = {}
        self._bytes: dict[Path, int] = {}
        self._watch(folder)

    def fileno(self) -> int:
        """What `select` waits for."""
        return int(self._descriptor)

    def count(self) -> None:
        """Take notice of what happened."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(os.read(self._descriptor, _BUFFER))

    def close(self) -> int:
        """Stop, and return the bytes that were written."""
        self.count()
        os.close(self._descriptor)
        return sum(self._bytes.values())

    def _watch(self, folder: Path) -> None:
        mask = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE
        number = self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), mask)
        if number < 0:
            raise OSError(ctypes.get_errno(), f"inotify_add_watch {folder}")
        self._folders[number] = folder
        for below in sorted(folder.iterdir()):
            if below.is_dir():
                self._watch(below)

    def _take(self, events: bytes) -> None:
        offset = 0
        while offset < len(events):
            number, mask, _, length = _EVENT.unpack_from(events, offset)
            offset += _EVENT.size
            name = events[offset : offset + length].rstrip(b"\0")
            offset += length
            if mask & _OVERFLOW:
                raise OSError("more files were written than inotify could tell of")
            self._note(self._folders[number] / os.fsdecode(name), mask)

    def _note(self, path: Path, mask: int) -> None:
        if mask & _DIRECTORY:
            if mask & (_CREATE | _MOVED_TO):
                self._watch(path)
                for inside in (file for file in path.rglob("*") if file.is_file()):
                    self._add(inside)
        elif mask & _MOVED_FROM:
            # What was written under a temporary name is counted under the one that it gets.
            self._bytes.pop(path, None)
        elif mask & (_CLOSE_WRITE | _MOVED_TO):
            self._add(path)

    def _add(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._bytes[path] = self._bytes.get(path, 0) + path.stat().st_size
