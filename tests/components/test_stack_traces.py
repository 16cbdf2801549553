from collections.abc import Mapping

import pulumi
import pytest
from pulumi.runtime import resource

from siteforge import stack_traces
from tests.support import mocks


class One(pulumi.ComponentResource):
    """The SDK looks for the constructor of a class like this one."""

    def __init__(self) -> None:
        super().__init__("siteforge:test:One", "one")


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own function is there, whatever ran before in this process; after the test, what was there."""
    there = resource._get_stack_trace
    monkeypatch.setattr(resource, "_get_stack_trace", getattr(there, "__wrapped__", there))


def frames(environment: Mapping[str, str] | None) -> int:
    """How many the engine is told of a resource, the SDK left as it is or asked to leave them out."""

    def program() -> None:
        if environment is not None:
            stack_traces.leave_out(environment)
            stack_traces.leave_out(environment)
        One()

    (one,) = mocks.run(program).resources
    return one.frames


def test_resources_are_registered_without_stack_traces() -> None:
    assert frames({}) == 0


def test_stack_traces_are_sent_when_asked_for() -> None:
    assert frames({stack_traces.VARIABLE: "yes"}) > 1
