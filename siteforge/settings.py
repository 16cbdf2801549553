"""What the stack's configuration says: which catalogue, which images, which secret, which cluster."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime.config import is_config_secret

from siteforge import debug_log
from siteforge.components.tenant import TenantArgs
from siteforge.errors import SettingsError, SiteforgeError
from siteforge.secrets import MINIMUM_LENGTH
from siteforge.tenant_spec import TenantSpec

SECRET_FILE = "SITEFORGE_SECRET_FILE"
"""Names a file with the stack's secret, for stacks whose configuration holds none."""

_SECRET_FIX = "openssl rand -base64 32 | pulumi config set --secret siteforge:secret"


@dataclass(frozen=True)
class Settings:
    """The stack's configuration, read once."""

    catalogue: Path
    secret: pulumi.Output[str]
    wordpress_image: str
    database_image: str
    provider: pulumi.ProviderResource
    """One for all tenants: each provider is a process, with a discovery of the cluster of its own."""

    def tenant_args(self, spec: TenantSpec) -> TenantArgs:
        """The arguments of a tenant of the catalogue, with the stack's images where it names none."""
        fields: dict[str, Any] = spec.model_dump(exclude={"name"}, exclude_none=True)
        fields["wordpress"].setdefault("image", self.wordpress_image)
        fields["database"].setdefault("image", self.database_image)
        return cast(TenantArgs, fields | {"secret": self.secret})


def read() -> Settings:
    """Read the configuration of the stack that runs.

    Raises:
        SettingsError: there is no usable secret.
    """
    config = pulumi.Config()
    provider = kubernetes.Provider(
        "kubernetes",
        context=config.get("context") or None,
        # Otherwise a changed Secret or ConfigMap is deleted and made anew under its pods.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
    )
    return Settings(
        catalogue=Path(config.require("catalogue")),
        secret=_secret(config),
        wordpress_image=config.require("wordpressImage"),
        database_image=config.require("databaseImage"),
        provider=provider,
    )


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Show what Siteforge has to say as Pulumi's error message, without a traceback; log no secret."""
    debug_log.keep_outputs_out()
    try:
        yield
    except SiteforgeError as error:
        raise pulumi.RunError(str(error)) from error


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
