"""Blueprints for tests of what is computed from them."""

from typing import Any

from siteforge.blueprint import Blueprint, Images, Ingress, blueprint
from siteforge.tenant_spec import TenantSpec


def make(cluster: Ingress | None = None, /, **fields: Any) -> Blueprint:
    """The tenant blog-aku, on plan nano unless `fields`, in the catalogue's spelling, say otherwise."""
    line = {"name": "blog-aku", "title": "Aku's notebook", "adminEmail": "aku@example.com", "plan": "nano"}
    return blueprint(
        TenantSpec.model_validate(line | fields, by_alias=True, by_name=False), Images(), cluster or Ingress()
    )
