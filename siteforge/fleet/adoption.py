"""Taking over tenants that are in the cluster and not in Pulumi's state: hand-made ones, or those of a lost state.

The provider creates by server-side apply, which takes an object over that is there. So the rest is what must not be
got wrong: the passwords that the tenant has are kept, in the stack's configuration where they are not the derived
ones; a preview must neither delete nor replace anything; and no object may be another one afterwards.
"""

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from siteforge import targets
from siteforge.errors import AdoptionError, printable
from siteforge.fleet import up
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.engine import Outcome, Run, Runner
from siteforge.fleet.kinds import BY_NAME
from siteforge.fleet.project import Project, pulumi
from siteforge.names import DATABASE, WORDPRESS, Role, namespace
from siteforge.secrets import PURPOSES, Credentials
from siteforge.specs.database import secret_data as database_data
from siteforge.specs.manifest import Manifest
from siteforge.specs.objects import possible
from siteforge.specs.wordpress import secret_data as wordpress_data
from siteforge.tenant_spec import TenantSpec

_HARMLESS = {"create", "update", "same", "read", "refresh"}
"""What a preview may want: what it calls created is applied to what is there."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_PROVIDER = "pulumi:providers:kubernetes"


@dataclass(frozen=True)
class Adoption:
    """Takes tenants over.

    Args:
        project: the fleet's.
        cluster: where they are.
        say: takes each line of what is found and done; none has a secret.
    """

    project: Project
    cluster: Cluster
    say: Callable[[str], None]

    def perform(self, specs: Collection[TenantSpec], seconds: float) -> up.Summary:
        """Do it.

        Args:
            specs: the tenants, of the catalogue.
            seconds: the deadline of their readiness, where `siteforge up` waits for it.

        Raises:
            AdoptionError: a tenant isn't there, has passwords that can't be kept, or a preview would delete or
                replace something; nothing in the cluster was changed.
            SiteforgeError: the configuration, the cluster or Pulumi can't be used.
        """
        before = {spec.name: self._objects(spec) for spec in specs}
        for name, there in before.items():
            if not there:
                raise AdoptionError(
                    f"tenant {name}: nothing of it is in the cluster, to be adopted - `siteforge up` makes it"
                )
        for spec in specs:
            self._keep_passwords(spec)
        # What was kept just now is part of the configuration.
        project = Project(self.project.folder, self.project.name, self.project.stack)
        runs = [self._runs(project, stack, names) for stack, names in self._by_stack(specs).items()]
        summary = self._apply(project, specs, runs, seconds)
        for spec in specs:
            self._compare(spec, before[spec.name], summary)
        return summary

    def _objects(self, spec: TenantSpec) -> dict[str, Manifest]:
        """What there is of all that the tenant may have."""
        found = {}
        for one in possible(spec.name):
            kind, metadata = one.manifest["kind"], one.manifest["metadata"]
            if live := self.cluster.get(BY_NAME[kind], metadata["name"], metadata.get("namespace")):
                found[f"{kind}/{metadata['name']}"] = live | {"kind": kind}
        return found

    def _keep_passwords(self, spec: TenantSpec) -> None:
        """Write into the stack's configuration what the tenant has and would not be given."""
        credentials = self.project.configuration.credentials(spec)
        roles: tuple[Role, ...] = (WORDPRESS, DATABASE)
        secrets = {name: self._secret(spec, name) for name in roles}
        has = kept(spec, credentials, secrets)
        if not has:
            self.say(f"{spec.name}: its passwords are the derived ones")
            return
        known = self.project.configuration.passwords(spec.name).kept(spec.credentials_version)
        text = json.dumps({"version": spec.credentials_version, "values": known | has})
        key = f"siteforge:passwords.{spec.name}.adopted"
        # Of several cells, each reads its own configuration; the fleet's commands read that of the fleet's stack.
        for stack in dict.fromkeys((self.project.stack, self.project.cells.stack(spec.name))):
            pulumi(self.project.folder, "config", "set", "--secret", "--path", key, "--stack", stack, stdin=text)
        self.say(f"{spec.name}: keeps {len(has)} passwords and salts of its own, encrypted as {key}")

    def _secret(self, spec: TenantSpec, name: Role) -> Manifest:
        return self.cluster.get(BY_NAME["Secret"], name, namespace(spec.name))

    def _by_stack(self, specs: Collection[TenantSpec]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for spec in specs:
            found.setdefault(self.project.cells.stack(spec.name), []).append(spec.name)
        return found

    def _runs(self, project: Project, stack: str, names: list[str]) -> list[Run]:
        """The runs of one stack, each previewed: they may take over, and neither delete nor replace."""
        runner = Runner(project)
        if not self._has_provider(stack):
            self._succeed(runner.execute(Run(stack, (), confined=True, refresh=False), "up"))
        runs = [
            Run(stack, tuple(names[start : start + targets.MOST]), confined=True)
            for start in range(0, len(names), targets.MOST)
        ]
        for run in runs:
            outcome = runner.execute(run, "preview")
            self._succeed(outcome)
            if harmful := sorted(outcome.changes.keys() - _HARMLESS):
                counts = ", ".join(f"{outcome.changes[what]} {what}" for what in harmful)
                raise AdoptionError(
                    f"{', '.join(run.tenants)}: not only taken over: {counts} - look at"
                    f" `{run.line('preview', project.name)}`; nothing was changed"
                )
        return runs

    def _has_provider(self, stack: str) -> bool:
        exported = json.loads(pulumi(self.project.folder, "stack", "export", "--stack", stack))
        resources = (exported.get("deployment") or {}).get("resources") or ()
        return any(one["type"] == _PROVIDER for one in resources)

    @staticmethod
    def _succeed(outcome: Outcome) -> None:
        if not outcome.succeeded:
            reasons = [f"{name}: {'; '.join(said)}" for name, said in outcome.failed.items()]
            said = "\n".join(printable(one) for one in (*reasons, *outcome.problems))
            raise AdoptionError(f"{said}\nnothing in the cluster was changed")

    def _apply(
        self, project: Project, specs: Collection[TenantSpec], runs: list[list[Run]], seconds: float
    ) -> up.Summary:
        names = [spec.name for spec in specs]
        found = replace(up.look(project, self.cluster, asked=names, everything=True), runs=runs)
        return up.Performance(project, self.cluster, found).perform(1, seconds, lambda *_: None, self._explain)

    def _explain(self, reasons: Mapping[str, list[str]]) -> None:
        for name, said in sorted(reasons.items()):
            self.say(printable(f"{name} is not ready yet: {'; '.join(said)}"))

    def _compare(self, spec: TenantSpec, before: dict[str, Manifest], summary: up.Summary) -> None:
        after = self._objects(spec)
        identities = {name: one["metadata"]["uid"] for name, one in after.items()}
        if lost := [name for name, one in before.items() if identities.get(name) != one["metadata"]["uid"]]:
            summary.failed.setdefault(spec.name, []).append(f"no longer the same: {', '.join(lost)}")
        elif spec.name not in summary.failed:
            self._release(after.values())
            self.say(f"{spec.name}: {len(before)} objects taken over, {len(after) - len(before)} made, none replaced")

    def _release(self, objects: Iterable[Manifest]) -> None:
        """Take from objects what `kubectl apply` remembers in them: it is not theirs any more, and shows passwords."""
        for one in objects:
            metadata = one["metadata"]
            if _LAST_APPLIED in metadata.get("annotations", {}):
                body = {"metadata": {"annotations": {_LAST_APPLIED: None}}}
                self.cluster.patch(BY_NAME[one["kind"]], metadata["name"], body, metadata.get("namespace"))


def kept(spec: TenantSpec, derived: Credentials, secrets: Mapping[Role, Manifest]) -> dict[str, str]:
    """The passwords and salts of a live tenant that are not what it would be given, by purpose.

    Args:
        spec: the tenant.
        derived: what it would be given.
        secrets: its live Secrets by name, empty where there is none.

    Raises:
        AdoptionError: they contradict each other, or one of them is nothing that can be given to a container.
    """
    given: dict[Role, dict[str, str]] = {WORDPRESS: wordpress_data(derived)}
    given[DATABASE] = {} if spec.database.external else database_data(derived)
    found: dict[str, str] = {}
    other: dict[str, str] = {}
    for purpose, name, key in _places(spec):
        live = (secrets[name].get("data") or {}).get(key)
        if live is None:
            continue
        if found.setdefault(purpose, live) != live:
            raise AdoptionError(
                f"tenant {spec.name}: the Secrets {WORDPRESS} and {DATABASE} have different passwords of the database"
                f" - make both what the database takes"
            )
        if live != given[name].get(key):
            other[purpose] = _decoded(spec, name, key, live)
    return other


def _places(spec: TenantSpec) -> Iterator[tuple[str, Role, str]]:
    """Where each purpose's value stands: the Secret's name and the key."""
    if not spec.database.external:
        yield "database-password", DATABASE, "password"
        yield "database-password", WORDPRESS, "database-password"
        yield "database-root-password", DATABASE, "root-password"
    yield "admin-password", WORDPRESS, "admin-password"
    for purpose in PURPOSES:
        if purpose.startswith("salt-"):
            yield purpose, WORDPRESS, purpose.removeprefix("salt-").lower().replace("_", "-")


def _decoded(spec: TenantSpec, name: str, key: str, data: str) -> str:
    try:
        text = base64.b64decode(data).decode()
    except ValueError:
        text = ""
    if not text or not text.isprintable():
        raise AdoptionError(
            f"tenant {spec.name}: {key} of the Secret {name} is empty or not one line of text - give it such a password"
        )
    return text
