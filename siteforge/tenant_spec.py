"""What a line of the catalogue may say about one tenant: the fields, their types, and what they mean.

The same model checks the catalogue (camelCase keys) and the arguments of a `Tenant` in a program of
one's own (snake_case keys), so that both follow the same rules.
"""

from typing import Annotated, Any, Literal, Self

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
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself, being frozen: pydantic would copy the defaults that hold lists, for each tenant anew."""
        return self


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


class TolerationSpec(_Model):
    """A taint of nodes that pods put up with (kubernetes.io/docs/concepts/scheduling-eviction)."""

    key: LabelKey
    """The taint's key."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal compares the taint's value, Exists takes any."""
    value: LabelValue | None = None
    """The taint's value; with Equal only."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; any when left out."""
    toleration_seconds: Seconds | None = None
    """How long a running pod stays on a node that gets the taint; forever when left out, with NoExecute only."""

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
    """A priority class of the cluster: who is placed first, and who makes room."""
    node_selector: NodeSelector = {}
    """Labels that a node must have."""
    tolerations: list[TolerationSpec] = []
    """Taints of nodes that the pods put up with."""


class AutoscalingSpec(_Model):
    """Replicas that follow the load."""

    min_replicas: Replicas = 1
    """Pods that serve the site at its quietest."""
    max_replicas: Replicas
    """Pods that serve the site at its busiest."""
    target_cpu_utilization_percentage: Utilization = 80
    """What pods should use on average, in percent of the CPU they request: over it there are more of them."""


class WordPressSpec(_Model):
    """Overrides of what the plan gives the site."""

    image: Image | None = None
    """An image with the contract of the official `wordpress` one, by tag or digest; the stack's when left out."""
    replicas: Replicas | None = None
    """Pods that serve the site; the plan's when left out."""
    autoscaling: AutoscalingSpec | None = None
    """Replicas that follow the load; instead of `replicas`."""
    resources: Resources = Resources()
    """What the container gets."""
    scheduling: SchedulingSpec = SchedulingSpec()
    """Which nodes the pods run on, and before whom."""
    volume: MediaVolumeSpec = MediaVolumeSpec()
    """The volume of wp-content."""
    internet_access: bool = True
    """Whether the site may reach the internet over HTTPS: updates, plugins and themes, APIs."""


class DatabaseSpec(_Model):
    """Overrides of what the plan gives the database."""

    image: Image | None = Field(default=None, examples=["mariadb:11.4.8"])
    """An image with the contract of the official `mariadb` one, by tag or digest; the stack's when left out."""
    resources: Resources = Resources()
    """What the container gets."""
    scheduling: SchedulingSpec = SchedulingSpec()
    """Which nodes the pod runs on, and before whom."""
    volume: VolumeSpec = VolumeSpec()
    """The volume of the database's files."""


class OwnersSpec(_Model):
    """Who may operate the tenant with kubectl, by the names that the cluster's authentication gives them."""

    users: Subjects = []
    """Persons."""
    groups: Subjects = []
    """Groups of persons."""


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
    credentials_version: CredentialsVersion = 1
    """Raised by one to give the tenant new passwords and salts."""
    owners: OwnersSpec = OwnersSpec()
    """Who may operate the tenant with kubectl; nobody when left out."""
    wordpress: WordPressSpec = WordPressSpec()
    """Overrides of what the plan gives the site."""
    database: DatabaseSpec = DatabaseSpec()
    """Overrides of what the plan gives the database."""


class Catalogue(_Model):
    """The tenants of a stack, one entry each."""

    tenants: Annotated[list[TenantSpec], Field(min_length=1)]
    """At least one; to remove all, run `pulumi destroy`."""
