"""A tenant: an isolated WordPress, from its namespace to its Service."""

from collections.abc import Iterable, Iterator
from typing import Any

import pulumi
from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_snake

from siteforge import names
from siteforge.blueprint import Images, Ingress, Volume, blueprint, conflicts, misfits, needed_passwords
from siteforge.components.boundary import Boundary
from siteforge.components.credentials import derived
from siteforge.components.database import Database
from siteforge.components.kubernetes_object import KubernetesObject
from siteforge.components.tenant_args import TenantArgs
from siteforge.components.wordpress import WordPress
from siteforge.constraints import PullPolicy
from siteforge.document import shorten
from siteforge.errors import SiteforgeError
from siteforge.names import DATABASE, WORDPRESS, Role
from siteforge.safeguards import volumes
from siteforge.specs.wordpress import ADMIN_USER
from siteforge.tenant_spec import TenantSpec
from siteforge.violations import locate


class TenantArgsError(SiteforgeError, pulumi.RunError):
    """A tenant's name or arguments break a rule; as a RunError, Pulumi shows it without a traceback.

    Args:
        name: the tenant's name.
        problems: everything that is wrong.
    """

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        super().__init__("\n".join(f"tenant {shorten(name)}: {problem}" for problem in problems))


class Tenant(pulumi.ComponentResource):
    """An isolated WordPress: boundary, database and site.

    Args:
        name: the tenant's and its namespace's name.
        args: what it is made from.
        opts: Pulumi's options; a provider given here is used for everything below.

    Raises:
        TenantArgsError: the name or an argument breaks a rule of the catalogue.
    """

    namespace: pulumi.Output[str]
    """The tenant's namespace."""
    service: pulumi.Output[str]
    """The site's Service, on port 80."""
    url: pulumi.Output[str]
    """The site's address: its first domain; without one, its address inside the cluster."""
    domains: pulumi.Output[list[str]]
    """Its public names, the canonical one first."""
    images: dict[Role, str]
    """What its pods are to run, by role."""
    suspended: bool
    """Whether a page stands for the site, and nothing else of it runs."""
    deletion_protection: bool
    """Whether Pulumi refuses to delete what holds data."""
    volumes: dict[str, dict[str, pulumi.Input[str | bool]]]
    """By the name of their claim: `size`, `storageClass`, `accessMode`, and whether the class was written."""
    reach: pulumi.Output[str]
    """A command that makes the site answer on http://localhost:8080."""
    admin_user: pulumi.Output[str]
    """The administrator's login."""
    admin_password: pulumi.Output[str]
    """The administrator's first password (secret); what the owner changes in wp-admin stays changed."""

    def __init__(self, name: str, args: TenantArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = _spec(name, args)
        ingress = _ingress(name, args)
        _check(spec, args, ingress)
        tenant = blueprint(spec, _images(name, args), ingress)
        super().__init__("siteforge:index:Tenant", name, {}, opts)
        credentials = derived(
            args["secret"],
            name,
            spec.credentials_version,
            args.get("database_password", ""),
            args.get("smtp_password", ""),
            args.get("adopted_passwords", {}),
        )
        below = pulumi.ResourceOptions(parent=self)
        boundary = Boundary(f"{name}-boundary", tenant, below)
        site = WordPress(f"{name}-wordpress", tenant, credentials, boundary, below)
        claims: dict[str, KubernetesObject] = {WORDPRESS: site.claim}
        if tenant.database:
            # A site that still serves needs it: of a suspended tenant, the page comes first.
            before = [site.deployment] if tenant.suspended else []
            database = Database(f"{name}-database", tenant, credentials, boundary, before, below)
            claims[DATABASE] = database.claim
        self.images = {WORDPRESS: tenant.site.image} | ({DATABASE: tenant.database.image} if tenant.database else {})
        self.suspended = tenant.suspended
        self.deletion_protection = tenant.deletion_protection
        self.volumes = {claim: _volume(claims[claim], volume) for claim, volume in volumes(tenant).items()}

        self.namespace = boundary.namespace.metadata["name"]
        self.service = site.service.metadata["name"]
        self.url = pulumi.Output.from_input(tenant.url or f"http://{names.service_host(name)}")
        self.domains = pulumi.Output.from_input(list(tenant.domains))
        self.reach = pulumi.Output.format(
            "kubectl port-forward --namespace {0} service/{1} 8080:80", self.namespace, self.service
        )
        self.admin_user = pulumi.Output.from_input(ADMIN_USER)
        self.admin_password = pulumi.Output.secret(credentials.apply(lambda known: known.admin_password))
        # Not the password: the SDK writes registered outputs into its debug log, secrets in plain.
        self.register_outputs(
            {
                "namespace": self.namespace,
                "service": self.service,
                "url": self.url,
                "domains": self.domains,
                "reach": self.reach,
                "admin_user": self.admin_user,
            }
        )


def _volume(claim: KubernetesObject, volume: Volume) -> dict[str, pulumi.Input[str | bool]]:
    """What can't be changed of a volume, or not in every way."""
    return {
        "size": volume.size,
        "storageClass": claim.spec.apply(lambda spec: spec.get("storageClassName") or ""),
        "accessMode": volume.access_mode,
        "classWritten": volume.storage_class is not None,
    }


_NOT_OF_THE_CATALOGUE = frozenset(
    {"secret", "image_pull_policy", "database_password", "smtp_password", "adopted_passwords", "ingress"}
)


def _spec(name: str, args: TenantArgs) -> TenantSpec:
    """The arguments as a checked line of a catalogue."""
    fields: dict[str, Any] = {key: value for key, value in args.items() if key not in _NOT_OF_THE_CATALOGUE}
    try:
        return TenantSpec.model_validate({"name": name, **fields}, by_alias=False, by_name=True)
    except ValidationError as error:
        raise TenantArgsError(name, _messages(error)) from None


def _images(name: str, args: TenantArgs) -> Images:
    kind: TypeAdapter[PullPolicy] = TypeAdapter(PullPolicy)
    try:
        return Images(pull_policy=kind.validate_python(args.get("image_pull_policy", Images.pull_policy)))
    except ValidationError as error:
        raise TenantArgsError(name, _messages(error, "image_pull_policy")) from None


def _ingress(name: str, args: TenantArgs) -> Ingress:
    try:
        return Ingress.model_validate(args.get("ingress", {}))
    except ValidationError as error:
        raise TenantArgsError(name, _messages(error, "ingress")) from None


def _check(spec: TenantSpec, args: TenantArgs, ingress: Ingress) -> None:
    """Make sure that the arguments fit each other."""
    found = [*conflicts(spec), *misfits(spec, ingress)]
    problems = [f"{'.'.join(map(to_snake, path))}: {reason} - {fix}" for path, reason, fix in found]
    if spec.frozen:
        problems.append("frozen: a Tenant makes what it says - only the catalogue can freeze one (docs/freeze.md)")
    if ingress.namespace == names.namespace(spec.name):
        fix = "name that of the ingress controller, or rename the tenant"
        problems.append(f"ingress.namespace: the tenant's own namespace ({ingress.namespace}) - {fix}")
    for whose in needed_passwords(spec):
        if not args.get(f"{whose}_password"):
            problems.append(
                f"{whose}_password: missing - the {whose} server is not the tenant's own: pass its password"
            )
    if problems:
        raise TenantArgsError(spec.name, problems)


def _messages(error: ValidationError, *above: str) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        path, _ = locate(detail)
        fix = detail.get("ctx", {}).get("fix")
        where = ".".join(map(str, (*above, *path)))
        yield f"{where}: {detail['msg']} ({shorten(detail['input'])}){f' - {fix}' if fix else ''}"
