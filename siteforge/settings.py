"""What the stack's configuration says: which catalogue, images and secret, and what the cluster is like."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime.config import is_config_secret
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from siteforge import capacity, debug_log, names, rendering
from siteforge.blueprint import Images, Ingress, blueprint, misfits, needed_passwords
from siteforge.capacity import Budget
from siteforge.components.tenant_args import TenantArgs
from siteforge.constraints import GatewayName, IngressClassName, NamespaceName, PullPolicy
from siteforge.document import render_path
from siteforge.errors import SettingsError, SiteforgeError
from siteforge.secrets import MINIMUM_LENGTH
from siteforge.tenant_spec import TenantSpec
from siteforge.violations import violations

SECRET_FILE = "SITEFORGE_SECRET_FILE"
"""Names a file with the stack's secret, for stacks whose configuration holds none."""

_SECRET_FIX = "openssl rand -base64 32 | pulumi config set --secret siteforge:secret"


Value = TypeVar("Value")


class Passwords(BaseModel):
    """The passwords of servers that are not the tenant's own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    database: str = Field(default="", repr=False)
    smtp: str = Field(default="", repr=False)


_PLACEHOLDERS = Passwords(database=rendering.PLACEHOLDER, smtp=rendering.PLACEHOLDER)


@dataclass(frozen=True)
class Settings:
    """The stack's configuration, read once."""

    catalogue: Path
    secret: pulumi.Output[str]
    wordpress_image: str
    database_image: str
    image_pull_policy: PullPolicy
    ingress: Ingress
    budget: Budget
    passwords: Callable[[str], Passwords]
    """Those of the tenant of a name."""
    provider: pulumi.ProviderResource
    """One for all tenants: each provider is a process, with a discovery of the cluster of its own."""

    def tenant_args(self, spec: TenantSpec) -> TenantArgs:
        """The arguments of a tenant of the catalogue, with the stack's images where it names none."""
        fields: dict[str, Any] = spec.model_dump(exclude={"name"}, exclude_none=True)
        fields["wordpress"].setdefault("image", self.wordpress_image)
        fields["database"].setdefault("image", self.database_image)
        if spec.database.external:
            del fields["database"]["image"]
        known = self.passwords(spec.name)
        for whose in needed_passwords(spec):
            fields[f"{whose}_password"] = pulumi.Output.secret(getattr(known, whose))
        stack = {
            "secret": self.secret,
            "image_pull_policy": self.image_pull_policy,
            "ingress": self.ingress.model_dump(),
        }
        return cast(TenantArgs, fields | stack)

    def check(self, specs: Iterable[TenantSpec]) -> None:
        """Make sure, before anything is made, that the cluster of this configuration can have these tenants.

        Raises:
            CapacityError: they need more than the budget, or than their own quotas hold.
            SettingsError: a tenant would live with the ingress controller, which may reach all sites; or asks for
                what the cluster doesn't have, or needs a password that nobody gave.
        """
        specs = list(specs)
        problems = [problem for spec in specs for problem in self._problems(spec)]
        if problems:
            raise SettingsError("\n".join(problems))
        tenants = (blueprint(spec, Images(), self.ingress) for spec in specs)
        capacity.check(tenants, self.budget, str(self.catalogue))

    def _problems(self, spec: TenantSpec) -> Iterator[str]:
        if names.namespace(spec.name) == self.ingress.namespace:
            yield (
                f"siteforge:ingressNamespace: {self.ingress.namespace} is a tenant's own namespace"
                " - name that of the ingress controller, or rename the tenant"
            )
        for path, reason, fix in misfits(spec, self.ingress):
            yield f"{self.catalogue}: tenant {spec.name}: {'.'.join(path)}: {reason} - {fix}"
        for whose in needed_passwords(spec):
            if not getattr(self.passwords(spec.name), whose):
                yield (
                    f"{self.catalogue}: tenant {spec.name}: no password for its {whose} server"
                    f" - pulumi config set --secret --path siteforge:passwords.{spec.name}.{whose}"
                )


def read() -> Settings:
    """Read the configuration of the stack that runs.

    Raises:
        SettingsError: there is no usable secret, or a value can't be what it should say.
    """
    config = pulumi.Config()
    render = _render(config)
    return Settings(
        catalogue=Path(config.require("catalogue")),
        secret=pulumi.Output.secret(rendering.PLACEHOLDER) if render else _secret(config),
        wordpress_image=config.require("wordpressImage"),
        database_image=config.require("databaseImage"),
        image_pull_policy=_checked(
            config.full_key("imagePullPolicy"), config.require("imagePullPolicy"), TypeAdapter(PullPolicy)
        ),
        ingress=_ingress(config),
        budget=_checked(config.full_key("budget"), config.get_object("budget") or {}, TypeAdapter(Budget)),
        passwords=(lambda _: _PLACEHOLDERS) if render else _passwords(config),
        provider=rendering.provider(render) if render else _cluster(config),
    )


def _render(config: pulumi.Config) -> str:
    """The folder to render to; empty for a stack of a cluster, whose objects would be deleted if it began to render."""
    render = config.get("render") or ""
    for key in ("secret", "context"):
        if render and config.get(key):
            raise SettingsError(
                f"siteforge:render beside siteforge:{key}: a stack that renders has no cluster"
                f" - render in a stack of its own (docs/policy.md), or `pulumi config rm siteforge:render`"
            )
    return render


def _cluster(config: pulumi.Config) -> kubernetes.Provider:
    return kubernetes.Provider(
        "kubernetes",
        context=config.get("context") or None,
        # Otherwise a changed Secret or ConfigMap is deleted and made anew under its pods.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
    )


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Show what Siteforge has to say as Pulumi's error message, without a traceback; log no secret."""
    debug_log.keep_outputs_out()
    try:
        yield
    except SiteforgeError as error:
        raise pulumi.RunError(str(error)) from error


def _checked(key: str, value: object, kind: TypeAdapter[Value]) -> Value:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(key, error))) from None


def _explain(key: str, error: ValidationError) -> Iterator[str]:
    for found in violations(error, Budget):
        value = f" ({found.value})" if found.value else ""
        yield f"{render_path((key, *found.path))}: {found.reason}{value} - {found.fix}"


def _ingress(config: pulumi.Config) -> Ingress:
    fields: dict[str, tuple[str, TypeAdapter[Any]]] = {
        "namespace": ("ingressNamespace", TypeAdapter(NamespaceName)),
        "class_name": ("ingressClass", TypeAdapter(IngressClassName)),
        "gateway": ("gateway", TypeAdapter(GatewayName)),
    }
    given = {field: (key, config.get(key), kind) for field, (key, kind) in fields.items()}
    checked = {
        field: _checked(config.full_key(key), value, kind) for field, (key, value, kind) in given.items() if value
    }
    return Ingress(**checked, awaited=config.get_bool("awaitIngress") or False)


def _passwords(config: pulumi.Config) -> Callable[[str], Passwords]:
    key = config.full_key("passwords")
    given = config.get_object("passwords") or {}
    fix = f"pulumi config set --secret --path {key}.TENANT.database (or .smtp)"
    if given and not is_config_secret(key):
        raise SettingsError(f"{key} stand in the stack's configuration in plain text - {fix}")
    try:
        known = TypeAdapter(dict[str, Passwords]).validate_python(given)
    except ValidationError as error:
        # Neither a value nor a key is shown: who mistakes the form may have put a password anywhere.
        raise SettingsError(f"{key} has a wrong form, in {error.error_count()} places - {fix}") from None
    return lambda tenant: known.get(tenant, Passwords())


def _secret(config: pulumi.Config) -> pulumi.Output[str]:
    text = config.get("secret")
    # The schema in Pulumi.yaml can't ask for it: a secret key there may have no default.
    if text and not is_config_secret(config.full_key("secret")):
        raise SettingsError(f"siteforge:secret stands in the stack's configuration in plain text - {_SECRET_FIX}")
    text = text or _secret_from_file()
    if len(text) < MINIMUM_LENGTH:
        raise SettingsError(
            f"siteforge:secret has {len(text)} characters; at least {MINIMUM_LENGTH} are needed - {_SECRET_FIX}"
        )
    return pulumi.Output.secret(text)


def _secret_from_file() -> str:
    name = os.environ.get(SECRET_FILE)
    if not name:
        raise SettingsError(
            f"the stack has no secret to derive passwords from: neither siteforge:secret nor {SECRET_FILE} is set"
            f" - {_SECRET_FIX}"
        )
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SECRET_FILE}: {name} can't be read ({error}) - name a file with the secret") from None
