"""The catalogue's objects as YAML: the real program on the real engine and provider, without a cluster.

The stack is a throwaway: project folder, backend and state are made anew each time, so that no tenant's file
outlives the tenant and nothing of a stack that runs is touched.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from local import toolchain, workspace
from local.paths import LOGS, PROJECT
from local.steps import run, step

MANIFESTS = PROJECT / "build" / "manifests"
"""Where `make render` writes."""

_LOG = LOGS / "render.log"


def render(catalogue: Path = PROJECT / "tenants.yaml", manifests: Path = MANIFESTS) -> Path:
    """Write the objects of a catalogue's tenants, one file each; returns their folder.

    Args:
        catalogue: the file that lists the tenants.
        manifests: the folder, emptied before; beside it, a folder of the same name with `.stack` is used.

    Raises:
        Failure: Pulumi can't be built, or refuses; says why.
    """
    stack = manifests.with_name(f"{manifests.name}.stack")
    for folder in (manifests, stack):
        shutil.rmtree(folder, ignore_errors=True)
    (stack / "state").mkdir(parents=True)
    manifests.mkdir(parents=True)
    try:
        with step(f"Render {catalogue.name} to {manifests}"):
            _render(stack, {"catalogue": str(catalogue.resolve()), "render": str(manifests.resolve())})
    finally:
        shutil.rmtree(stack, ignore_errors=True)
    return manifests


def _render(stack: Path, settings: Mapping[str, str]) -> None:
    project = (PROJECT / "Pulumi.yaml").read_text().replace(".venv", str(PROJECT / ".venv"))
    (stack / "Pulumi.yaml").write_text(project)
    shutil.copy(PROJECT / "__main__.py", stack)
    environment = workspace.environment(os.environ) | {"PULUMI_BACKEND_URL": f"file://{(stack / 'state').resolve()}"}
    toolchain.ensure(["pulumi"])
    toolchain.install_plugin(Path(environment["PULUMI_HOME"]))
    pulumi = ["pulumi", "--non-interactive", "--color=never"]
    run([*pulumi, "stack", "init", "render"], log=_LOG, cwd=stack, env=environment)
    for key, value in settings.items():
        run([*pulumi, "config", "set", f"siteforge:{key}", value], log=_LOG, cwd=stack, env=environment)
    up = [*pulumi, "up", "--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress"]
    run(up, log=_LOG, cwd=stack, env=environment)
