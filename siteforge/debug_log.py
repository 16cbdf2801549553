"""Keeps the SDK's debug messages, and the secrets in them, out of Pulumi's debug log.

The SDK sends some five messages for each resource to the engine, one after the other and waiting for each, whether
anybody asked for them or not: a good part of a run (the knob `debug-log` of `make bench`). In them is what a
component or a stack registers as outputs, secrets in plain (`register_resource_outputs` in
pulumi/runtime/resource.py), and the SDK has no setting for either. From `-v=9` on the engine itself logs all that
it sends to providers: nothing in a program can change that, and `siteforge redact` takes it out of the log.
"""

import functools
import os
from collections.abc import Mapping
from typing import Any

import pulumi

VARIABLE = "SITEFORGE_DEBUG_LOG"
"""Set to anything, the messages are sent, each up to where outputs would begin."""


def restrain(environment: Mapping[str, str] = os.environ) -> None:
    """From now on, the SDK's debug messages are kept back or shortened. Twice is as good as once."""
    if not hasattr(pulumi.log.debug, "__wrapped__"):
        pulumi.log.debug = (_without_outputs if environment.get(VARIABLE) else _kept_back)(pulumi.log.debug)


def _without_outputs(debug: Any) -> Any:
    @functools.wraps(debug)
    def shortened(msg: str, *arguments: Any, **options: Any) -> None:
        debug(msg.partition(", props=")[0], *arguments, **options)

    return shortened


def _kept_back(debug: Any) -> Any:
    @functools.wraps(debug)
    def nothing(msg: str, *arguments: Any, **options: Any) -> None:
        pass

    return nothing
