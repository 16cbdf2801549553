import json
import os
import shutil
from pathlib import Path

from local import workspace
from siteforge import cells
from tests.e2e.conftest import MakeStack
from tests.support.simulated import catalogue, tenant

NAMES = [f"e2e-many-{number}" for number in range(12)]


def noted(folder: Path) -> tuple[str, Path]:
    """The PATH with which each call of `pulumi` is noted, and the file in which it is."""
    path = workspace.environment(os.environ)["PATH"]
    note, shim = folder / "calls", folder / "pulumi"
    shim.write_text(f'#!/bin/sh\necho "$@" >> {note}\nexec {shutil.which("pulumi", path=path)} "$@"\n')
    shim.chmod(0o700)
    return f"{folder}:{path}", note


def test_several_cells_are_added_at_once_and_share_the_tenants(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack("many")
    stack.catalogue(catalogue(tenant(name) for name in NAMES))
    path, calls = noted(tmp_path)
    add = ("cells", "add", "many-b", "many-c", "many-d", "--output", "json")
    told = json.loads(stack.siteforge(*add, PATH=path).stdout)
    assert calls.read_text().count("stack init") == 3
    assert "stack export" not in calls.read_text(), (
        "of stacks that have nothing, no state is read: 199 of them took 13 min"
    )
    assert [row["stack"] for row in told] == ["many", "many-b", "many-c", "many-d"]
    assert [row["tenants"] for row in told] == [3, 3, 3, 3]
    assert {row["buckets"] for row in told} == {cells.BUCKETS // 4}
    layout = cells.load(stack.folder / "cells.yaml")
    assert layout.moving is None
    for name in layout.stacks:
        beside = stack.beside(name)
        assert beside.pulumi("config", "get", "siteforge:cells").stdout.strip() == "cells.yaml"
    assert len(stack.siteforge("up", "--dry-run").stdout.splitlines()) == 4

    refused = stack.siteforge("cells", "add", "many-e", "many-c", check=False)
    assert refused.returncode == 1
    assert "many-c is a cell already" in refused.stderr
    assert cells.load(stack.folder / "cells.yaml") == layout
