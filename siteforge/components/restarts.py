"""Saying beforehand that a change restarts a database."""

import functools
from collections.abc import Mapping
from typing import Any

import pulumi


def covers(live: Any, declared: Any) -> bool:
    """Whether everything that `declared` says is so in `live`, which may hold more (the server's defaults)."""
    if isinstance(declared, Mapping):
        return isinstance(live, Mapping) and all(covers(live.get(key), value) for key, value in declared.items())
    if isinstance(declared, list):
        same = isinstance(live, list) and len(live) == len(declared)
        return same and all(covers(*pair) for pair in zip(live, declared, strict=True))
    return bool(live == declared)


def announce(args: pulumi.ResourceHookArgs) -> None:
    """Warn if the update of a StatefulSet changes its pods; runs in previews too."""
    template = (args.new_inputs or {}).get("spec", {}).get("template")
    live = (args.old_outputs or {}).get("spec", {}).get("template")
    if not covers(live, template):
        pulumi.log.warn(
            f"{args.name}: this change restarts the database. It is one instance: until it is ready again"
            " the site answers with errors (some seconds; docs/updates.md has the measured figure)."
        )


def announced(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """The same options, for a database whose restarts are to be announced."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=announcement()))


@functools.cache
def announcement() -> pulumi.ResourceHookBinding:
    """The hook, once for the whole program: Pulumi wants each hook's name to be unique."""
    options = pulumi.ResourceHookOptions(on_dry_run=True)
    hook = pulumi.ResourceHook("siteforge-announce-database-restart", announce, options)
    return pulumi.ResourceHookBinding(before_update=[hook])
