"""`siteforge doctor` on a stack that is well, and on one after the other that is not."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import cluster
from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl, run
from tests.support.stack import ROOT, Stack

TENANT, ACCOUNT = "e2e-doctor", "e2e-doctor-limited"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """A stack of one tenant with simulated pods."""
    made = make_stack("doctor")
    made.configure("readiness", "fleet")
    made.catalogue(simulated.catalogue([simulated.tenant(TENANT)]))
    made.up()
    return made


def doctor(stack: Stack, *, code: int, **environment: str) -> dict[str, list[dict[str, Any]]]:
    """What it finds, by level."""
    program = str(ROOT / ".venv" / "bin" / "siteforge")
    command = [program, "doctor", "--stack", stack.name, "--output", "json"]
    done: subprocess.CompletedProcess[str] = run(
        command, cwd=stack.folder, env=stack.environment | environment, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, list[dict[str, Any]]] = {"ok": [], "warn": [], "fail": []}
    for finding in json.loads(done.stdout):
        found[finding["level"]].append(finding)
        assert finding["level"] == "ok" or finding["fix"], f"{finding} has no fix"
    return found


def texts(findings: list[dict[str, Any]]) -> str:
    return "\n".join(f"{one['part']}: {one['text']} - {one['fix']}" for one in findings)


def test_a_stack_that_is_well_passes(stack: Stack) -> None:
    found = doctor(stack, code=0)
    shown = texts(found["ok"])
    assert "toolchain: Pulumi 3." in shown
    assert "cluster: Kubernetes v1." in shown
    assert "catalogue: tenants.yaml: 1 tenants, no mistakes" in shown
    assert "tenants: 1 in the catalogue, 1 of them in the cluster" in shown
    # The local platform's own.
    assert "storage class local-path deletes a volume with its claim" in texts(found["warn"])


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of an account that may do everything but delete Secrets and create Deployments."""
    verbs = ["get", "list", "watch", "create", "patch", "update", "delete"]
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": [verb for verb in verbs if verb != "delete"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": [verb for verb in verbs if verb != "create"]},
        {
            "apiGroups": [""],
            "resources": [
                *("namespaces", "resourcequotas", "limitranges", "configmaps", "serviceaccounts", "nodes", "pods"),
                *("persistentvolumeclaims", "persistentvolumes", "services", "events"),
            ],
            "verbs": verbs,
        },
        {"apiGroups": ["apps"], "resources": ["statefulsets", "daemonsets"], "verbs": verbs},
        {
            "apiGroups": [
                *("networking.k8s.io", "policy", "autoscaling", "rbac.authorization.k8s.io", "storage.k8s.io"),
                *("discovery.k8s.io", "batch"),
            ],
            "resources": ["*"],
            "verbs": verbs,
        },
    ]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": ACCOUNT}}
    kubectl("apply", "-f", "-", stdin=json.dumps(role | {"rules": rules}))
    kubectl("create", "serviceaccount", ACCOUNT, "-n", "kube-system")
    account = f"--serviceaccount=kube-system:{ACCOUNT}"
    kubectl("create", "clusterrolebinding", ACCOUNT, f"--clusterrole={ACCOUNT}", account)
    known = yaml.safe_load(Path(cluster.kubeconfig()).read_text())
    token = kubectl("create", "token", ACCOUNT, "-n", "kube-system").strip()
    known["users"] = [{"name": known["users"][0]["name"], "user": {"token": token}}]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(known))
    yield path
    kubectl("delete", "clusterrolebinding,clusterrole", ACCOUNT)
    kubectl("delete", "serviceaccount", ACCOUNT, "-n", "kube-system")


def test_a_missing_right_is_named(stack: Stack, limited: Path) -> None:
    failures = texts(doctor(stack, code=1, KUBECONFIG=str(limited))["fail"])
    assert failures == (
        "cluster: not allowed: create deployments.apps, delete secrets"
        " - have a ClusterRole with them bound to who runs Pulumi"
    )


def test_siteforge_up_names_a_missing_right_before_it_begins(stack: Stack, limited: Path) -> None:
    before = stack.resources()
    done = stack.siteforge("up", "--all", check=False, KUBECONFIG=str(limited))
    assert done.returncode == 1
    assert "not allowed: create deployments.apps, delete secrets - have a ClusterRole" in done.stderr
    assert done.stderr.rstrip().endswith("nothing was changed")
    assert stack.resources() == before


def test_a_cluster_that_does_not_answer_is_named(stack: Stack, tmp_path: Path) -> None:
    known = yaml.safe_load(Path(cluster.kubeconfig()).read_text())
    known["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(known))
    failures = texts(doctor(stack, code=1, KUBECONFIG=str(path))["fail"])
    assert "the API server at https://127.0.0.1:9 can't be asked" in failures


def test_the_lock_of_a_dead_run_is_named_with_the_way_out(stack: Stack) -> None:
    folder = stack.folder / "state" / ".pulumi" / "locks" / "organization" / "siteforge" / stack.name
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "dead.json"
    with subprocess.Popen(["true"]) as gone:
        pass
    said = {"pid": gone.pid, "username": "aku", "hostname": socket.gethostname(), "timestamp": "2026-11-29T00:00:00Z"}
    lock.write_text(json.dumps(said))
    try:
        failures = texts(doctor(stack, code=1)["fail"])
    finally:
        lock.unlink()
    assert f"stack: locked by aku@{said['hostname']}, process {gone.pid}" in failures
    assert failures.endswith("(gone) - siteforge recover --stack doctor")


def test_a_broken_state_is_named_with_the_way_out(stack: Stack) -> None:
    path = stack.folder / "state" / ".pulumi" / "stacks" / "siteforge" / "doctor.json"
    good = path.read_bytes()
    path.write_bytes(good[:100])
    try:
        failures = texts(doctor(stack, code=1)["fail"])
    finally:
        path.write_bytes(good)
    assert "its state can't be used" in failures and "siteforge recover --stack doctor" in failures


def test_a_wrong_passphrase_is_named(stack: Stack) -> None:
    wrong = stack.folder / "wrong"
    wrong.write_text("wrong")
    failures = texts(doctor(stack, code=1, PULUMI_CONFIG_PASSPHRASE_FILE=str(wrong))["fail"])
    assert "passphrase" in failures
