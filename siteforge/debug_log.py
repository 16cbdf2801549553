"""Keeps secrets out of Pulumi's debug log.

The SDK writes what a component or a stack registers as outputs into it, secrets in plain
(`register_resource_outputs` in pulumi/runtime/resource.py), and has no setting for that. From `-v=9` on
the engine itself logs all that it sends to providers: nothing in a program can change that, and
`siteforge redact` takes it out of the log.
"""

import functools
from typing import Any

import pulumi


def keep_outputs_out() -> None:
    """From now on, the SDK's debug messages end where the outputs would begin. Twice is as good as once."""
    if not hasattr(pulumi.log.debug, "__wrapped__"):
        pulumi.log.debug = _without_outputs(pulumi.log.debug)


def _without_outputs(debug: Any) -> Any:
    @functools.wraps(debug)
    def shortened(msg: str, *arguments: Any, **options: Any) -> None:
        debug(msg.partition(", props=")[0], *arguments, **options)

    return shortened
