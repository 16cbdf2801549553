"""Pulumi's mocks, keeping what the stock ones forget: parents, dependencies, registered outputs, hooks."""

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func

from siteforge.components import restarts

SECRET_KEY = "4dabf18193072939515e22adb298388d"
"""Marks a secret on Pulumi's wire."""


@dataclass
class Registration:
    """One resource as the engine would see it."""

    type: str
    name: str
    parent: str
    """The parent's name; empty for the stack itself."""
    custom: bool
    inputs: dict[str, Any]
    depends_on: set[str]
    """Names of what it says it depends on."""
    deleted_with: str
    provider: str
    hooks: list[str]
    outputs: dict[str, Any] | None = None
    """What a component registered as outputs; None if it never did."""


@dataclass
class Recording:
    """All that a program registered."""

    resources: list[Registration] = field(default_factory=list)

    def one(self, type_: str, name: str) -> Registration:
        """The one resource of this type and name."""
        found = [resource for resource in self.resources if (resource.type, resource.name) == (type_, name)]
        assert len(found) == 1, f"{len(found)} resources {type_} {name} among {self.names()}"
        return found[0]

    def names(self) -> set[tuple[str, str]]:
        """Type and name of each."""
        return {(resource.type, resource.name) for resource in self.resources}


class _Echo(mocks.Mocks):
    """A provider that returns what it gets."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"unexpected invoke {args.token}: a program must not read the cluster")


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Echo())
        self.recording = recording
        self._by_urn: dict[str, Registration] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            registration = Registration(
                type=request.type,
                name=request.name,
                parent=_name(request.parent),
                custom=request.custom,
                inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
                depends_on={_name(urn) for urn in request.dependencies},
                deleted_with=_name(request.deletedWith),
                provider=request.provider,
                hooks=list(request.hooks.before_update),
            )
            self.recording.resources.append(registration)
            self._by_urn[response.urn] = registration
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn in self._by_urn:
            self._by_urn[request.urn].outputs = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _name(urn: str) -> str:
    return "" if "::pulumi:pulumi:Stack::" in urn else urn.rpartition("::")[2]


def run(
    program: Callable[[], object], config: dict[str, str] | None = None, *, plain_secret: bool = False
) -> Recording:
    """Run a program against the mocks, to its end.

    Pulumi keeps its settings in context variables: in a context of its own, a run leaves no trace.
    """
    return contextvars.copy_context().run(_run, program, config or {}, plain_secret)


def _run(program: Callable[[], object], config: dict[str, str], plain_secret: bool) -> Recording:
    async def registered() -> None:
        """Stands in for the callback server that the mocks lack."""

    def register(_hook: object) -> "asyncio.Future[None]":
        return asyncio.ensure_future(registered())

    async def main() -> None:
        mocks.set_mocks(_Echo(), project="siteforge", stack="test", preview=False, monitor=_Monitor(recording))
        keys = {f"siteforge:{key}": value for key, value in config.items()}
        pulumi.runtime.set_all_config(keys, [] if plain_secret else ["siteforge:secret", "siteforge:passwords"])
        await run_pulumi_func(program)  # type: ignore[arg-type]

    recording = Recording()
    restarts.announcement.cache_clear()
    with mock.patch("pulumi.resource_hooks.register_resource_hook", register):
        try:
            asyncio.run(main())
        finally:
            pulumi.runtime.set_all_config({})
            restarts.announcement.cache_clear()
    return recording
