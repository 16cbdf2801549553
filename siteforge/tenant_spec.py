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
    Subjects,
    TenantName,
    Title,
    rule,
)
from siteforge.plans import DEFAULT_PLAN, PLANS
from siteforge.suggestions import did_you_mean


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class Amounts(_Model):
    """An amount of each resource; what is left out comes from the plan."""

    cpu: Cpu | None = None
    memory: Memory | None = None


class Resources(_Model):
    """A container's requests (what it is promised) and limits (what it may use at most)."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class VolumeSpec(_Model):
    """A volume; what is left out comes from the plan, and the class from the cluster's default."""

    size: Storage | None = None
    storage_class: StorageClassName | None = None


class MediaVolumeSpec(VolumeSpec):
    """The volume of wp-content: uploads, plugins, themes."""

    access_mode: AccessMode = "ReadWriteOnce"
    """With ReadWriteOnce all replicas run on one node; ReadWriteMany lets them spread."""


class WordPressSpec(_Model):
    """Overrides of what the plan gives the site."""

    image: Image | None = None
    replicas: Replicas | None = None
    resources: Resources = Resources()
    volume: MediaVolumeSpec = MediaVolumeSpec()
    internet_access: bool = True
    """Whether the site may reach the internet over HTTPS: updates, plugins and themes, APIs."""


class DatabaseSpec(_Model):
    """Overrides of what the plan gives the database."""

    image: Image | None = None
    resources: Resources = Resources()
    volume: VolumeSpec = VolumeSpec()


class OwnersSpec(_Model):
    """Who may operate the tenant with kubectl, by the names that the cluster's authentication gives them."""

    users: Subjects = []
    groups: Subjects = []


def _plan(text: str) -> str:
    if text not in PLANS:
        raise rule("there is no such plan", did_you_mean(text, PLANS))
    return text


class TenantSpec(_Model):
    """One tenant, as written in the catalogue."""

    name: TenantName
    """The tenant's and its namespace's name; fixed once created."""
    title: Title
    """The site's title; also applied when it changes here later."""
    admin_email: Email
    """The administrator's address; also applied when it changes here later."""
    plan: Annotated[str, AfterValidator(_plan), Field(examples=list(PLANS))] = DEFAULT_PLAN
    owners: OwnersSpec = OwnersSpec()
    wordpress: WordPressSpec = WordPressSpec()
    database: DatabaseSpec = DatabaseSpec()
