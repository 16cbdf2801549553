"""The Kubernetes provider where the Pulumi engine looks for it: the plugin folder of PULUMI_HOME."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from local import locks
from local.paths import LOGS
from local.steps import say, step
from local.toolchain import pulumi_on_path, store, versions
from local.toolchain.build import build
from local.toolchain.links import link
from local.toolchain.programs import named

_PROVIDER = "pulumi-resource-kubernetes"
_LOG = LOGS / "toolchain-plugin.log"
_DOWNLOAD_SECONDS = 120.0


def install(pulumi_home: Path) -> None:
    """Give a Pulumi home the provider plugin of our version.

    A Pulumi of the user's downloads it as it always does; only where that fails, and for a Pulumi
    that we built, is it built and linked there.

    Args:
        pulumi_home: the folder that PULUMI_HOME names.

    Raises:
        Failure: the provider cannot be built.
    """
    (program,) = named([_PROVIDER])
    built = store.folder(program) / "bin" / _PROVIDER
    folder = pulumi_home / "plugins" / f"resource-kubernetes-v{versions.KUBERNETES_PROVIDER}"
    if _is_installed(folder, built):
        return
    with locks.held(pulumi_home / ".plugin.lock", "installs the Kubernetes provider"):
        if _is_installed(folder, built):
            return
        pulumi, _ = pulumi_on_path.find()
        if pulumi is not None and _download(pulumi, pulumi_home):
            return
        build(program)
        _link(folder, built)


def _is_installed(folder: Path, built: Path) -> bool:
    """Downloaded, by the rule of Pulumi's own plugin store (no marker of an unfinished one), or linked to `built`."""
    plugin = folder / _PROVIDER
    is_ours = plugin.is_symlink()
    is_complete = plugin.exists() and not folder.with_name(f"{folder.name}.partial").exists()
    return is_complete and (not is_ours or plugin.readlink() == built)


def _download(pulumi: Path, pulumi_home: Path) -> bool:
    argv = [str(pulumi), "plugin", "install", "resource", "kubernetes", versions.KUBERNETES_PROVIDER]
    env = os.environ | {"PULUMI_HOME": str(pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    _LOG.parent.mkdir(parents=True, exist_ok=True)
    with step(f"Kubernetes provider {versions.KUBERNETES_PROVIDER}: download"), _LOG.open("ab") as sink:
        try:
            done = subprocess.run(argv, env=env, stdout=sink, stderr=sink, check=False, timeout=_DOWNLOAD_SECONDS)
            succeeded = done.returncode == 0
        except subprocess.TimeoutExpired:
            succeeded = False
    if not succeeded:
        say(f"    no download (log: {_LOG}), so it is built")
    return succeeded


def _link(folder: Path, built: Path) -> None:
    """Put the provider into the plugin folder, which appears complete or not at all."""
    if folder.is_dir():
        link(folder / _PROVIDER, built)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            (staging / _PROVIDER).symlink_to(built)
            staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    folder.with_name(f"{folder.name}.partial").unlink(missing_ok=True)
