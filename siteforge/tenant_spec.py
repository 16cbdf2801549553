"""What a line of the catalogue may say about one tenant: the fields, their types, and what they mean.

The same model checks the catalogue (camelCase keys) and the arguments of a `Tenant` in a program of
one's own (snake_case keys), so that both follow the same rules.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from siteforge.addresses import Cidr, Domains, Host, Port, is_address
from siteforge.constraints import (
    AccessMode,
    Cpu,
    CredentialsVersion,
    DatabaseName,
    Email,
    Image,
    IssuerName,
    LabelKey,
    LabelValue,
    Login,
    Memory,
    NodeSelector,
    PriorityClassName,
    Replicas,
    Seconds,
    SecretName,
    Storage,
    StorageClassName,
    Subjects,
    TenantName,
    Title,
    Utilization,
    rule,
)
from siteforge.plans import DEFAULT_PLAN, PLANS
from siteforge.rings import LAST, Ring
from siteforge.site_values import (
    Constants,
    Environment,
    ExecutionSeconds,
    InputVars,
    PhpMemory,
    UploadSize,
)
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


class TlsSpec(_Model):
    """Who ends TLS for the tenant's domains, with which certificate: one of three ways."""

    secret_name: SecretName | None = None
    """A Secret of type kubernetes.io/tls in the tenant's namespace, that somebody else keeps there."""
    issuer: IssuerName | None = None
    """An issuer of cert-manager, which then keeps the certificate."""
    kind: Literal["Issuer", "ClusterIssuer"] | None = None
    """The issuer's kind; ClusterIssuer when left out."""
    upstream: bool = False
    """What stands in front has the certificate: a Gateway's listener, a load balancer."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [way for way in (self.secret_name, self.issuer, self.upstream) if way]
        if len(ways) != 1:
            reason = "more than one certificate" if ways else "no certificate"
            raise rule(reason, "write one of secretName, issuer, or upstream: true")
        if self.kind is not None and self.issuer is None:
            raise rule("kind without an issuer", "add issuer, or remove kind")
        return self


class PhpSpec(_Model):
    """PHP's limits, each for one request; what is left out is PHP's own default, and 64Mi for uploads."""

    memory_limit: PhpMemory = "128Mi"
    """What one request may take; not more than the container."""
    upload_limit: UploadSize = "64Mi"
    """The largest file that can be uploaded."""
    max_execution_time: ExecutionSeconds = 30
    """Seconds."""
    max_input_vars: InputVars = 1000
    """Fields of a form."""


class SmtpSpec(_Model):
    """The server that takes the site's mail; the password is the stack's to give (docs/domains.md)."""

    host: Host
    """Its name or IP address."""
    port: Port = 587
    """Its port."""
    cidr: Cidr | None = None
    """The network the host is in, where it is a name of the private network."""
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted."""
    sender: Email = Field(alias="from")
    """The address that mail comes from."""
    user: Login | None = None
    """The login; none for a server that takes mail without one."""

    @model_validator(mode="after")
    def _no_plain_password(self) -> Self:
        if self.user is not None and self.encryption == "none":
            raise rule("a login without encryption", "use encryption: starttls or tls, or remove user")
        return self


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
    cron_minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] = 15
    """How often the site's scheduled work is done, in minutes."""
    php: PhpSpec = PhpSpec()
    """PHP's limits."""
    smtp: SmtpSpec | None = None
    """The server that takes the site's mail; without one it sends none."""
    env: Environment = {}
    """Variables of the environment, for plugins that read some."""
    extra_config: Constants = {}
    """Constants of wp-config.php."""


class ExternalDatabaseSpec(_Model):
    """A database that somebody else keeps; the password is the stack's to give (docs/database.md)."""

    host: Host
    """Its name or IP address."""
    port: Port = 3306
    """Its port."""
    cidr: Cidr | None = None
    """The network that its address is in; needed for a name, as network policies know addresses only."""
    name: DatabaseName = "wordpress"
    """The database's name there."""
    user: Login = "wordpress"
    """Who has all rights on that database."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.cidr is None and not is_address(self.host):
            raise rule("a name without its network, which network policies need", "add cidr, as in 10.20.0.0/16")
        return self


class DatabaseSpec(_Model):
    """Overrides of what the plan gives the database, or a database that is there already."""

    image: Image | None = Field(default=None, examples=["mariadb:11.4.8"])
    """An image with the contract of the official `mariadb` one, by tag or digest; the stack's when left out."""
    resources: Resources = Resources()
    """What the container gets."""
    scheduling: SchedulingSpec = SchedulingSpec()
    """Which nodes the pod runs on, and before whom."""
    volume: VolumeSpec = VolumeSpec()
    """The volume of the database's files."""
    external: ExternalDatabaseSpec | None = None
    """A database that somebody else keeps, instead of one of its own."""


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
    renamed_from: TenantName | None = None
    """Refused, with the way to go: a name can't be changed, and data don't move with it."""
    title: Title
    """The site's title; also applied when it changes here later."""
    admin_email: Email
    """The administrator's address; also applied when it changes here later."""
    plan: PlanName = DEFAULT_PLAN
    """The sizes that the tenant gets where it names none of its own."""
    deletion_protection: bool | None = None
    """Whether the tenant is kept when it is removed here; the stack's (true) when left out."""
    frozen: bool = False
    """Whether the tenant is left exactly as it is in the cluster, whatever else its line says."""
    ring: Ring = LAST
    """When a release reaches the tenant: with the few that try it, early, or with all others."""
    credentials_version: CredentialsVersion = 1
    """Raised by one to give the tenant new passwords and salts."""
    owners: OwnersSpec = OwnersSpec()
    """Who may operate the tenant with kubectl; nobody when left out."""
    suspended: bool = False
    """Whether a page that says so stands for the site, which doesn't run; its data are kept."""
    domains: Domains = []
    """The site's public names; the first is the canonical one, which the others redirect to."""
    tls: TlsSpec | None = None
    """Without it, the domains are served over plain HTTP."""
    wordpress: WordPressSpec = WordPressSpec()
    """Overrides of what the plan gives the site."""
    database: DatabaseSpec = DatabaseSpec()
    """Overrides of what the plan gives the database."""


class Catalogue(_Model):
    """The tenants of a stack, one entry each."""

    tenants: Annotated[list[TenantSpec], Field(min_length=1)]
    """At least one; to remove all, run `pulumi destroy`."""
