"""What a stack's configuration says: which catalogue, images and secret, and what the cluster is like.

The program reads it from Pulumi's engine, the command line from `pulumi config`: both get it from here.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, TypeAdapter, ValidationError

from siteforge import blueprint, capacity, names, secrets
from siteforge.blueprint import Blueprint, Images, Ingress, misfits, needed_passwords
from siteforge.capacity import Budget
from siteforge.constraints import GatewayName, IngressClassName, NamespaceName, PullPolicy
from siteforge.document import render_path
from siteforge.errors import SettingsError
from siteforge.safeguards import REMOVABLE_PERCENT
from siteforge.secrets import MINIMUM_LENGTH, Credentials, Given
from siteforge.tenant_spec import TenantSpec
from siteforge.violations import violations

SECRET_FILE = "SITEFORGE_SECRET_FILE"
"""Names a file with the stack's secret, for stacks whose configuration holds none."""

NAMESPACE = "siteforge"
"""Pulumi's project, and so the first part of each key."""

KEYS = (
    "awaitIngress",
    "budget",
    "catalogue",
    "cells",
    "context",
    "databaseImage",
    "deletionProtection",
    "gateway",
    "imagePullPolicy",
    "ingressClass",
    "ingressNamespace",
    "metricsNamespace",
    "passwords",
    "readiness",
    "removablePercent",
    "render",
    "secret",
    "wordpressImage",
)
"""Every key that Pulumi.yaml declares."""

PLACEHOLDER = "what rendered manifests derive their passwords from: no secret of anybody"
"""Public on purpose. A stack that renders never reads its own secret, and two renderings are the same."""


def _purpose(text: str) -> str:
    if text not in secrets.PURPOSES:
        raise ValueError("no purpose of a password")
    return text


Purpose = Annotated[str, AfterValidator(_purpose)]

Readiness = Literal["pulumi", "fleet"]

_SECRET_FIX = "openssl rand -base64 32 | pulumi config set --secret siteforge:secret"

Value = TypeVar("Value")


class Adopted(BaseModel):
    """The passwords and salts that a tenant had before it was adopted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    version: int
    """The `credentialsVersion` that they stand for: a higher one gives the tenant derived ones."""
    values: dict[Purpose, str] = Field(repr=False)


class Passwords(BaseModel):
    """The passwords of servers that are not the tenant's own, and of tenants that were adopted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    database: str = Field(default="", repr=False)
    smtp: str = Field(default="", repr=False)
    adopted: Json[Adopted] | None = Field(default=None, repr=False)
    """As JSON in a text: `pulumi config` encrypts texts only."""

    def kept(self, version: int) -> dict[str, str]:
        """What stands for derived values, at a `credentialsVersion`."""
        return dict(self.adopted.values) if self.adopted and self.adopted.version == version else {}


_NO_PASSWORDS = Passwords()
_PLACEHOLDERS = Passwords(database=PLACEHOLDER, smtp=PLACEHOLDER)


@dataclass(frozen=True)
class Configuration:
    """A stack's configuration, checked."""

    catalogue: Path
    """As written: relative to the project's folder, where Pulumi runs the program."""
    cells: Path | None
    """The file that says which stack has which tenants; None for a stack that has them all."""
    secret: str
    images: Images
    ingress: Ingress
    budget: Budget
    readiness: Readiness
    """Who waits until what was made is ready: Pulumi, object by object, or `siteforge up`, all at once."""
    deletion_protection: bool
    """Of tenants that don't say."""
    removable_percent: int
    """The share of the tenants that may be removed at once."""
    context: str | None
    """The kubeconfig's context; None stands for the current one."""
    render: str
    """The folder to write manifests to; empty for a stack of a cluster."""
    passwords: Callable[[str], Passwords]
    """Those of the tenant of a name."""

    def __repr__(self) -> str:
        return f"Configuration({str(self.catalogue)!r})"

    def blueprint(self, spec: TenantSpec) -> Blueprint:
        """A tenant of the catalogue with everything decided."""
        protected = spec.deletion_protection
        spec = spec.model_copy(
            update={"deletion_protection": self.deletion_protection if protected is None else protected}
        )
        return blueprint.blueprint(spec, self.images, self.ingress)

    def credentials(self, spec: TenantSpec) -> Credentials:
        """Everything secret of a tenant of the catalogue."""
        return secrets.derive(self.secret, spec.name, spec.credentials_version, self._given(spec))

    def fingerprint(self, spec: TenantSpec) -> str:
        """What tells whether these secrets changed, which takes a tenth of the time to know."""
        return secrets.fingerprint(self.secret, spec.name, spec.credentials_version, self._given(spec))

    def _given(self, spec: TenantSpec) -> Given:
        known, needed = self.passwords(spec.name), needed_passwords(spec)
        return Given(**{whose: getattr(known, whose) for whose in needed}, adopted=known.kept(spec.credentials_version))

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
        capacity.check(map(self.blueprint, specs), self.budget, str(self.catalogue))

    def _problems(self, spec: TenantSpec) -> Iterator[str]:
        if names.namespace(spec.name) == self.ingress.namespace:
            yield (
                f"siteforge:ingressNamespace: {self.ingress.namespace} is a tenant's own namespace"
                " - name that of the ingress controller, or rename the tenant"
            )
        if names.namespace(spec.name) == self.ingress.metrics_namespace:
            yield (
                f"siteforge:metricsNamespace: {self.ingress.metrics_namespace} is a tenant's own namespace"
                " - name that of what scrapes metrics, or rename the tenant"
            )
        for path, reason, fix in misfits(spec, self.ingress):
            yield f"{self.catalogue}: tenant {spec.name}: {'.'.join(path)}: {reason} - {fix}"
        for whose in needed_passwords(spec):
            if not getattr(self.passwords(spec.name), whose):
                yield (
                    f"{self.catalogue}: tenant {spec.name}: no password for its {whose} server"
                    f" - pulumi config set --secret --path siteforge:passwords.{spec.name}.{whose}"
                )


def read(values: Mapping[str, str], secret: Collection[str]) -> Configuration:
    """Check a configuration.

    Args:
        values: what the stack says by key, without `siteforge:`; objects as JSON.
        secret: the keys whose values are encrypted.

    Raises:
        SettingsError: there is no usable secret, or a value can't be what it should say.
    """
    render = _render(values)
    return Configuration(
        catalogue=Path(_required(values, "catalogue")),
        cells=Path(values["cells"]) if values.get("cells") else None,
        secret=PLACEHOLDER if render else _secret(values, secret),
        images=Images(
            wordpress=_required(values, "wordpressImage"),
            database=_required(values, "databaseImage"),
            pull_policy=_checked("imagePullPolicy", _required(values, "imagePullPolicy"), TypeAdapter(PullPolicy)),
        ),
        ingress=_ingress(values),
        budget=_checked("budget", _object(values, "budget"), TypeAdapter(Budget)),
        readiness=_checked("readiness", values.get("readiness") or "pulumi", TypeAdapter(Readiness)),
        deletion_protection=_checked(
            "deletionProtection", _boolean(values, "deletionProtection", "true"), TypeAdapter(bool)
        ),
        removable_percent=_percent(values),
        context=values.get("context") or None,
        render=render,
        passwords=(lambda _: _PLACEHOLDERS) if render else _passwords(values, secret),
    )


def _key(key: str) -> str:
    return f"{NAMESPACE}:{key}"


def _required(values: Mapping[str, str], key: str) -> str:
    if not values.get(key):
        raise SettingsError(f"{_key(key)}: no value - pulumi config set {_key(key)} VALUE")
    return values[key]


def _render(values: Mapping[str, str]) -> str:
    """The folder to render to; empty for a stack of a cluster, whose objects would be deleted if it began to render."""
    render = values.get("render", "")
    for key in ("secret", "context"):
        if render and values.get(key):
            raise SettingsError(
                f"siteforge:render beside siteforge:{key}: a stack that renders has no cluster"
                f" - render in a stack of its own (docs/policy.md), or `pulumi config rm siteforge:render`"
            )
    return render


def _object(values: Mapping[str, str], key: str) -> Any:
    try:
        return json.loads(values.get(key) or "{}")
    except ValueError:
        # Its text is not shown: it may hold a password.
        raise SettingsError(f"{_key(key)}: not an object - pulumi config set --path {_key(key)}.FIELD VALUE") from None


def _checked(key: str, value: object, kind: TypeAdapter[Value]) -> Value:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(_key(key), error))) from None


def _explain(key: str, error: ValidationError) -> Iterator[str]:
    for found in violations(error, Budget):
        value = f" ({found.value})" if found.value else ""
        yield f"{render_path((key, *found.path))}: {found.reason}{value} - {found.fix}"


def _ingress(values: Mapping[str, str]) -> Ingress:
    fields: dict[str, tuple[str, TypeAdapter[Any]]] = {
        "namespace": ("ingressNamespace", TypeAdapter(NamespaceName)),
        "class_name": ("ingressClass", TypeAdapter(IngressClassName)),
        "gateway": ("gateway", TypeAdapter(GatewayName)),
        "metrics_namespace": ("metricsNamespace", TypeAdapter(NamespaceName)),
    }
    checked = {field: _checked(key, values[key], kind) for field, (key, kind) in fields.items() if values.get(key)}
    return Ingress(**checked, awaited=_checked("awaitIngress", _boolean(values, "awaitIngress"), TypeAdapter(bool)))


def _percent(values: Mapping[str, str]) -> int:
    text = values.get("removablePercent") or str(REMOVABLE_PERCENT)
    if not re.fullmatch("[0-9]{1,2}|100", text, re.ASCII):
        raise SettingsError(f"{_key('removablePercent')}: not a percentage ({text}) - use a whole number from 0 to 100")
    return int(text)


def _boolean(values: Mapping[str, str], key: str, default: str = "false") -> object:
    """What Pulumi takes for a boolean (sdk/python, `Config.get_bool`); any other text as it is."""
    text = values.get(key) or default
    return {"true": True, "false": False}.get(text, text)


def _passwords(values: Mapping[str, str], secret: Collection[str]) -> Callable[[str], Passwords]:
    key = _key("passwords")
    given = _object(values, "passwords")
    fix = f"pulumi config set --secret --path {key}.TENANT.database (or .smtp)"
    if given and "passwords" not in secret:
        raise SettingsError(f"{key} stand in the stack's configuration in plain text - {fix}")
    try:
        known = TypeAdapter(dict[str, Passwords]).validate_python(given)
    except ValidationError as error:
        # Neither a value nor a key is shown: who mistakes the form may have put a password anywhere.
        raise SettingsError(f"{key} has a wrong form, in {error.error_count()} places - {fix}") from None
    return lambda tenant: known.get(tenant, _NO_PASSWORDS)


def _secret(values: Mapping[str, str], secret: Collection[str]) -> str:
    text = values.get("secret")
    # The schema in Pulumi.yaml can't ask for it: a secret key there may have no default.
    if text and "secret" not in secret:
        raise SettingsError(f"siteforge:secret stands in the stack's configuration in plain text - {_SECRET_FIX}")
    text = text or _secret_from_file()
    if len(text) < MINIMUM_LENGTH:
        raise SettingsError(
            f"siteforge:secret has {len(text)} characters; at least {MINIMUM_LENGTH} are needed - {_SECRET_FIX}"
        )
    return text


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
