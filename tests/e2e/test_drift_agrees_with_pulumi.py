"""`siteforge drift` against `pulumi refresh --preview-only`, over random edits on the real engine and API server."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local import images
from siteforge import catalogue, configuration
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.drift import desired
from siteforge.specs.manifest import Manifest
from tests.e2e.conftest import SECRET, MakeStack
from tests.support.commands import kubectl
from tests.support.edits import Edited, edit, key, remembered
from tests.support.servers import kubeconfig, serving
from tests.support.stack import Stack

Key = tuple[str, str, str]
"""Kind, namespace and name."""

PLAIN, FULL = "e2e-drift-plain", "e2e-drift-full"
EDITS = 10
RESTARTED = "kubectl.kubernetes.io/restartedAt"

# Nothing of this is about what runs: no node takes the pods.
NOWHERE = {"scheduling": {"nodeSelector": {"no-such": "node"}}}
TENANTS: list[dict[str, Any]] = [
    {"name": PLAIN, "title": "Plain", "adminEmail": "a@example.com", "plan": "nano", "wordpress": NOWHERE},
    {
        "name": FULL,
        "title": "Everything",
        "adminEmail": "a@example.com",
        "plan": "small",
        "owners": {"users": ["aku@example.com"], "groups": ["agency"]},
        "domains": ["drift.example.com", "www.drift.example.com"],
        "tls": {"issuer": "letsencrypt", "kind": "ClusterIssuer"},
        "wordpress": {
            "autoscaling": {"minReplicas": 2, "maxReplicas": 3},
            "scheduling": {
                **NOWHERE["scheduling"],
                "tolerations": [{"key": "sites", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
            },
            "resources": {"requests": {"cpu": "1000m"}, "limits": {"cpu": "1.5", "memory": "1024Mi"}},
            "volume": {"accessMode": "ReadWriteMany"},
            "internetAccess": True,
            "php": {"memoryLimit": "200Mi", "uploadLimit": "100Mi"},
            "smtp": {"host": "smtp.example.com", "from": "shop@drift.example.com"},
            "env": {"QUANTITY": "1000m", "TEXT": "$(HOME) 'ä'"},
        },
        "database": {**NOWHERE, "volume": {"size": "2048Mi"}},
    },
]


CATALOGUE = json.dumps({"tenants": TENANTS}, ensure_ascii=False)


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    found = make_stack("drift")
    found.configure("readiness", "fleet")
    found.catalogue(CATALOGUE)
    found.up()
    return found


@pytest.fixture(scope="module")
def manifests(stack: Stack) -> dict[Key, Manifest]:
    said = {
        "catalogue": "tenants.yaml",
        "wordpressImage": images.WORDPRESS,
        "databaseImage": images.MARIADB,
        "imagePullPolicy": "IfNotPresent",
        "readiness": "fleet",
        "secret": SECRET,
    }
    settings = configuration.read(said, {"secret"})
    specs = catalogue.load(stack.folder / "tenants.yaml")
    return {key(one): one for spec in specs for one in desired(settings, spec).values()}


def drift(stack: Stack, *arguments: str) -> dict[str, Any]:
    done = stack.siteforge("drift", "--tenant", PLAIN, "--tenant", FULL, "--output", "json", *arguments, check=False)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) is (not report["tenants"] and not report["strays"])
    return report


def seen_by_drift(stack: Stack) -> set[Key]:
    found = drift(stack)["tenants"]
    return {(one["kind"], tenant, one["name"]) for tenant, own in found.items() for one in own}


def seen_by_pulumi(stack: Stack) -> set[Key]:
    done = stack.pulumi("refresh", "--preview-only", "--json")
    steps = json.loads(done.stdout)["steps"]
    return {_key(step) for step in steps if step["op"] in ("update", "delete", "replace")}


def _key(step: dict[str, Any]) -> Key:
    state = step["oldState"]
    namespace, _, name = state["id"].rpartition("/")
    return state["type"].rpartition(":")[2], namespace or name, name


def test_a_fleet_that_was_just_made_has_no_drift(stack: Stack) -> None:
    report = drift(stack)
    assert report["tenants"] == {}
    assert report["compared"] == len(TENANTS)


@pytest.mark.parametrize("seed", range(int(os.environ.get("SITEFORGE_DRIFT_SEEDS", "2"))))
def test_whatever_pulumi_sees_of_random_edits_drift_sees_and_nothing_that_was_not_edited(
    stack: Stack, api: Cluster, manifests: dict[Key, Manifest], seed: int
) -> None:
    random = Random(seed)
    edited: list[Edited] = []
    try:
        for manifest in random.sample(list(manifests.values()), EDITS):
            edited.append(edit(random, api, manifest))
        ours, theirs = seen_by_drift(stack), seen_by_pulumi(stack)
        told = "\n".join(f"{one.key}: {one.done}" for one in edited)
        assert theirs, f"Pulumi saw none of\n{told}"
        assert theirs <= ours, told
        assert ours == {one.key for one in edited}, told
    finally:
        for one in edited:
            one.undo()
    assert drift(stack)["tenants"] == {}, told


def test_what_others_added_is_seen_with_its_author_and_pulumi_sees_none_of_it(
    stack: Stack, api: Cluster, manifests: dict[Key, Manifest]
) -> None:
    where = ["-n", PLAIN]
    port = [{"op": "add", "path": "/spec/egress/0/ports/0/endPort", "value": 60}]
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    more = head | {"metadata": {"name": "wordpress"}, "data": {"more.php": "<?php"}}
    stray = head | {"metadata": {"name": "stray", "labels": {"app.kubernetes.io/part-of": "siteforge"}}, "data": {}}
    targets = [("Service", "mariadb"), ("Deployment", "wordpress"), ("NetworkPolicy", "wordpress")]
    edited = [remembered(api, manifests[kind, PLAIN, name]) for kind, name in [*targets, ("ConfigMap", "wordpress")]]
    try:
        kubectl("label", *where, "service/mariadb", "team=x")
        kubectl("rollout", "restart", *where, "deployment/wordpress")
        kubectl("patch", *where, "networkpolicy/wordpress", "--type=json", "-p", json.dumps(port))
        program = ["--server-side", "--field-manager=another-program"]
        kubectl("apply", *where, *program, "-f", "-", stdin=json.dumps(more))
        kubectl("create", *where, "-f", "-", stdin=json.dumps(stray))
        found = drift(stack)["tenants"][PLAIN]
        assert seen_by_pulumi(stack) == set()
    finally:
        for one in edited:
            one.undo()
        kubectl("delete", *where, "configmap/stray", "--ignore-not-found")
    assert {(one["kind"], one["name"], one["change"], one["field"], one["by"]["manager"]) for one in found} == {
        ("Service", "mariadb", "added", "metadata.labels.team", "kubectl-label"),
        ("Deployment", "wordpress", "added", f"spec.template.metadata.annotations[{RESTARTED}]", "kubectl-rollout"),
        ("NetworkPolicy", "wordpress", "added", "spec.egress[0].ports[0].endPort", "kubectl-patch"),
        ("ConfigMap", "wordpress", "added", "data[more.php]", "another-program"),
        ("ConfigMap", "stray", "added", "", "kubectl-create"),
    }
    now = datetime.now(UTC)
    assert all(timedelta() <= now - datetime.fromisoformat(one["by"]["time"]) < timedelta(minutes=5) for one in found)
    assert drift(stack)["tenants"] == {}


def test_what_was_restored_from_a_backup_is_as_it_was(
    stack: Stack, api: Cluster, manifests: dict[Key, Manifest]
) -> None:
    """Who restores an object owns all of it, what the server had filled in as well."""
    kept = ("Namespace", "PersistentVolumeClaim")
    backups = [remembered(api, one).before for one in manifests.values() if one["kind"] not in kept]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": backups})
    kubectl("delete", "-f", "-", "--timeout=60s", stdin=text)
    gone = seen_by_drift(stack)
    kubectl("create", "-f", "-", stdin=text)
    assert gone == {one for one in manifests if one[0] not in kept}
    assert drift(stack)["tenants"] == {}


def test_a_password_that_somebody_changed_is_told_and_neither_value_is_shown(
    stack: Stack, api: Cluster, manifests: dict[Key, Manifest]
) -> None:
    manifest = manifests["Secret", PLAIN, "wordpress"]
    edited = remembered(api, manifest)
    try:
        patch = {"data": {"admin-password": "aHVudGVyMg=="}}
        kubectl("patch", "secret/wordpress", "-n", PLAIN, "-p", json.dumps(patch))
        # An object that is applied the old way is in an annotation as a whole.
        kubectl("apply", "-n", PLAIN, "-f", "-", stdin=json.dumps(edited.before | patch))
        shown = [stack.siteforge("drift", "-t", PLAIN, "-o", form, check=False) for form in ("text", "json")]
    finally:
        edited.undo()
    for done in shown:
        assert done.returncode == 3
        assert "data.admin-password" in done.stdout
        assert "last-applied-configuration" in done.stdout
        for value in ("aHVudGVyMg==", "hunter2", *manifest["data"].values()):
            assert value not in done.stdout + done.stderr


def test_an_api_server_that_cannot_be_reached_is_never_clean(stack: Stack, tmp_path: Path) -> None:
    with serving(lambda _: (200, "{}")) as address:
        pass  # and gone again: nobody listens there
    for arguments in (["drift"], ["drift", "--tenant", PLAIN, "--output", "json"]):
        done = stack.siteforge(*arguments, check=False, KUBECONFIG=str(kubeconfig(tmp_path, address)))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"the API server at {address} can't be asked" in done.stderr


def test_a_wrong_name_and_a_wrong_catalogue_are_bad_input(stack: Stack) -> None:
    done = stack.siteforge("drift", "--tenant", "e2e-drift-ful", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"there is no tenant e2e-drift-ful - did you mean {FULL}?\n"
    stack.catalogue("tenants: []")
    try:
        done = stack.siteforge("drift", check=False)
    finally:
        stack.catalogue(CATALOGUE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tenants.yaml:1:10: ")
