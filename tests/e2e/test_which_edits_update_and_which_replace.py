"""Every field of the catalogue, edited: what is updated by it. Nothing that a site runs on is ever replaced."""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from siteforge.targets import tenant as tenant_of
from tests.e2e.conftest import MakeStack
from tests.support import schemas, simulated
from tests.support.commands import kubectl
from tests.support.stack import Stack
from tests.support.waiting import eventually

CLASS = "e2e-fields-growing"
TENANTS = 10
REFUSED = {
    # tests/e2e/test_data_is_not_lost_by_edits.py
    *("wordpress.volume.storageClass", "database.volume.storageClass", "wordpress.volume.accessMode"),
    # A new name is a new tenant, and the removal of the old one.
    "name",
    # tests/e2e/test_a_site_is_copied_to_another_name.py, test_a_frozen_tenant_is_left_as_it_is.py
    *("renamedFrom", "frozen"),
}
BASE: dict[str, Any] = {
    "title": "Fields",
    "adminEmail": "fields@example.com",
    "plan": "nano",
    "deletionProtection": False,
    "credentialsVersion": 1,
    "owners": {"users": ["aku"], "groups": ["board"]},
    "tls": {"issuer": "letsencrypt", "kind": "ClusterIssuer"},
    "wordpress": {
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "scheduling": {"nodeSelector": {"type": "kwok"}},
        "volume": {"size": "1Gi", "storageClass": CLASS},
        "php": {"memoryLimit": "128Mi", "uploadLimit": "64Mi", "maxExecutionTime": 30, "maxInputVars": 1000},
        "smtp": {"host": "10.0.0.5", "port": 587, "encryption": "tls", "from": "a@example.com"},
        "env": {"A": "1"},
        "extraConfig": {"B": 1},
    },
    "database": {
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "scheduling": {"nodeSelector": {"type": "kwok"}},
        "volume": {"size": "1Gi", "storageClass": CLASS},
    },
}
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists"}
for part in ("wordpress", "database"):
    BASE[part]["scheduling"]["tolerations"] = [TOLERATION]


def tolerations(**fields: Any) -> list[dict[str, Any]]:
    return [TOLERATION, {"key": "dedicated", "value": "sites", "effect": "NoExecute"} | fields]


WORKLOAD: dict[str, Any] = {
    "image": "siteforge.local/other:2",
    "resources.requests.cpu": "60m",
    "resources.requests.memory": "130Mi",
    "resources.limits.cpu": "600m",
    "resources.limits.memory": "300Mi",
    "scheduling.priorityClassName": "business",
    "scheduling.nodeSelector": {"siteforge.dev/node": "simulated", "kubernetes.io/os": "linux"},
    "scheduling.tolerations": tolerations(),
    "scheduling.tolerations.key": tolerations(key="other"),
    "scheduling.tolerations.operator": [TOLERATION, {"key": "dedicated", "operator": "Exists"}],
    "scheduling.tolerations.value": tolerations(value="shops"),
    "scheduling.tolerations.effect": tolerations(effect="NoSchedule"),
    "scheduling.tolerations.tolerationSeconds": tolerations(tolerationSeconds=60),
    "volume.size": "2Gi",
}
EDITS: dict[str, Any] = {
    "title": "Another title",
    "adminEmail": "another@example.com",
    "plan": "small",
    "deletionProtection": True,
    "ring": "canary",
    "credentialsVersion": 2,
    "owners.users": ["lumi"],
    "owners.groups": [],
    "suspended": True,
    "domains": ["another.example.com"],
    "tls.secretName": {"tls": {"secretName": "own"}},
    "tls.issuer": {"tls": {"issuer": "another", "kind": "ClusterIssuer"}},
    "tls.kind": {"tls": {"issuer": "letsencrypt", "kind": "Issuer"}},
    "tls.upstream": {"tls": {"upstream": True}},
    **{f"{part}.{field}": value for part in ("wordpress", "database") for field, value in WORKLOAD.items()},
    "wordpress.replicas": 2,
    "wordpress.autoscaling.minReplicas": {"minReplicas": 2, "maxReplicas": 3},
    "wordpress.autoscaling.maxReplicas": {"maxReplicas": 4},
    "wordpress.autoscaling.targetCpuUtilizationPercentage": {"maxReplicas": 3, "targetCpuUtilizationPercentage": 60},
    "wordpress.internetAccess": False,
    "wordpress.cronMinutes": 5,
    "wordpress.php.memoryLimit": "100Mi",
    "wordpress.php.uploadLimit": "32Mi",
    "wordpress.php.maxExecutionTime": 60,
    "wordpress.php.maxInputVars": 2000,
    "wordpress.smtp.host": "10.0.0.6",
    "wordpress.smtp.port": 465,
    "wordpress.smtp.cidr": "10.0.0.0/24",
    "wordpress.smtp.encryption": "starttls",
    "wordpress.smtp.from": "b@example.com",
    "wordpress.smtp.user": "mailer",
    "wordpress.env": {"A": "2"},
    "wordpress.extraConfig": {"B": 2},
    **{
        f"database.external.{field}": {"host": "10.0.0.7", "cidr": "10.0.0.0/24"} | {field: value}
        for field, value in {
            "host": "10.0.0.8",
            "port": 3307,
            "cidr": "10.0.1.0/24",
            "name": "other",
            "user": "other",
        }.items()
    },
}


def leaves(part: dict[str, Any], path: str = "") -> Iterator[str]:
    """The fields of a tenant that are no mappings of fields themselves."""
    part = schemas.resolve(part)
    properties = schemas.resolve(part.get("items", part)).get("properties", {})
    if not properties:
        yield path.lstrip(".")
    for key, inner in properties.items():
        yield from leaves(inner, f"{path}.{key}")


def edited(line: dict[str, Any], field: str) -> dict[str, Any]:
    """The line with one field changed."""
    line, value = copy.deepcopy(line), EDITS[field]
    if field.startswith("tls."):
        return {**line, **value}
    if field.startswith("database.external."):
        return line | {"database": {"external": value}}
    if field == "plan":
        # Of a tenant that says no sizes of its own but those of its volumes.
        for part in ("wordpress", "database"):
            del line[part]["resources"]
    path = field.split(".")
    for above in ("tolerations", "autoscaling"):
        if above in path:
            path = path[: path.index(above) + 1]
    place = line
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return line


def base(number: int) -> dict[str, Any]:
    return {"name": f"e2e-fields-{number}", "domains": [f"fields-{number}.example.com"]} | copy.deepcopy(BASE)


def unbound() -> set[str]:
    """The claims of the tenants that have no volume yet."""
    lines = kubectl("get", "pvc", "-A", "-l", "app.kubernetes.io/part-of=siteforge", "--no-headers").splitlines()
    return {line for line in lines if line.startswith("e2e-fields-") and "Bound" not in line}


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Iterator[Stack]:
    """A stack of equal tenants with simulated pods, on a storage class whose volumes can grow."""
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": "rancher.io/local-path",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(storage))
    made = make_stack("fields")
    made.configure("readiness", "fleet")
    for number in range(TENANTS):
        for whose in ("database", "smtp"):
            key = f"siteforge:passwords.e2e-fields-{number}.{whose}"
            made.pulumi("config", "set", "--secret", "--path", key, stdin="a password")
    made.catalogue(simulated.catalogue(map(base, range(TENANTS))))
    made.up()
    # A claim that has no volume yet can't grow.
    eventually("the volumes", lambda: unbound() == set(), seconds=240)
    yield made
    kubectl("delete", "storageclass", CLASS)


def test_every_field_has_an_edit() -> None:
    assert {*EDITS} | REFUSED == {*leaves(schemas.SCHEMA["$defs"]["TenantSpec"])} | {
        # Its items are mappings, and adding one is an edit of its own.
        *("wordpress.scheduling.tolerations", "database.scheduling.tolerations"),
    }


def test_no_edit_replaces_what_a_site_runs_on(stack: Stack) -> None:
    table: dict[str, dict[str, set[str]]] = {}
    fields = [*EDITS]
    for start in range(0, len(fields), TENANTS):
        batch = dict(enumerate(fields[start : start + TENANTS]))
        lines = [edited(base(number), batch[number]) if number in batch else base(number) for number in range(TENANTS)]
        stack.catalogue(simulated.catalogue(lines))
        done = stack.pulumi("preview", "--json", "--refresh=false")
        for step in json.loads(done.stdout)["steps"]:
            name = tenant_of(step["urn"])
            if step["op"] != "same" and name:
                field = batch[int(name.rpartition("-")[2])]
                kind = step["urn"].split("::")[2].rpartition(":")[2]
                table.setdefault(field, defaultdict(set))[step["op"]].add(kind)
    stack.catalogue(simulated.catalogue(map(base, range(TENANTS))))
    print("\n| field | " + " | ".join(("update", "create", "delete", "replace")) + " |")
    replaced = {}
    for field in fields:
        ops = table.get(field, {})
        replaces = {kind for op, kinds in ops.items() if "replace" in op for kind in kinds}
        shown = [*(", ".join(sorted(ops.get(op, ()))) for op in ("update", "create", "delete")), ", ".join(replaces)]
        print(f"| {field} | {' | '.join(shown)} |")
        if replaces:
            replaced[field] = replaces
    assert replaced == {}
    without_effect = {field for field in fields if field not in table}
    assert without_effect == {"deletionProtection", "ring"}, "an edit that changes no object tests nothing"
    deleting = {field for field, ops in table.items() if "delete" in ops}
    assert deleting == {field for field in fields if field.startswith(("database.external.", "tls."))} - {
        *("tls.issuer", "tls.kind"),
    }, "only what leaves the tenant's own database, or a certificate's issuer, deletes"
