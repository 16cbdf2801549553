"""Layers with nothing but static programs: the pause process, and busybox."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from local.images import tar
from local.steps import Failure, run

_USERS = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_GROUPS = b"root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True)
class Pause:
    """`/pause`, compiled from `pause.c`."""

    code: Path = field(repr=False)
    tools: tuple[str, ...] = field(default=("gcc", "libc6-dev"), repr=False)
    needs_root: bool = field(default=False, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """The C program."""
        return (self.code,)

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Compile the program and pack it."""
        program = scratch / "pause"
        # Without a build id, and with the folder cut from what it names: the same bytes from every clone.
        flags = ["-Os", "-static", "-s", "-Wl,--build-id=none", f"-ffile-prefix-map={self.code.parent}=."]
        run(["gcc", *flags, "-o", program, self.code], log=log)
        with tar.create(target) as layer:
            tar.add_file(layer, "pause", program, 0o755)


@dataclass(frozen=True)
class Busybox:
    """Debian's static busybox with a link for each of its applets in `/bin`, and a `/tmp`."""

    package: str = "busybox-static"
    tools: tuple[str, ...] = field(default=("dpkg",), repr=False)
    needs_root: bool = field(default=False, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """Nothing of this repository."""
        return ()

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Unpack the package, which is not installed as it excludes the package `busybox`, and pack it."""
        download(self.package, scratch, log)
        run(["dpkg-deb", "--extract", *scratch.glob("*.deb"), scratch / "root"], log=log)
        # /usr/bin where /bin is a link in the distribution, /bin where it is not.
        found = [path for folder in ("bin", "usr/bin") if (path := scratch / "root" / folder / "busybox").is_file()]
        if not found:
            raise Failure(f"the Debian package {self.package} has no program called busybox")
        program = found[0]
        listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
        with tar.create(target) as layer:
            for folder, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777)):
                tar.add_folder(layer, folder, mode)
            tar.add_file(layer, "bin/busybox", program, 0o755)
            tar.add_file(layer, "etc/passwd", _USERS)
            tar.add_file(layer, "etc/group", _GROUPS)
            for applet in sorted(set(listing.stdout.split()) - {"busybox"}):
                tar.add_link(layer, f"bin/{applet}", "busybox")


def download(package: str, folder: Path, log: Path) -> None:
    """Fetch a Debian package's archive into `folder` without installing it."""
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "download", package]
    try:
        run(command, log=log, cwd=folder)
    except Failure:
        # The lists of packages are missing or older than the mirror.
        run(["apt-get", "-q", "update"], log=log)
        run(command, log=log, cwd=folder)
