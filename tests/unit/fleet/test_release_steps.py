from typing import Any

import pytest

from siteforge import configuration
from siteforge.configuration import Configuration
from siteforge.fleet.release_steps import Step, repository, steps
from siteforge.rings import RINGS
from siteforge.tenant_spec import TenantSpec

OLD, NEW = "wordpress:6.8", "wordpress:6.9"


@pytest.fixture
def settings() -> Configuration:
    said = {"catalogue": "tenants.yaml", "wordpressImage": OLD, "databaseImage": "mariadb:11", "secret": "-" * 40}
    return configuration.read({**said, "imagePullPolicy": "Always"}, {"secret"})


def tenant(name: str, image: str = "", **fields: Any) -> TenantSpec:
    line = {"name": name, "title": "A", "adminEmail": "a@example.com", **fields}
    return TenantSpec.model_validate(line | ({"wordpress": {"image": image}} if image else {}))


def test_rings_are_gone_through_in_order_and_who_names_none_is_in_the_last(settings: Configuration) -> None:
    tenants = [tenant("c"), tenant("a", ring="canary"), tenant("d", ring="all"), tenant("b", ring="early")]
    assert steps(tenants, settings, NEW, RINGS) == [
        Step("canary", ("a",), {}),
        Step("early", ("b",), {}),
        Step("all", ("c", "d"), {}),
    ]


def test_who_is_frozen_suspended_or_runs_another_image_is_left_out_with_the_reason(settings: Configuration) -> None:
    tenants = [
        tenant("frozen", frozen=True),
        tenant("asleep", suspended=True),
        tenant("special", "registry.example.com:5000/shop:6.8"),
        tenant("older", "wordpress:6.7@sha256:" + "0" * 64),
        tenant("newer", NEW),
        tenant("moved", "registry.example.com:5000/wordpress:1"),
    ]
    (step,) = steps(tenants, settings, NEW, ["all"])
    assert step.tenants == ("older", "newer")
    special = "has an image of its own, registry.example.com:5000/"
    assert step.left_out == {
        "frozen": "frozen",
        "asleep": "suspended",
        "special": f"{special}shop:6.8",
        "moved": f"{special}wordpress:1",
    }
    # A fleet may move to an image of another name.
    (moved,) = steps(tenants, settings, "registry.example.com:5000/wordpress:2", ["all"])
    assert moved.tenants == ("older", "newer", "moved")


@pytest.mark.parametrize("tail", ["", ":6.8", "@sha256:0", ":6.8@sha256:0"])
def test_an_images_name_has_neither_tag_nor_digest(tail: str) -> None:
    assert repository(f"wordpress{tail}") == "wordpress"
    assert repository(f"localhost:5000/a/wordpress{tail}") == "localhost:5000/a/wordpress"
