"""Keeps the SDK from sending with each resource where in the program it was declared.

The SDK walks the stack for every resource, the engine writes each walk into the state, and copies it with every event
(the knob `stack-traces` of `make bench`): dozens of frames, the same ones for every tenant, which no command of
Pulumi's CLI prints. The SDK has no setting for it.
"""

import functools
import os
from collections.abc import Mapping

from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2

VARIABLE = "SITEFORGE_STACK_TRACES"
"""Set to anything, they are sent: for whoever reads them in the state."""

_WALK = "_get_stack_trace"
"""Of pulumi.runtime.resource, which calls it for each resource. An SDK without it does as it pleases."""


def leave_out(environment: Mapping[str, str] = os.environ) -> None:
    """From now on, resources are registered without stack traces. Twice is as good as once."""
    walk = getattr(resource, _WALK, None)
    if walk and not hasattr(walk, "__wrapped__") and not environment.get(VARIABLE):

        @functools.wraps(walk)
        def nothing() -> source_pb2.StackTrace:
            return source_pb2.StackTrace()

        setattr(resource, _WALK, nothing)
