"""The stack that Pulumi runs: its configuration, the tenants that it has, the provider that makes them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime.config import is_config_secret

from siteforge import catalogue, cells, configuration, debug_log, rendering, targets
from siteforge.blueprint import needed_passwords
from siteforge.components.tenant_args import TenantArgs
from siteforge.configuration import Configuration
from siteforge.errors import SiteforgeError
from siteforge.specs.manifest import unawaited
from siteforge.tenant_spec import TenantSpec


@dataclass(frozen=True)
class Stack:
    """The stack that runs."""

    configuration: Configuration
    provider: pulumi.ProviderResource
    """One for all tenants: each provider is a process, with a discovery of the cluster of its own."""

    def tenants(self) -> list[TenantSpec]:
        """The tenants of this stack; of a run that is confined to some of them (`siteforge.targets`), just those.

        Raises:
            SiteforgeError: the catalogue, the file of cells or the configuration is wrong, or they don't fit.
        """
        specs = catalogue.load(self.configuration.catalogue)
        self.configuration.check(specs)
        if self.configuration.cells:
            specs = cells.load(self.configuration.cells).tenants(pulumi.get_stack(), specs)
        return targets.confined(specs)

    def args(self, spec: TenantSpec) -> TenantArgs:
        """The arguments of a tenant of the catalogue, with the stack's images where it names none."""
        settings = self.configuration
        fields: dict[str, Any] = spec.model_dump(exclude={"name"}, exclude_none=True)
        fields["wordpress"].setdefault("image", settings.images.wordpress)
        fields["database"].setdefault("image", settings.images.database)
        if spec.database.external:
            del fields["database"]["image"]
        known = settings.passwords(spec.name)
        for whose in needed_passwords(spec):
            fields[f"{whose}_password"] = pulumi.Output.secret(getattr(known, whose))
        stack = {
            "secret": pulumi.Output.secret(settings.secret),
            "image_pull_policy": settings.images.pull_policy,
            "ingress": settings.ingress.model_dump(),
        }
        return cast(TenantArgs, fields | stack)


def read() -> Stack:
    """Read the configuration of the stack that runs.

    Raises:
        SettingsError: there is no usable secret, or a value can't be what it should say.
    """
    config = pulumi.Config()
    values = {key: text for key in configuration.KEYS if (text := config.get(key))}
    settings = configuration.read(values, {key for key in values if is_config_secret(config.full_key(key))})
    if settings.readiness == "fleet":
        pulumi.runtime.register_stack_transformation(_unawaited)
    return Stack(settings, rendering.provider(settings.render) if settings.render else _cluster(settings))


def _unawaited(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.type_.startswith("kubernetes:"):
        return None
    return pulumi.ResourceTransformationResult(unawaited(dict(args.props)), args.opts)


def _cluster(settings: Configuration) -> kubernetes.Provider:
    return kubernetes.Provider(
        "kubernetes",
        context=settings.context,
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
