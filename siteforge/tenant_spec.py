"""What a line of the catalogue may say about one tenant: the fields, their types, and what they mean.

The same model checks the catalogue (camelCase keys) and the arguments of a `Tenant` in a program of
one's own (snake_case keys), so that both follow the same rules.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from siteforge.constraints import (
    AccessMode,
    Cpu,
    Email,
    Image,
    Memory,
    Replicas,
    Storage,
    StorageClassName,
    TenantName,
    Title,
    rule,
)
from siteforge.plans import DEFAULT_PLAN, PLANS
from siteforge.suggestions import did_you_mean


class _Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Amounts(_Model):
    """An amount of each resource; what is left out comes from the plan."""

    cpu: Cpu | None = None
    """Cores; `m` stands for thousandths of one."""
    memory: Memory | None = None
    """Bytes; `Mi` stands for 2^20 of them, `Gi` for 2^30."""


class Resources(_Model):
    """A container's requests (what it is promised) and limits (what it may use at most)."""

    requests: Amounts = Amounts()
    """What the container is promised."""
    limits: Amounts = Amounts()
    """What it may use at most; not less than its requests."""


class VolumeSpec(_Model):
    """A volume; what is left out comes from the plan, and the class from the cluster's default."""

    size: Storage | None = None
    """Bytes; it can grow later where the storage class allows it, and never shrink."""
    storage_class: StorageClassName | None = None
    """The cluster's default class when left out; fixed once created."""


class MediaVolumeSpec(VolumeSpec):
    """The volume of wp-content: uploads, plugins, themes."""

    access_mode: AccessMode = "ReadWriteOnce"
    """With ReadWriteOnce all replicas run on one node; ReadWriteMany lets them spread."""


class WordPressSpec(_Model):
    """Overrides of what the plan gives the site."""

    image: Image | None = None
    """An image with the contract of the official `wordpress` one, by tag or digest; the stack's when left out."""
    replicas: Replicas | None = None
    """Pods that serve the site."""
    resources: Resources = Resources()
    """What the container gets."""
    volume: MediaVolumeSpec = MediaVolumeSpec()
    """The volume of wp-content."""


class DatabaseSpec(_Model):
    """Overrides of what the plan gives the database."""

    image: Image | None = Field(default=None, examples=["mariadb:11.4.8"])
    """An image with the contract of the official `mariadb` one, by tag or digest; the stack's when left out."""
    resources: Resources = Resources()
    """What the container gets."""
    volume: VolumeSpec = VolumeSpec()
    """The volume of the database's files."""


def _plan(text: str) -> str:
    if text not in PLANS:
        raise rule("there is no such plan", did_you_mean(text, PLANS))
    return text


PlanName = Annotated[str, AfterValidator(_plan), Field(json_schema_extra={"enum": list(PLANS)})]


class TenantSpec(_Model):
    """One tenant, as written in the catalogue."""

    name: TenantName
    """The tenant's and its namespace's name; fixed once created."""
    title: Title
    """The site's title; also applied when it changes here later."""
    admin_email: Email
    """The administrator's address; also applied when it changes here later."""
    plan: PlanName = DEFAULT_PLAN
    """The sizes that the tenant gets where it names none of its own."""
    wordpress: WordPressSpec = WordPressSpec()
    """Overrides of what the plan gives the site."""
    database: DatabaseSpec = DatabaseSpec()
    """Overrides of what the plan gives the database."""


class Catalogue(_Model):
    """The tenants of a stack, one entry each."""

    tenants: Annotated[list[TenantSpec], Field(min_length=1)]
    """At least one; to remove all, run `pulumi destroy`."""
