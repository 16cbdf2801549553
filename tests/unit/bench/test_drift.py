from typing import Any

import pytest

from bench import drift
from bench.fleet import Fleet

WANTED: dict[str, Any] = {"spec": {"replicas": 1, "containers": [{"name": "a", "image": "a:1"}]}}


def test_one_tenant_of_a_hundred_drifts_and_at_least_one() -> None:
    assert drift.drifted(Fleet(50).tenants) == ["bench-0001"]
    assert drift.drifted(Fleet(250).tenants) == ["bench-0001", "bench-0101", "bench-0201"]


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (WANTED, []),
        ({"spec": {**WANTED["spec"], "paused": False}, "status": {}}, []),
        ({"spec": {**WANTED["spec"], "replicas": 2}}, ["spec.replicas"]),
        ({"spec": {"replicas": 1, "containers": [{"name": "a", "image": "b:1"}]}}, ["spec.containers.0.image"]),
        ({"spec": {"replicas": 1, "containers": []}}, ["spec.containers"]),
        ({"spec": {"replicas": 1}}, ["spec.containers"]),
    ],
)
def test_a_field_that_is_not_as_declared_is_named(found: dict[str, Any], fields: list[str]) -> None:
    assert list(drift.unlike(WANTED, found)) == fields


def test_the_label_that_says_which_tool_made_it_may_differ() -> None:
    def labelled(value: str) -> dict[str, Any]:
        return {"metadata": {"labels": {"app.kubernetes.io/managed-by": value}}}

    assert list(drift.unlike(labelled("pulumi"), labelled("Helm"))) == []
