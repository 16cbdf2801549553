"""Helm: a release a tenant, `--wait`. The chart renders the objects of a tenant's values as they are.

Releases are kept in a namespace of their own, so that a tenant's Namespace is one of its release's objects.
"""

import json

from bench.fleet import Fleet
from bench.peers.peer import Command, Peer
from local import toolchain

_RELEASES = "bench-releases"
_CHART = {"apiVersion": "v2", "name": "tenant", "version": "1.0.0"}
_TEMPLATE = """{{- range .Values.objects }}
---
{{ toYaml . }}
{{- end }}
"""


class Helm8(Peer):
    """Eight releases at once, as a script with `xargs -P` or a tool like helmfile does."""

    name = "helm8"
    title = "Helm, a release a tenant, 8 at once"
    at_once = 8

    def prepare(self) -> None:
        """Write the chart; make the namespace of the releases."""
        templates = self.home / "chart" / "templates"
        templates.mkdir(parents=True)
        (self.home / "chart" / "Chart.yaml").write_text(json.dumps(_CHART))
        (templates / "objects.yaml").write_text(_TEMPLATE)
        self._run("kubectl", "create", "namespace", _RELEASES)

    def declare(self, fleet: Fleet) -> None:
        """A file of values a tenant, and the list of releases."""
        values = self.home / "values"
        values.mkdir(exist_ok=True)
        for tenant in fleet.tenants:
            (values / f"{tenant}.json").write_text(json.dumps({"objects": fleet.manifests(tenant)}))
        (self.home / "releases").write_text("\n".join(fleet.tenants) + "\n")

    def create(self) -> Command:
        """Install all releases."""
        return self._upgrade_all()

    def no_op(self) -> Command:
        """Upgrade all releases to what they are."""
        return self._upgrade_all()

    def change_one(self, tenant: str) -> Command:
        """Upgrade that release."""
        return Command(self._upgrade(tenant), self.home)

    def drift_check(self) -> None:
        """Not offered: Helm 3 compares with its own record (`helm diff` is a plugin of somebody else)."""

    def repair(self, tenants: list[str]) -> Command:
        """Upgrade all releases: it does not know which."""
        return self._upgrade_all()

    def delete_one(self, tenant: str) -> Command:
        """Uninstall that release."""
        argv = ("uninstall", tenant, f"--namespace={_RELEASES}", "--wait", "--timeout=600s")
        return Command((self._helm, *argv), self.home)

    @property
    def _helm(self) -> str:
        return str(toolchain.folder("helm") / "bin" / "helm")

    def _upgrade(self, tenant: str) -> tuple[str, ...]:
        options = (f"--namespace={_RELEASES}", f"--values=values/{tenant}.json", "--wait", "--timeout=600s")
        return (self._helm, "upgrade", "--install", tenant, "chart", *options)

    def _upgrade_all(self) -> Command:
        together = ("xargs", "--arg-file=releases", f"--max-procs={self.at_once}", "-I{}")
        return Command((*together, *self._upgrade("{}")), self.home)


class Helm1(Helm8):
    """One release after another."""

    name = "helm1"
    title = "Helm, a release a tenant, one at a time"
    largest = 200
    at_once = 1
