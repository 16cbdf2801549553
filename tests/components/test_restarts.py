from typing import Any
from unittest import mock

import pulumi
import pytest

from siteforge.components import restarts


@pytest.mark.parametrize(
    ("live", "declared", "covered"),
    [
        ({"a": 1, "default": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": None}, True),
        ({"list": [{"a": 1, "default": 2}]}, {"list": [{"a": 1}]}, True),
        ({"list": [{"a": 1}, {"b": 1}]}, {"list": [{"a": 1}]}, False),
        ({"list": None}, {"list": []}, False),
        (None, {"a": 1}, False),
    ],
)
def test_what_the_server_adds_is_no_difference(live: Any, declared: Any, covered: bool) -> None:
    assert restarts.covers(live, declared) is covered


def announced(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    args = pulumi.ResourceHookArgs(
        urn="", id="", name="blog-aku-database-stateful-set", type="", new_inputs=new, old_inputs=old, old_outputs=old
    )
    with mock.patch("pulumi.log.warn") as warn:
        restarts.announce(args)
    return [call.args[0] for call in warn.call_args_list]


def template(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


def test_a_change_of_the_databases_pods_is_announced() -> None:
    (message,) = announced(template("mariadb:1"), template("mariadb:2"))
    assert "blog-aku" in message
    assert "restarts the database" in message


def test_a_change_of_something_else_is_not() -> None:
    assert announced(template("mariadb:1"), template("mariadb:1") | {"metadata": {"labels": {"a": "b"}}}) == []
