"""Layers that are a whole Debian root: the essential packages and those that a recipe names."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from local.images.oci import CREATED_EPOCH
from local.steps import Failure, run, say

RELEASE = "bookworm"
"""Debian 12: whichever Debian or Ubuntu the machine has, the images are the same."""

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_SUITES = (RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security")

_APT_OPTIONS = (
    'APT::Install-Recommends "false"',
    # A mirror that stalls: no longer than this, in seconds, and not at the first time.
    'Acquire::http::Timeout "60"',
    'Acquire::https::Timeout "60"',
    'Acquire::Retries "3"',
)

_DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
)

_CLEAN = Path(__file__).resolve().parent / "clean.sh"


@dataclass(frozen=True)
class DebianRoot:
    """A root folder made by mmdebstrap, and what two scripts of the recipe do to it."""

    packages: tuple[str, ...]
    promise: tuple[str, str]
    """A package and the start of its upstream version, as the image's tag says: `("wordpress", "6.1.9")`."""
    prepare: Path | None = field(default=None, repr=False)
    """Run with the root as its argument when the essential packages are there and the others are not."""
    finish: Path | None = field(default=None, repr=False)
    """Run with the root as its argument at the end."""
    tools: tuple[str, ...] = field(default=("mmdebstrap", "debian-archive-keyring"), repr=False)
    needs_root: bool = field(default=True, repr=False)

    def inputs(self) -> tuple[Path, ...]:
        """The scripts that change the root."""
        return tuple(script for script in (self.prepare, self.finish, _CLEAN) if script)

    def build(self, target: Path, scratch: Path, log: Path) -> None:
        """Make the root and pack it."""
        installed = scratch / "packages"
        hooks = [f"""--customize-hook=chroot "$1" dpkg-query --show >'{installed}'"""]
        if self.prepare:
            hooks.append(f"--essential-hook='{self.prepare}' \"$1\"")
        if self.finish:
            hooks.append(f"--customize-hook='{self.finish}' \"$1\"")
        hooks.append(f"--customize-hook='{_CLEAN}' \"$1\"")
        # No process of it outlives this one, and its mounts end with it: a kill leaves files at most.
        alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        command: list[str | Path] = ["setpriv", "--pdeathsig", "KILL", *alone]
        command += ["mmdebstrap", "--mode=root", "--variant=essential", "--format=tar", "--skip=cleanup/run"]
        command += [f"--keyring={_KEYRING}", *(f"--aptopt={option}" for option in _APT_OPTIONS)]
        command += [f"--dpkgopt={option}" for option in _DPKG_OPTIONS]
        command += [f"--include={','.join(self.packages)}", *hooks]
        command += [RELEASE, target, *mirrors()]
        # mmdebstrap makes the root below TMPDIR, and no file in the tar is younger than SOURCE_DATE_EPOCH.
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SOURCE_DATE_EPOCH": str(CREATED_EPOCH),
            "TMPDIR": str(scratch),
            "LC_ALL": "C.UTF-8",
        }
        run(command, log=log, env=proxies() | environment)
        self.check(dict(line.split("\t") for line in installed.read_text().splitlines()))

    def check(self, installed: dict[str, str]) -> None:
        """Compare what was installed (versions by package) with the promise.

        Raises:
            Failure: the promised package is not there.
        """
        package, promised = self.promise
        if package not in installed:
            raise Failure(f"Debian {RELEASE} did not install {package}")
        if not fits(upstream(installed[package]), promised):
            say(f"    note: the tag says {promised}, and Debian's {package} is {installed[package]} by now")


def upstream(version: str) -> str:
    """The upstream part of a Debian version: `1:10.11.19-0+deb12u1` is 10.11.19, `6.1.9+dfsg1-0` is 6.1.9."""
    without_epoch = version.rpartition(":")[2]
    return without_epoch.rsplit("-", 1)[0].partition("+")[0]


def fits(version: str, promised: str) -> bool:
    """Whether a version is the promised one or a more exact form of it: 10.11.19 fits 10.11."""
    return version.split(".")[: promised.count(".") + 1] == promised.split(".")


def mirrors() -> list[str]:
    """The sources that this machine has for the release, as lines of a sources.list.

    None (a machine of another release) leaves it to mmdebstrap, which then takes Debian's own.
    """
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return sources_list(known.stdout)


def sources_list(targets: str) -> list[str]:
    """The lines for apt's index targets, each given as `URI suite component origin`: Debian's `main` only."""
    found: dict[str, None] = {}
    for line in targets.splitlines():
        uri, suite, component, origin = [*line.split(), "", "", "", ""][:4]
        if suite in _SUITES and component == "main" and origin == "Debian" and uri.startswith("http"):
            found[f"deb [signed-by={_KEYRING}] {uri} {suite} main"] = None
    complete = any(f" {RELEASE} main" in line for line in found)
    return list(found) if complete else []


def proxies() -> dict[str, str]:
    """The environment's proxy settings, the only part of it that a build may depend on."""
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
