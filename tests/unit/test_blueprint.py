from pathlib import Path
from typing import Any

import pytest
import yaml

from siteforge.blueprint import Images, Ingress, blueprint, conflicts
from siteforge.plans import PLANS
from siteforge.tenant_spec import TenantSpec


def spec(**fields: Any) -> TenantSpec:
    return TenantSpec.model_validate(
        {"name": "blog-aku", "title": "Aku", "adminEmail": "aku@example.com", **fields}, by_alias=True, by_name=False
    )


@pytest.mark.parametrize("plan", PLANS)
def test_what_is_not_written_comes_from_the_plan(plan: str) -> None:
    decided = blueprint(spec(plan=plan), Images(), Ingress())
    assert decided.site.size == PLANS[plan].wordpress
    assert decided.site.volume.size == PLANS[plan].wordpress_volume
    assert decided.database
    assert decided.database.size == PLANS[plan].database
    assert decided.database.volume.size == PLANS[plan].database_volume
    assert decided.site.replicas == PLANS[plan].replicas
    assert (decided.site.image, decided.database.image) == (Images().wordpress, Images().database)


def test_overrides_win_over_the_plan() -> None:
    decided = blueprint(
        spec(
            plan="nano",
            wordpress={
                "image": "wordpress:6.8.2-apache",
                "replicas": 3,
                "resources": {"requests": {"cpu": "1000m"}, "limits": {"cpu": "2000m", "memory": "1024Mi"}},
                "volume": {"size": "1024Gi", "storageClass": "fast", "accessMode": "ReadWriteMany"},
            },
            database={"image": "mariadb:11.4.7", "volume": {"size": "3Gi"}},
        ),
        Images(),
        Ingress(),
    )
    assert decided.site.image == "wordpress:6.8.2-apache"
    assert decided.site.replicas == 3
    # Canonical, or the next refresh would show a difference.
    assert (decided.site.size.cpu_request, decided.site.size.cpu_limit) == ("1", "2")
    assert (decided.site.size.memory_request, decided.site.size.memory_limit) == ("128Mi", "1Gi")
    assert decided.site.volume.size == "1Ti"
    assert (decided.site.volume.storage_class, decided.site.volume.access_mode) == ("fast", "ReadWriteMany")
    assert decided.database
    assert decided.database.image == "mariadb:11.4.7"
    assert decided.database.volume.size == "3Gi"


def test_the_stacks_images_serve_tenants_that_name_none() -> None:
    decided = blueprint(
        spec(database={"image": "mariadb:11.4.7"}),
        Images("registry.example/wp:1", "registry.example/db:1"),
        Ingress(),
    )
    assert decided.database
    assert (decided.site.image, decided.database.image) == ("registry.example/wp:1", "mariadb:11.4.7")


def test_requests_over_limits_are_found_whoever_gives_them() -> None:
    own = spec(plan="nano", wordpress={"resources": {"requests": {"cpu": "2"}}})
    assert [path for path, _, _ in conflicts(own)] == [("wordpress", "resources", "requests", "cpu")]
    plans = spec(plan="large", database={"resources": {"limits": {"memory": "1Gi"}}})
    assert [path for path, _, _ in conflicts(plans)] == [("database", "resources", "limits", "memory")]
    assert conflicts(spec()) == []


def test_the_stacks_defaults_are_those_of_a_tenant_in_a_program_of_ones_own() -> None:
    config = yaml.safe_load((Path(__file__).parents[2] / "Pulumi.yaml").read_text())["config"]
    keys = ("wordpressImage", "databaseImage", "imagePullPolicy")
    assert Images(*(config[f"siteforge:{key}"]["default"] for key in keys)) == Images()
