"""What a line of the catalogue may say about one tenant: the fields, their types, and what they mean.

The same model checks the catalogue (camelCase keys) and the arguments of a `Tenant` in a program of
one's own (snake_case keys), so that both follow the same rules.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from siteforge.constraints import (
    AccessMode,
    Cpu,
    CredentialsVersion,
    Email,
    Image,
    LabelKey,
    LabelValue,
    Memory,
    NodeSelector,
    PriorityClassName,
    Replicas,
    Seconds,
    Storage,
    StorageClassName,
    Subjects,
    TenantName,
    Title,
    Utilization,
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


class TolerationSpec(_Model):
    """A taint of nodes that pods put up with (kubernetes.io/docs/concepts/scheduling-eviction)."""

    key: LabelKey
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """None stands for all of them."""
    toleration_seconds: Seconds | None = None
    """How long a running pod stays on a node that gets the taint; forever when left out."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.operator == "Equal" and self.value is None:
            raise rule("operator Equal without a value", "add value, or operator: Exists")
        if self.operator == "Exists" and self.value is not None:
            raise rule("operator Exists with a value", "remove value, or operator: Exists")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise rule("tolerationSeconds without effect NoExecute", "add effect: NoExecute, or remove it")
        return self


class SchedulingSpec(_Model):
    """Which nodes pods run on, and before whom; in Kubernetes' own terms, which `specs` takes over as they are."""

    priority_class_name: PriorityClassName | None = None
    node_selector: NodeSelector = {}
    tolerations: list[TolerationSpec] = []


class AutoscalingSpec(_Model):
    """Replicas that follow the load."""

    min_replicas: Replicas = 1
    max_replicas: Replicas
    target_cpu_utilization_percentage: Utilization = 80
    """What pods should use on average, in percent of the CPU they request: over it there are more of them."""


class WordPressSpec(_Model):
    """Overrides of what the plan gives the site."""

    image: Image | None = None
    replicas: Replicas | None = None
    autoscaling: AutoscalingSpec | None = None
    resources: Resources = Resources()
    scheduling: SchedulingSpec = SchedulingSpec()
    volume: MediaVolumeSpec = MediaVolumeSpec()
    internet_access: bool = True
    """Whether the site may reach the internet over HTTPS: updates, plugins and themes, APIs."""


class DatabaseSpec(_Model):
    """Overrides of what the plan gives the database."""

    image: Image | None = None
    resources: Resources = Resources()
    scheduling: SchedulingSpec = SchedulingSpec()
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
    credentials_version: CredentialsVersion = 1
    """Raised by one to give the tenant new passwords and salts."""
    owners: OwnersSpec = OwnersSpec()
    wordpress: WordPressSpec = WordPressSpec()
    database: DatabaseSpec = DatabaseSpec()
