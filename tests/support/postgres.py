"""A PostgreSQL server of the tests' own, from Debian's packages, in a folder that goes with it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from local import packages

_USER = "postgres"
"""Whom Debian's package makes: the server refuses to be run by root."""
_DEADLINE_SECONDS = 60.0


class Postgres:
    """A server on an address of this machine.

    Args:
        folder: for its data; made, and given to the server's user.
        address: where it listens, and lets everybody in.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        packages.ensure(["postgresql"])
        self._programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self._data = folder / "data"
        self._log = folder / "log"
        self._address = address
        with socket.socket() as probe:
            probe.bind((address, 0))
            self._port = probe.getsockname()[1]
        folder.mkdir(mode=0o755)
        shutil.chown(folder, _USER)
        for parent in folder.parents:
            # pytest's folders are root's alone; the server has to pass through them, not to read them.
            if parent.stat().st_uid == os.getuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-D", str(self._data), "--auth=trust", "--username=pulumi", "--no-sync")
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all trust\n")
        self.start()
        self._run("createdb", "-h", address, "-p", str(self._port), "-U", "pulumi", "pulumi")

    @property
    def url(self) -> str:
        """The backend's address for Pulumi."""
        return f"postgres://pulumi@{self._address}:{self._port}/pulumi?sslmode=disable&connect_timeout=5"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        # After a kill, its memory is in use until the last of its processes has noticed.
        for process in psutil.process_iter(["cmdline", "cwd"]):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.info["cwd"] == str(self._data):
                    process.wait(_DEADLINE_SECONDS)
        options = f"-c listen_addresses={self._address} -c port={self._port} -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-o", options, "-w", "start")

    def kill(self) -> None:
        """End it as a power cut would, as far as its clients can see."""
        first = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(first, signal.SIGQUIT)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while Path(f"/proc/{first}").exists():
            assert time.monotonic() < deadline, "PostgreSQL does not end"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, if it runs."""
        if (self._data / "postmaster.pid").exists():
            self.kill()

    def _run(self, program: str, *arguments: str) -> None:
        user = pwd.getpwnam(_USER)
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd="/",
            # The server keeps what it inherits: a pipe would never end.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_DEADLINE_SECONDS,
            check=False,
        )
        log = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
        assert done.returncode == 0, f"{program} exited with {done.returncode}\n{log}"
