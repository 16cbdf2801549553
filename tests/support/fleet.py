"""A fleet, driven and looked at as its operator does."""

import json
from typing import Any

from siteforge import targets
from tests.support.stack import Stack


def up(stack: Stack, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What `siteforge up` did, by its own report; it must exit with `code`."""
    done = stack.siteforge("up", "--output", "json", "--timeout", "90", *arguments, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def in_state(stack: Stack) -> set[str]:
    """The tenants that have objects in Pulumi's state."""
    found = {targets.tenant(one["urn"]) for one in stack.resources() if one["type"].startswith("kubernetes:")}
    return {name for name in found if name}
