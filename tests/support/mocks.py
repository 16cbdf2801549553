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

CLUSTER = "5d2b3c1e-0000-4000-8000-000000000001"
"""The identity of the cluster that there would be."""

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
    protected: bool
    frames: int
    """Of the stack trace."""
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

    def __init__(self, told: dict[str, Any] | None = None) -> None:
        self.told = told or {}

    def call(self, args: mocks.MockCallArgs) -> Any:
        if args.token == "pulumi:pulumi:readStackOutputs":
            return {"outputs": self.told}
        raise AssertionError(f"unexpected invoke {args.token}: a program must not read the cluster")


class _Cluster:
    """A cluster that says who it is, and nothing else."""

    context, server = "here", "https://cluster.example.com"

    def __init__(self, uid: str) -> None:
        self._uid = uid

    def __call__(self, context: str | None) -> "_Cluster":
        return self

    def __enter__(self) -> "_Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def uid(self) -> str:
        return self._uid


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording, told: dict[str, Any]) -> None:
        super().__init__(_Echo(told))
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
                protected=request.protect,
                frames=len(request.stackTrace.frames),
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
    program: Callable[[], object],
    config: dict[str, str] | None = None,
    *,
    plain_secret: bool = False,
    told: dict[str, Any] | None = None,
    cluster: str = CLUSTER,
) -> Recording:
    """Run a program against the mocks, to its end.

    Args:
        program: the program.
        config: the stack's configuration.
        plain_secret: whether what should be secret in it is not.
        told: the stack's outputs after an earlier run.
        cluster: the identity of the cluster, which is not there.

    Pulumi keeps its settings in context variables: in a context of its own, a run leaves no trace.
    """
    with mock.patch("siteforge.settings.Cluster", _Cluster(cluster)):
        return contextvars.copy_context().run(_run, program, config or {}, plain_secret, told or {})


def _run(program: Callable[[], object], config: dict[str, str], plain_secret: bool, told: dict[str, Any]) -> Recording:
    async def registered() -> None:
        """Stands in for the callback server that the mocks lack."""

    def register(_hook: object) -> "asyncio.Future[None]":
        return asyncio.ensure_future(registered())

    async def main() -> None:
        mocks.set_mocks(_Echo(), project="siteforge", stack="test", preview=False, monitor=_Monitor(recording, told))
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
