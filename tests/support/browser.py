"""A real browser without a window: Debian's Chromium, which the local platform's own set-up installs."""

import struct
import subprocess
import zlib
from pathlib import Path

from local import packages

_DEADLINE_SECONDS = 120
_PHONE = (500, 1000)
"""Pixels; it makes no narrower window."""
_DESK = (1400, 900)


class Browser:
    """Opens pages, each in a run of its own.

    Args:
        folder: its profile and its pictures.
    """

    def __init__(self, folder: Path) -> None:
        packages.ensure(["chromium"])
        self._folder = folder

    def document(self, page: Path, state: str = "", probe: str = "", *, phone: bool = False) -> str:
        """The page's HTML once its scripts have run.

        Args:
            page: the file.
            state: what stands behind `#` in its address.
            probe: a script of the test's own that runs last.
            phone: whether the window is as narrow as it gets.
        """
        probed = self._folder / "probed.html"
        probed.write_text(page.read_text().replace("</body>", f"<script>{probe}</script></body>"))
        return self._run("--dump-dom", f"{probed.as_uri()}#{state}", phone=phone)

    def picture(self, page: Path, name: str, *, dark: bool = False, phone: bool = False) -> Path:
        """A picture of the window, for people to look at."""
        path = self._folder / f"{name}.png"
        dark_mode = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        self._run(f"--screenshot={path}", dark_mode, page.as_uri(), phone=phone)
        return path

    def _run(self, *arguments: str, phone: bool) -> str:
        width, height = _PHONE if phone else _DESK
        command = [
            *("chromium", "--headless=new", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=2000"),
            "--no-sandbox",  # as root, it would not start; it opens our own pages only
            *(f"--user-data-dir={self._folder / 'profile'}", f"--window-size={width},{height}", *arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_SECONDS, check=True)
        return done.stdout


def corner(picture: Path) -> tuple[int, int, int]:
    """The colour of a PNG's first pixel, which no filter of the format changes (w3.org/TR/png, 9)."""
    content = picture.read_bytes()
    data, place = b"", 8
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        data += content[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue
