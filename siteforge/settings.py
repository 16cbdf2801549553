"""The stack that Pulumi runs: its configuration, the tenants that it has, the provider that makes them."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime.config import is_config_secret

from siteforge import (
    catalogue,
    cells,
    configuration,
    debug_log,
    outputs,
    rendering,
    safeguards,
    stack_traces,
    targets,
)
from siteforge.blueprint import needed_passwords
from siteforge.components.tenant_args import TenantArgs
from siteforge.configuration import Configuration
from siteforge.errors import SiteforgeError, UnsafeError
from siteforge.fleet import freeze
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import BY_NAME
from siteforge.specs.manifest import unawaited
from siteforge.specs.objects import Placed, objects
from siteforge.tenant_spec import TenantSpec


@dataclass(frozen=True)
class Stack:
    """The stack that runs."""

    configuration: Configuration
    provider: pulumi.ProviderResource
    """One for all tenants: each provider is a process, with a discovery of the cluster of its own."""
    cluster: str
    """The cluster's identity; empty for a stack that renders."""
    told: Mapping[str, Any]
    """The stack's outputs after its last run."""

    def tenants(self) -> list[TenantSpec]:
        """The tenants of this stack; of a run that is confined to some of them (`siteforge.targets`), just those.

        Raises:
            SiteforgeError: the catalogue, the file of cells or the configuration is wrong, or they don't fit; or what
                they say would lose data.
        """
        settings = self.configuration
        everybody = catalogue.load(settings.catalogue)
        settings.check(everybody)
        specs = everybody
        if settings.cells:
            specs = cells.load(settings.cells).tenants(pulumi.get_stack(), everybody)
        safeguards.check(
            self.told.get("tenants", {}),
            map(settings.blueprint, specs),
            {spec.name for spec in everybody}.difference(spec.name for spec in specs),
            settings.removable_percent,
            str(settings.catalogue),
            targets.names(),
        )
        return targets.confined(specs)

    def live(self, specs: Iterable[TenantSpec]) -> dict[str, list[Placed]]:
        """What the cluster has of each of the frozen tenants; of a stack that renders, none is frozen.

        Raises:
            ClusterError: the cluster can't be asked.
        """
        frozen = [spec.name for spec in specs if spec.frozen]
        if not frozen or self.configuration.render:
            return {}
        with Cluster(self.configuration.context) as cluster:
            return freeze.live(cluster, frozen)

    def thaw(self, specs: Iterable[TenantSpec]) -> None:
        """Delete what tenants kept while they were frozen and their lines no longer ask for: the engine only read it.

        Raises:
            ClusterError: the cluster can't be asked, or refuses.
        """
        known = self.told.get("tenants", {})
        for spec in specs:
            if spec.frozen or not known.get(spec.name, {}).get("frozen"):
                continue
            wanted = objects(self.configuration.blueprint(spec), self.configuration.credentials(spec))
            with Cluster(self.configuration.context) as cluster:
                for one in freeze.left(cluster, spec.name, {placed.name for placed in wanted}):
                    metadata, kind = one["metadata"], one["kind"]
                    pulumi.log.warn(f"tenant {spec.name}: thawed without {kind}/{metadata['name']}: it is deleted")
                    if not pulumi.runtime.is_dry_run():
                        cluster.delete(BY_NAME[kind], metadata["name"], metadata["namespace"])

    def others(self, frozen: Mapping[str, Collection[Placed]]) -> dict[str, Any]:
        """What the stack told of tenants that this run leaves as they are: not its own, or frozen."""
        names = targets.names()
        known = {
            key: {
                name: one
                for name, one in self.told.get(key, {}).items()
                if name in frozen or (names and name not in names)
            }
            for key in (("tenants", "adminPasswords") if names or frozen else ())
        }
        # Of one that isn't there, there is nothing that its removal could lose.
        for name in (name for name, there in frozen.items() if there):
            known["tenants"][name] = {**known["tenants"].get(name, {}), "frozen": True}
        return known

    def args(self, spec: TenantSpec) -> TenantArgs:
        """The arguments of a tenant of the catalogue, with the stack's images where it names none."""
        settings = self.configuration
        fields: dict[str, Any] = spec.model_dump(exclude={"name", "frozen"}, exclude_none=True)
        fields.setdefault("deletion_protection", settings.deletion_protection)
        fields["wordpress"].setdefault("image", settings.images.wordpress)
        fields["database"].setdefault("image", settings.images.database)
        if spec.database.external:
            del fields["database"]["image"]
        known = settings.passwords(spec.name)
        for whose in needed_passwords(spec):
            fields[f"{whose}_password"] = pulumi.Output.secret(getattr(known, whose))
        if kept := known.kept(spec.credentials_version):
            fields["adopted_passwords"] = pulumi.Output.secret(kept)
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
        ClusterError: the cluster can't be asked who it is.
        UnsafeError: it is another one than that of the stack's last run.
    """
    config = pulumi.Config()
    values = {key: text for key in configuration.KEYS if (text := config.get(key))}
    settings = configuration.read(values, {key for key in values if is_config_secret(config.full_key(key))})
    if settings.readiness == "fleet":
        pulumi.runtime.register_stack_transformation(_unawaited)
    if settings.render:
        return Stack(settings, rendering.provider(settings.render), "", {})
    told = outputs.previous()
    cluster = _identity(settings.context, told.get("cluster"))
    return Stack(settings, _provider(settings, cluster), cluster, told)


def _identity(context: str | None, known: str | None) -> str:
    """The cluster's identity, which has to be what it was.

    The provider doesn't look: with the kubeconfig of another cluster, a refresh would find nothing of the stack's
    there, and the update make all of it anew.
    """
    with Cluster(context) as cluster:
        uid = cluster.uid()
        if known and uid != known:
            raise UnsafeError(
                f"{cluster.server} (context {cluster.context}) is another cluster ({uid}) than that of this stack"
                f" ({known}) - use the stack's kubeconfig or siteforge:context, or another stack for this cluster"
            )
    return uid


def _unawaited(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.type_.startswith("kubernetes:") or "kind" not in args.props:
        return None  # a frozen one is only read
    return pulumi.ResourceTransformationResult(unawaited(dict(args.props)), args.opts)


def _provider(settings: Configuration, cluster: str) -> kubernetes.Provider:
    return kubernetes.Provider(
        "kubernetes",
        context=settings.context,
        # Without it, another address of the same cluster would replace the provider and all that it made.
        cluster_identifier=cluster,
        # Otherwise a changed Secret or ConfigMap is deleted and made anew under its pods.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
    )


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Show what Siteforge has to say as Pulumi's error message, without a traceback; tell the engine what it needs."""
    debug_log.restrain()
    stack_traces.leave_out()
    try:
        yield
    except SiteforgeError as error:
        raise pulumi.RunError(str(error)) from error
